// What a form of output (pretty.ts, json.ts) has to offer to those who have something to show.
import type { LineListener } from './lines.ts';
import type { Waiting, Notice } from './notices.ts';

export type StreamName = 'stdout' | 'stderr';

export interface Printer {
  /** Where the lines of one stream of one instance go. */
  listener(process: string, stream: StreamName): LineListener;
  /**
   * It is not to be read for now: the reader of what becomes of it is slow, or another one is in the midst of a line that is
   * too long to be kept.
   */
  mustWait(process: string, stream: StreamName): boolean;
  /** @param onTurn is called when the answer of `mustWait` has changed for a reason that no sink tells of. */
  listen(onTurn: () => void): void;
  /** The user has ended a line that is an answer; a terminal has shown that. */
  typed(): void;
  notice(notice: Notice): void;
  /** Who a stop waits for; an empty list: nobody any more. */
  progress(waiting: readonly Waiting[]): void;
}
