// What procrun was given at its start and Node hides: ignored signals, the soft limit of open files, further descriptors. The
// launcher (bin/procrun.js) reads it before Node starts. Each command is given it again.
import { constants } from 'node:os';
import { signalNames } from '../manifest/signal-names.ts';
import type { SignalName } from '../manifest/types.ts';

export interface Inherited {
  /** Signals that were ignored (SIG_IGN). Node gives every signal its default action when it starts. */
  readonly ignored: readonly SignalName[];
  /** The soft limit of open files, as `ulimit -n` takes it. Undefined: Node has left it as it was. Otherwise Node raises it to the hard limit. */
  readonly openFiles: string | undefined;
  /** The descriptors above 2. Undefined: not known. Node marks some of them close-on-exec. */
  readonly descriptors: readonly number[] | undefined;
}

let current: Inherited = { ignored: [], openFiles: undefined, descriptors: undefined };

export function inherited(): Inherited {
  return current;
}

/** @param text the launcher's report; undefined when only Node was started. */
export function setInherited(text: string | undefined): void {
  current = parseInherited(text);
}

/**
 * `SIGNALS:LIMIT:DESCRIPTORS`, for instance `1:1024:3 4`. The signals are a bit mask (field 33 of /proc/PID/stat), or the output of
 * `trap`, where bash lists the ignored signals. An empty field: nothing to restore. `-` as descriptors: not known.
 */
export function parseInherited(text: string | undefined): Inherited {
  const [, signals = '', limit = '', descriptors = '-'] = /^([^:]*):(\d*|unlimited):([\d ]*|-)$/.exec(text ?? '') ?? [];
  return {
    ignored: /^\d*$/.test(signals) ? fromMask(Number(signals)) : fromTraps(signals),
    openFiles: limit === '' ? undefined : limit,
    descriptors: descriptors === '-' ? undefined : (descriptors.match(/\d+/g) ?? []).map(Number),
  };
}

/** One name for each number: `SIGIOT` is `SIGABRT`. */
const nameOf = new Map<number, SignalName>();
for (const name of signalNames) if (!nameOf.has(constants.signals[name])) nameOf.set(constants.signals[name], name);

function fromMask(mask: number): SignalName[] {
  return [...nameOf].filter(([number]) => number < 32 && ((mask >>> (number - 1)) & 1) === 1).map(([, name]) => name);
}

function fromTraps(text: string): SignalName[] {
  const listed = new Set([...text.matchAll(/^trap -- '' (?:SIG)?(\w+)$/gm)].map(([, name]) => `SIG${name}`));
  return [...nameOf.values()].filter((name) => listed.has(name));
}
