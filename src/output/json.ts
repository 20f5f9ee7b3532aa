// The form for programs: one JSON object a line on stdout. The names in it are part of what users rely on.
import type { Notice, StopCause } from './notices.ts';
import type { Printer, StreamName } from './printer.ts';
import type { Sink } from './sink.ts';

type Fields = Readonly<Record<string, unknown>>;

export class JsonPrinter implements Printer {
  readonly #out: Sink;
  readonly partAfterMs = undefined;

  constructor(out: Sink) {
    this.#out = out;
  }

  lines(process: string, stream: StreamName, lines: Buffer): void {
    const time = new Date().toISOString();
    const text = lines.toString('utf8', 0, lines.length - 1);
    const objects = text.split('\n').map((line) => JSON.stringify({ time, event: 'output', process, stream, line }));
    this.#out.write(`${objects.join('\n')}\n`);
  }

  part(): void {
    // A line is one object: it waits for its end.
  }

  end(): void {
    // Nothing is open.
  }

  notice(notice: Notice): void {
    const fields = fieldsOf(notice);
    if (fields) this.#out.write(`${JSON.stringify({ time: new Date().toISOString(), ...fields })}\n`);
  }

  progress(): void {
    // Each stage has an event of its own.
  }
}

/** JSON has no Infinity: what has no end is null. */
function milliseconds(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value) : null;
}

function cause(stop: StopCause): Fields {
  return stop.kind === 'signal' ? { cause: stop.signal } : { cause: stop.kind, ...('process' in stop ? { process: stop.process } : {}) };
}

function fieldsOf(notice: Notice): Fields | undefined {
  switch (notice.type) {
    case 'start':
      return { event: 'start', process: notice.process, pid: notice.pid, pgid: notice.pid };
    case 'not-started':
      return { event: 'not-started', process: notice.process, reason: notice.reason };
    case 'signal':
      return { event: 'signal', process: notice.process, signal: notice.signal, to: notice.to, reason: notice.reason };
    case 'stage':
      return { event: 'stage', process: notice.process, stage: notice.stage, timeout_ms: milliseconds(notice.timeoutMs) };
    case 'exit':
      return {
        event: 'exit',
        process: notice.process,
        code: notice.end.kind === 'exit' ? notice.end.code : null,
        signal: notice.end.kind === 'signal' ? notice.end.signal : null,
      };
    case 'gone':
      return { event: 'gone', process: notice.process, stage: notice.stage ?? null, duration_ms: milliseconds(notice.durationMs) };
    case 'timed-out':
      return { event: 'timed-out', process: notice.process, after_ms: milliseconds(notice.afterMs) };
    case 'stopping':
      return { event: 'stopping', ...cause(notice.cause) };
    case 'escapee':
      return { event: 'escapee', process: notice.process, pid: notice.pid, command: notice.command, left: notice.left };
    case 'holder':
      return { event: 'holder', process: notice.process, pid: notice.pid ?? null, command: notice.command };
    case 'survivor':
      return { event: 'survivor', process: notice.process, pid: notice.pid, state: notice.state, command: notice.command };
    case 'warning':
      return { event: 'warning', ...(notice.process === undefined ? {} : { process: notice.process }), message: notice.message };
    case 'last-stage-over':
      return { event: 'warning', process: notice.process, message: 'its last stage is over; waiting on' };
    case 'done':
      return { event: 'done', status: notice.status };
    case 'hurried':
    case 'deadline':
    case 'leftovers':
    case 'paused':
    case 'resumed':
      return undefined;
  }
}
