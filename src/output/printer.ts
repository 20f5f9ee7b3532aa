// The interface of an output form (pretty.ts, json.ts).
import type { LineListener } from './lines.ts';
import type { Waiting, Notice } from './notices.ts';

export type StreamName = 'stdout' | 'stderr';

export interface Printer {
  /** The receiver for the lines of one stream of one instance. */
  listener(process: string, stream: StreamName): LineListener;
  /** This stream must not be read now: our own reader is slow, or another instance is printing a line that is too long to keep. */
  mustWait(process: string, stream: StreamName): boolean;
  /** @param onTurn is called when the answer of `mustWait` changes for a reason other than `SinkListener.onFull`. */
  listen(onTurn: () => void): void;
  /** The user has typed a line, for instance an answer to a prompt, and the terminal has echoed its newline. */
  lineTyped(): void;
  notice(notice: Notice): void;
  /** The instances that a stop still waits for; may be empty. */
  progress(waiting: readonly Waiting[]): void;
}
