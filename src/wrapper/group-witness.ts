// Tells whether a signal came to our whole process group, as a typed one does, or to us alone. Node cannot ask for a signal's sender. So a
// small shell in the group gets what the group gets, and reports it.
import { spawn, type ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { sameGestureMs } from '../manifest/defaults.ts';
import { monotonicNow } from '../os/clock.ts';
import type { SignalName } from '../manifest/types.ts';

/** Signals that a terminal sends to its foreground group. Not SIGTSTP: the job stops at once, and nothing may wait for an answer then. */
const watched: ReadonlySet<SignalName> = new Set<SignalName>(['SIGINT', 'SIGQUIT', 'SIGWINCH']);

/**
 * The witness starts so long after the command. libuv blocks us until it has begun; a Ctrl+Z in that millisecond would stop it half
 * way, and we could not stop with the job. Users and scripts type early more often than late.
 */
const startDelayMs = 100;

/** The answer takes less than 1 ms on an idle machine. No answer comes while the witness is stopped. */
const answerMs = 2000;

/**
 * A shell handles a pending signal after each command, so it reports a signal before it answers a question that came later. A
 * trapped signal interrupts `read`, which then looks like end of file. At the real end of file the wrapper is gone.
 */
const script = `${[...watched].map((signal) => `trap 'heard=yes; echo ${signal}' ${signal.slice('SIG'.length)}; `).join('')}\
trap '' HUP TERM USR1 USR2 ALRM PIPE TSTP TTIN TTOU
echo ready
while :; do
  heard=
  if read -r question; then echo answer; elif [ -z "$heard" ]; then exit; fi
done`;

export class GroupWitness {
  #process: ChildProcess | undefined;
  readonly #heardAt = new Map<string, number>();
  #isTrusted = false;
  #isGone = false;
  /** It has answered the last question. */
  #hasAnswered = false;
  #rest = '';
  #onAnswer: () => void = () => undefined;

  constructor() {
    setTimeout(() => this.#start(), startDelayMs).unref();
  }

  #start(): void {
    // Without the run's id, or it would count as a member of the command's tree.
    const witness = spawn('/bin/sh', ['-c', script, 'witness'], { cwd: '/', env: {}, stdio: ['pipe', 'pipe', 'ignore'] });
    this.#process = witness;
    witness.on('error', () => this.#leave());
    witness.once('exit', (_, signal) => {
      // Before its traps were set, a signal to the group ends it.
      if (signal !== null) this.#heardAt.set(signal, monotonicNow());
      this.#leave();
    });
    witness.stdin.on('error', () => undefined);
    witness.stdout.setEncoding('latin1').on('data', (text: string) => this.#read(text));
    witness.unref();
    for (const stream of [witness.stdin, witness.stdout]) (stream as unknown as Socket).unref();
  }

  static watches(signal: SignalName): boolean {
    return watched.has(signal);
  }

  /** Resolves when the witness has reported all that came to the group so far. */
  async ask(): Promise<void> {
    const witness = this.#process;
    if (this.#isGone || !this.#isTrusted || !witness) return;
    this.#hasAnswered = false;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, answerMs);
      this.#onAnswer = () => {
        clearTimeout(timer);
        resolve();
      };
      witness.stdin?.write('\n');
    });
  }

  /** Whether the group got this signal just now. Undefined: the witness cannot tell, or does not watch it. */
  groupGot(signal: SignalName): boolean | undefined {
    if (!watched.has(signal)) return undefined;
    // Several signals of one gesture may reach the witness as one.
    const at = this.#heardAt.get(signal);
    if (at !== undefined && monotonicNow() - at < sameGestureMs) return true;
    return !this.#isGone && this.#hasAnswered ? false : undefined;
  }

  #read(text: string): void {
    const lines = (this.#rest + text).split('\n');
    this.#rest = lines.pop() ?? '';
    for (const line of lines) {
      // A signal that came before the witness was there may still be on its way to us. It arrives in this turn of the event loop.
      if (line === 'ready') setImmediate(() => setImmediate(() => (this.#isTrusted = true)));
      else if (line === 'answer') this.#answer();
      else this.#heardAt.set(line, monotonicNow());
    }
  }

  #answer(): void {
    this.#hasAnswered = true;
    this.#onAnswer();
  }

  #leave(): void {
    this.#isGone = true;
    this.#onAnswer();
  }
}
