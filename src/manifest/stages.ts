// Turns the `stop` key into a complete list of stages. The supervisor executes them.
import { defaultFlagMs, defaultShell, defaultStageMs, defaultStop, isKill, killStage } from './defaults.ts';
import type { Draft, ProcessDraft } from './draft.ts';
import { parseDuration } from './durations.ts';
import { describe } from './issues.ts';
import { didYouMean } from './nearest.ts';
import { quoted } from './shown.ts';
import type { CommandInput } from './schema.ts';
import { nearestSignal, parseSignal } from './signal-names.ts';
import { commandMistake } from './text-sizes.ts';
import { isBroken, nodeAt, type MapNode, type Path } from './yaml-nodes.ts';
import type { CommandSpec, Milliseconds, Stage } from './types.ts';

/** Adds missing stages: a `flag` stage first if there is a stop flag, SIGKILL last unless `final_kill` is false. Reports mistakes. */
export function resolveStages(draft: Draft, process: ProcessDraft): Stage[] {
  const flag = process.get('stop_flag');
  const finalKill = process.get('final_kill') ?? true;
  const given = process.get('stop');
  if (given === undefined) return finalKill ? [...defaultStop(flag), killStage] : defaultStop(flag);

  const path = process.path('stop');
  const stages: Stage[] = [];
  let hasKill = false;
  for (const index of given.keys()) {
    const at = [...path, index];
    const stage = readStage(draft, process, at);
    if (stage === undefined) continue;
    if (hasKill) draft.problems.error(draft.at(at), 'No stage can follow SIGKILL.', 'SIGKILL comes last');
    if (stage.kind === 'flag' && flag === undefined) {
      draft.problems.error(draft.at(at), `A \`flag\` stage needs a \`stop_flag\`, which ${quoted(process.name)} does not have.`);
    }
    if (isKill(stage)) {
      hasKill = true;
      if (!finalKill) draft.problems.error(draft.at(at), 'SIGKILL is a stage here, and `final_kill: false` says that there is none.');
    }
    stages.push(stage);
  }
  if (flag !== undefined && !stages.some((stage) => stage.kind === 'flag')) stages.unshift({ kind: 'flag', timeoutMs: defaultFlagMs });
  if (finalKill && !hasKill) stages.push(killStage);
  if (stages.length === 0 && given.length === 0) draft.problems.error(draft.at(path), '`stop` has no stage, and `final_kill: false` adds none.');
  return stages;
}

function readStage(draft: Draft, process: ProcessDraft, path: Path): Stage | undefined {
  const node = nodeAt(draft.root, path);
  if (node?.kind === 'scalar' && typeof node.value === 'string') {
    if (node.value !== 'run') return namedStage(draft, node.offset, node.value, defaultStageMs);
    draft.problems.error(node.offset, 'A `run` stage needs a command.', 'write `run: COMMAND`');
    return undefined;
  }
  if (isBroken(node)) return undefined;
  if (node?.kind !== 'map') {
    draft.problems.error(draft.at(path), `A stage must be a signal name, \`flag\`, or one of \`{SIGTERM: 5s}\`, \`{flag: 5s}\` and \`{run: COMMAND}\`, not ${describe(node)}.`);
    return undefined;
  }
  const [action, ...others] = node.entries.keys();
  const second = others[0];
  if (action === undefined) {
    draft.problems.error(draft.at(path), 'A stage names one action, such as `SIGTERM: 5s`.');
    return undefined;
  }
  if (second !== undefined) {
    draft.problems.error(draft.keyAt([...path, second]), 'A stage has one action; this is a second one.', 'begin a new stage with `- `');
    return undefined;
  }
  const inside = [...path, action];
  if (action === 'run') return runStage(draft, process, inside);
  const timeoutMs = readTimeout(draft, inside, action);
  return namedStage(draft, draft.keyAt(inside), action, timeoutMs);
}

function namedStage(draft: Draft, offset: number, word: string, timeoutMs: Milliseconds): Stage | undefined {
  if (word === 'flag') return { kind: 'flag', timeoutMs };
  const signal = parseSignal(word);
  // Signal numbers are for the command line only: in a file `9: 5s` would be unreadable.
  if (signal !== undefined && !/^\d/.test(word)) return { kind: 'signal', signal, timeoutMs };
  draft.problems.error(offset, `${quoted(word)} is neither a signal nor \`flag\` or \`run\`.`, () => {
    const found = nearestSignal(word, ['flag', 'run']);
    return found && `did you mean \`${found}\`?`;
  });
  return undefined;
}

function readTimeout(draft: Draft, path: Path, key: string): Milliseconds {
  const node = nodeAt(draft.root, path);
  const scalar = node?.kind === 'scalar' ? node.value : undefined;
  const ms = typeof scalar === 'string' || typeof scalar === 'number' ? parseDuration(scalar) : undefined;
  if (ms === undefined) {
    draft.problems.error(draft.at(path), `The time of ${quoted(key)} must be a duration such as \`250ms\`, \`5s\`, \`1.5m\`, \`1h\` or \`forever\`, not ${describe(node)}.`);
  }
  return ms ?? defaultStageMs;
}

/** `run: COMMAND`, or `run: {command: COMMAND, timeout: 20s}`. */
function runStage(draft: Draft, process: ProcessDraft, path: Path): Stage | undefined {
  const node = nodeAt(draft.root, path);
  if (node?.kind !== 'map') return buildRunStage(draft, process, path, defaultStageMs);
  for (const [key, { keyOffset }] of node.entries) {
    if (!runKeys.includes(key)) draft.problems.error(keyOffset, `${quoted(key)} is not a key of a \`run\` stage.`, () => didYouMean(key, runKeys));
  }
  if (!node.entries.has('command')) {
    draft.problems.error(draft.keyAt(path), 'A `run` stage needs a `command`.');
    return undefined;
  }
  return buildRunStage(draft, process, [...path, 'command'], timeoutOfRun(draft, node, path));
}
const runKeys = ['command', 'timeout'];

function timeoutOfRun(draft: Draft, node: MapNode, path: Path): Milliseconds {
  return node.entries.has('timeout') ? readTimeout(draft, [...path, 'timeout'], 'run') : defaultStageMs;
}

function buildRunStage(draft: Draft, process: ProcessDraft, path: Path, timeoutMs: Milliseconds): Stage | undefined {
  const node = nodeAt(draft.root, path);
  const words = node?.kind === 'list' ? node.items.map((item) => (item.kind === 'scalar' ? item.source : undefined)) : undefined;
  const input = node?.kind === 'scalar' && node.value !== null ? node.source : words;
  if (input === undefined || input.length === 0 || (typeof input !== 'string' && input.includes(undefined))) {
    draft.problems.error(draft.at(path), `The command of a \`run\` stage must be text or a list of words, not ${describe(node)}.`);
    return undefined;
  }
  return { kind: 'run', command: withCheckedSize(draft, path, toCommand(input as CommandInput, process.get('shell'))), timeoutMs };
}

/** The same command. Reports a text in it that is too long for the system. */
export function withCheckedSize(draft: Draft, path: Path, command: CommandSpec): CommandSpec {
  const mistake = commandMistake(command);
  if (mistake !== undefined) draft.problems.error(draft.at(mistake.index === undefined ? path : [...path, mistake.index]), mistake.message, mistake.hint);
  return command;
}

/** The shell runs a text. A list becomes the argument vector, each element as written. */
export function toCommand(input: CommandInput, shell = defaultShell): CommandSpec {
  if (typeof input === 'string') return { kind: 'shell', text: input, shell };
  const [file = '', ...rest] = input.map(String);
  return { kind: 'exec', argv: [file, ...rest] };
}
