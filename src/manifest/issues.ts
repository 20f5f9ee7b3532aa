// Turns valibot's issues into sentences at the right place. schema.ts says which values are valid.
import type { BaseIssue } from 'valibot';
import { didYouMean } from './nearest.ts';
import { dependencyHint } from './neighbours.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './shown.ts';
import { isBroken, keyOffset, nodeAt, valueOffset, type Node, type Path } from './yaml-nodes.ts';

type Issue = BaseIssue<unknown>;

/** Reports an issue, and returns the paths of the invalid values. `prefix` is the path of the checked value in the tree. */
export function explainIssue(issue: Issue, root: Node, problems: ProblemList, prefix: Path = []): Path[] {
  const path = [...prefix, ...(issue.path ?? []).map((item) => item.key as string | number)];

  // No option of the union fits. An issue inside the value shows which option the user meant.
  const inside = (issue.issues ?? []).filter(pointsInside);
  if (inside.length > 0) return inside.flatMap((inner) => explainIssue(inner, root, problems, path));

  const node = nodeAt(root, path);
  if (isBroken(node)) return [path];
  if (path.length === 0) {
    problems.error(valueOffset(root, path), `A manifest must be a map with \`processes\`, not ${describe(node)}.`, 'write `processes:`, and below it one `name: command` a line');
  } else if (node === undefined) {
    problems.error(valueOffset(root, path), `${quoted(String(path.at(-1)))} is missing${path.length === 1 ? ': a map of names to commands' : ''}.`);
  } else if (issue.path?.at(-1)?.origin === 'key') {
    problems.error(keyOffset(root, path), `${quoted(String(path.at(-1)))} must be ${issue.message}.`);
  } else {
    problems.error(valueOffset(root, path), `${subject(path)} must be ${issue.message}, not ${describe(node)}.`, () => (path.at(-2) === 'depends_on' ? dependencyHint(String(path.at(-1)), node) : undefined) ?? hintFor(issue, node));
  }
  return [path];
}

/** True for an issue at a part of the value. An option of a union may itself be a union. */
function pointsInside(issue: Issue): boolean {
  return issue.path !== undefined || (issue.issues ?? []).some(pointsInside);
}

function hintFor(issue: Issue, node: Node): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (issue.type === 'record' && /^[\w-]+:\S/.test(node.source)) return 'YAML needs a blank after the `:`';
  return didYouMean(node.source, expectedWords(issue)) ?? booleanHint(node.source, issue);
}

/** The words of a picklist. valibot lists them as `("stop" | "leave")`. */
function expectedWords(issue: Issue): string[] {
  return issue.type === 'picklist' ? [...(issue.expected ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '') : [];
}

/** Many users still write the booleans of YAML 1.1. */
function booleanHint(word: string, issue: Issue): string | undefined {
  if (issue.type !== 'boolean') return undefined;
  if (/^(?:yes|on|y|1)$/i.test(word)) return 'write `true`';
  return /^(?:no|off|n|0)$/i.test(word) ? 'write `false`' : undefined;
}

/** The beginning of a sentence about a value. */
export function subject(path: Path): string {
  const last = path.at(-1);
  if (typeof last !== 'number') return quoted(last ?? '');
  return `Item ${last + 1} of ${quoted(String(path.at(-2) ?? ''))}`;
}

/** The value that the user wrote, for the end of a sentence. */
export function describe(node: Node | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.source === '') return node.value === null ? 'nothing' : 'an empty text';
  return quoted(node.source);
}
