// Reads and checks `depends_on`, and finds cycles. The supervisor derives the order of starts and stops.
import type { Draft, ProcessDraft } from './draft.ts';
import { describe, subject } from './issues.ts';
import { didYouMean, nearest } from './nearest.ts';
import { dependencyHint } from './neighbours.ts';
import { quoted } from './shown.ts';
import { isBroken, nodeAt, type Path } from './yaml-nodes.ts';
import type { Dependency } from './types.ts';
import { unsupportedConditions } from './unsupported.ts';

interface Edge extends Dependency {
  readonly path: Path;
}

/** The dependencies of each process, by its name. Reports unknown names, self-dependencies and cycles. */
export function resolveDependencies(draft: Draft, processes: readonly ProcessDraft[]): ReadonlyMap<string, readonly Dependency[]> {
  const names = new Set(processes.map((process) => process.name));
  const edges = new Map(processes.map((process) => [process.name, edgesOf(draft, process, names)]));
  reportCycles(draft, edges);
  return new Map([...edges].map(([name, list]) => [name, list.map(({ name: to, condition }) => ({ name: to, condition }))]));
}

function edgesOf(draft: Draft, process: ProcessDraft, names: ReadonlySet<string>): Edge[] {
  const given = process.get('depends_on') ?? [];
  const path = process.path('depends_on');
  const named = Array.isArray(given)
    ? given.map((name: unknown, index) => ({ name, condition: 'started', at: [...path, index] }))
    : Object.entries(given).map(([name, condition]) => ({ name, condition, at: [...path, name] }));
  const edges = new Map<string, Edge>();
  for (const { name, condition, at } of named) {
    const offset = draft.keyAt(at);
    if (!isStarted(condition)) reportCondition(draft, at, condition);
    if (typeof name !== 'string') {
      const node = nodeAt(draft.root, at);
      if (!isBroken(node)) draft.problems.error(offset, `${subject(at)} must be the name of a process, not ${describe(node)}.`);
      continue;
    }
    if (name === process.name) draft.problems.error(offset, `${quoted(name)} cannot depend on itself.`);
    else if (!names.has(name)) draft.problems.error(offset, `There is no process ${quoted(name)} to depend on.`, () => didYouMean(name, names));
    else edges.set(name, { name, condition: 'started', path: at });
  }
  return [...edges.values()];
}

function isStarted(condition: string): condition is 'started' {
  return condition === 'started';
}

function reportCondition(draft: Draft, path: Path, condition: string): void {
  if (unsupportedConditions.includes(condition)) {
    draft.problems.error(draft.at(path), `The condition \`${condition}\` is not supported by this version of procrun.`, 'write `started`');
  } else {
    const node = nodeAt(draft.root, path);
    draft.problems.error(draft.at(path), `The condition must be \`started\`, not ${quoted(condition)}.`, () => (node && dependencyHint(String(path.at(-1)), node)) ?? hintForCondition(condition));
  }
}

/** The nearest condition may be one that is planned only. Then the hint also names the condition that works. */
function hintForCondition(condition: string): string | undefined {
  const meant = nearest(condition, ['started', ...unsupportedConditions]);
  return meant === undefined || meant === 'started' ? didYouMean(condition, ['started']) : `write \`started\`: \`${meant}\` is not supported by this version of procrun`;
}

/**
 * Searches depth first. The explicit stack avoids a recursion as deep as the file is long. Each cycle is reported once, at the edge
 * that closes it.
 */
function reportCycles(draft: Draft, edges: ReadonlyMap<string, readonly Edge[]>): void {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    if (done.has(start)) continue;
    const stack: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const stackIndexes = new Map([[start, 0]]);
    for (let last = stack.at(-1); last !== undefined; last = stack.at(-1)) {
      const edge = edges.get(last.name)?.[last.next++];
      if (edge === undefined) {
        done.add(last.name);
        stackIndexes.delete(last.name);
        stack.pop();
        continue;
      }
      const cycleStart = stackIndexes.get(edge.name);
      if (cycleStart !== undefined) {
        const cycle = [...stack.slice(cycleStart).map((step) => step.name), edge.name];
        draft.problems.error(draft.keyAt(edge.path), `These processes depend on each other in a circle: ${showCycle(cycle)}.`);
      } else if (!done.has(edge.name)) {
        stackIndexes.set(edge.name, stack.length);
        stack.push({ name: edge.name, next: 0 });
      }
    }
  }
}

function showCycle(names: readonly string[]): string {
  const shown = names.length <= 12 ? names : [...names.slice(0, 6), '…', ...names.slice(-5)];
  return shown.join(' -> ');
}
