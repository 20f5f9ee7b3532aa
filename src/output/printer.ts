// What a form of output (pretty.ts, json.ts) has to offer to those who have something to show.
import type { Waiting, Notice } from './notices.ts';

export type StreamName = 'stdout' | 'stderr';

export interface Printer {
  /** Whole lines of one instance, newlines included. */
  lines(process: string, stream: StreamName, lines: Buffer): void;
  /** How long an unfinished line is kept back, in ms; undefined: until its end. */
  readonly partAfterMs: number | undefined;
  /** A piece of a line that goes on, maybe. */
  part(process: string, stream: StreamName, part: Buffer): void;
  /** Nothing comes any more; what was shown of a last line is all of it. */
  end(process: string, stream: StreamName): void;
  notice(notice: Notice): void;
  /** Who a stop waits for; an empty list: nobody any more. */
  progress(waiting: readonly Waiting[]): void;
}
