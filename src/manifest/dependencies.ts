// `depends_on`: what each process names, and that there is no circle. The order that follows from it is the supervisor's.
import type { Draft, ProcessDraft } from './draft.ts';
import { describe, subject } from './issues.ts';
import { didYouMean, nearest } from './nearest.ts';
import { quoted } from './problem.ts';
import { isBroken, nodeAt, type Path } from './yaml-nodes.ts';
import type { Dependency } from './types.ts';
import { unsupportedConditions } from './unsupported.ts';

interface Edge extends Dependency {
  readonly path: Path;
}

/** What each process depends on, by its name. Unknown names, oneself, and circles are told. */
export function resolveDependencies(draft: Draft, processes: readonly ProcessDraft[]): ReadonlyMap<string, readonly Dependency[]> {
  const names = new Set(processes.map((process) => process.name));
  const edges = new Map(processes.map((process) => [process.name, edgesOf(draft, process, names)]));
  tellCircles(draft, edges);
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
    if (!isStarted(condition)) tellCondition(draft, at, condition);
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

function tellCondition(draft: Draft, path: Path, condition: string): void {
  if (unsupportedConditions.includes(condition)) {
    draft.problems.error(draft.at(path), `The condition \`${condition}\` is not supported by this version of procrun.`, 'write `started`');
  } else {
    draft.problems.error(draft.at(path), `The condition must be \`started\`, not ${quoted(condition)}.`, () => hintForCondition(condition));
  }
}

/** What is meant may be planned only; then what works is named with it. */
function hintForCondition(condition: string): string | undefined {
  const meant = nearest(condition, ['started', ...unsupportedConditions]);
  return meant === undefined || meant === 'started' ? didYouMean(condition, ['started']) : `write \`started\`: \`${meant}\` is not supported by this version of procrun`;
}

/** Depth first, with a stack of its own: a chain may be as long as the file. Each circle is told once, where it closes. */
function tellCircles(draft: Draft, edges: ReadonlyMap<string, readonly Edge[]>): void {
  const done = new Set<string>();
  for (const start of edges.keys()) {
    if (done.has(start)) continue;
    const way: { name: string; next: number }[] = [{ name: start, next: 0 }];
    const onWay = new Map([[start, 0]]);
    for (let last = way.at(-1); last !== undefined; last = way.at(-1)) {
      const edge = edges.get(last.name)?.[last.next++];
      if (edge === undefined) {
        done.add(last.name);
        onWay.delete(last.name);
        way.pop();
        continue;
      }
      const closes = onWay.get(edge.name);
      if (closes !== undefined) {
        const circle = [...way.slice(closes).map((step) => step.name), edge.name];
        draft.problems.error(draft.keyAt(edge.path), `These processes depend on each other in a circle: ${showCircle(circle)}.`);
      } else if (!done.has(edge.name)) {
        onWay.set(edge.name, way.length);
        way.push({ name: edge.name, next: 0 });
      }
    }
  }
}

function showCircle(names: readonly string[]): string {
  const shown = names.length <= 12 ? names : [...names.slice(0, 6), '…', ...names.slice(-5)];
  return shown.join(' -> ');
}
