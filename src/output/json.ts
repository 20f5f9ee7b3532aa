// The output form for programs: one JSON object a line on stdout. Users rely on the names in it.
import { StringDecoder } from 'node:string_decoder';
import { joined, jsonText, processOutput, shown } from '../manifest/shown.ts';
import type { LineListener } from './lines.ts';
import type { Notice, StopCause } from './notices.ts';
import type { Printer, StreamName } from './printer.ts';
import type { Sink } from './sink.ts';

type Fields = Readonly<Record<string, unknown>>;

export class JsonPrinter implements Printer {
  readonly #out: Sink;

  constructor(out: Sink) {
    this.#out = out;
  }

  listener(process: string, stream: StreamName): LineListener {
    return new JsonLines(this.#out, process, stream);
  }

  mustWait(): boolean {
    return this.#out.full;
  }

  listen(): void {
    // `mustWait` depends on the sink only: a piece of an enormous line is an object of its own, so lines never block each other.
  }

  lineTyped(): void {
    // A terminal's echo does not change the JSON.
  }

  notice(notice: Notice): void {
    const fields = fieldsOf(notice);
    if (fields) this.#out.write(joined([jsonText({ time: new Date().toISOString(), ...fields }), shown`\n`]));
  }

  progress(): void {
    // Each stage has an event of its own.
  }
}

const pieceBytes = 128 * 1024;

class JsonLines implements LineListener {
  readonly partAfterMs = undefined;
  readonly isBehind = false;
  readonly #out: Sink;
  readonly #origin: string;
  /** Keeps the first bytes of a character that a piece has cut. Defined while a line is printed in pieces. */
  #decoder: StringDecoder | undefined;

  constructor(out: Sink, process: string, stream: StreamName) {
    this.#out = out;
    this.#origin = `"event":"output","process":${JSON.stringify(process)},"stream":"${stream}"`;
  }

  get isStreaming(): boolean {
    return this.#decoder !== undefined;
  }

  onLines(lines: Buffer): void {
    // Decode the newline too: it ends a character that was cut off, so the decoder keeps no bytes.
    const text = this.#text(lines);
    this.#decoder = undefined;
    this.#print(text.slice(0, -1).split('\n'), '}');
  }

  onPart(part: Buffer): void {
    this.#decoder ??= new StringDecoder('utf8');
    // Small pieces keep memory low: a part exists as bytes, as a string, as JSON and in the sink's buffer.
    for (let at = 0; at < part.length; at += pieceBytes) this.#print([this.#text(part.subarray(at, at + pieceBytes))], ',"part":true}');
  }

  onEnd(rest: Buffer): void {
    const text = this.#text(rest) + (this.#decoder?.end() ?? '');
    if (text !== '') this.#print([text], '}');
  }

  #text(bytes: Buffer): string {
    return this.#decoder ? this.#decoder.write(bytes) : bytes.toString();
  }

  #print(lines: readonly string[], ending: string): void {
    const head = `{"time":"${new Date().toISOString()}",${this.#origin},"line":`;
    let text = '';
    for (const line of lines) text += `${head}${JSON.stringify(line)}${ending}\n`;
    this.#out.write(processOutput(text));
  }
}

/** JSON has no Infinity: null stands for no limit. */
function milliseconds(value: number): number | null {
  return Number.isFinite(value) ? Math.round(value) : null;
}

function causeFields(stop: StopCause): Fields {
  return stop.kind === 'signal' ? { cause: stop.signal } : { cause: stop.kind, ...('process' in stop ? { process: stop.process } : {}), ...('reason' in stop ? { reason: stop.reason } : {}) };
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
      return { event: 'stopping', ...causeFields(notice.cause) };
    case 'escapee':
      return { event: 'escapee', process: notice.process, pid: notice.pid, command: notice.command, left: notice.left };
    case 'holder':
      return { event: 'holder', process: notice.process, pid: notice.pid ?? null, command: notice.command };
    case 'survivor':
      return { event: 'survivor', process: notice.process, pid: notice.pid, state: notice.state, command: notice.command, ...(notice.deniedUser === undefined ? {} : { user: notice.deniedUser }) };
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
