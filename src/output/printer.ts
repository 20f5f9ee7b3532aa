// What a form of output (pretty.ts, json.ts) has to offer to those who have something to show.
import type { Waiting, Notice } from './notices.ts';

export type StreamName = 'stdout' | 'stderr';

export interface Printer {
  /** Whole lines of one instance, newlines included. */
  lines(process: string, stream: StreamName, lines: Buffer): void;
  notice(notice: Notice): void;
  /** Who a stop waits for; an empty list: nobody any more. */
  progress(waiting: readonly Waiting[]): void;
}
