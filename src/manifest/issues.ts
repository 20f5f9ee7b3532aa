// Turns what valibot found into sentences at the right place. Which values are right is the schema's to say.
import type { BaseIssue } from 'valibot';
import { didYouMean } from './nearest.ts';
import type { ProblemList } from './problem-list.ts';
import { quoted } from './problem.ts';
import { isBroken, keyOffset, nodeAt, valueOffset, type Node, type Path } from './yaml-nodes.ts';

type Issue = BaseIssue<unknown>;

/** Tells an issue, and returns the paths of the values that are wrong. `prefix` is where the checked value stands in the tree. */
export function explainIssue(issue: Issue, root: Node, problems: ProblemList, prefix: Path = []): Path[] {
  const path = [...prefix, ...(issue.path ?? []).map((item) => item.key as string | number)];

  // None of a union's shapes fitted. If one got as far as looking inside, that is the one that was meant.
  const inside = (issue.issues ?? []).filter(looksInside);
  if (inside.length > 0) return inside.flatMap((inner) => explainIssue(inner, root, problems, path));

  const node = nodeAt(root, path);
  if (isBroken(node)) return [path];
  if (path.length === 0) {
    problems.error(valueOffset(root, path), `A manifest must be a map with \`processes\`, not ${describe(node)}.`, 'write `processes:`, and below it one `name: command` a line');
  } else if (node === undefined) {
    problems.error(valueOffset(root, path), `${quoted(String(path.at(-1)))} is missing: a map of names to commands.`);
  } else if (issue.path?.at(-1)?.origin === 'key') {
    problems.error(keyOffset(root, path), `${quoted(String(path.at(-1)))} must be ${issue.message}.`);
  } else {
    problems.error(valueOffset(root, path), `${subject(path)} must be ${issue.message}, not ${describe(node)}.`, () => hintFor(issue, node));
  }
  return [path];
}

/** A union may be one of the shapes of a union. */
function looksInside(issue: Issue): boolean {
  return issue.path !== undefined || (issue.issues ?? []).some(looksInside);
}

function hintFor(issue: Issue, node: Node): string | undefined {
  if (node.kind !== 'scalar') return undefined;
  if (issue.type === 'record' && /^[\w-]+:\S/.test(node.source)) return 'YAML needs a blank after the `:`';
  return didYouMean(node.source, expectedWords(issue)) ?? oldBoolean(node.source, issue);
}

/** The words of a picklist, which valibot gives as `("stop" | "leave")`. */
function expectedWords(issue: Issue): string[] {
  return issue.type === 'picklist' ? [...(issue.expected ?? '').matchAll(/"([^"]+)"/g)].map((match) => match[1] ?? '') : [];
}

/** What YAML 1.1 took for a boolean, and many still write. */
function oldBoolean(word: string, issue: Issue): string | undefined {
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

/** What the user wrote, for the end of a sentence. */
export function describe(node: Node | undefined): string {
  if (node === undefined) return 'nothing';
  if (node.kind === 'list') return node.items.length === 0 ? 'an empty list' : 'a list';
  if (node.kind === 'map') return 'a map';
  if (node.source === '') return node.value === null ? 'nothing' : 'an empty text';
  return quoted(node.source);
}
