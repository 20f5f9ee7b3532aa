// Writes results into a Markdown file, each benchmark between its own two marks, and the plots beside it. The text around the
// marks is written by hand and stays.
import { readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** @param {readonly {name: string, text: string, plots?: Record<string, string>}[]} sections */
export function writeDocument(path, sections) {
  let document = readFileSync(path, 'utf8');
  const stem = basename(path, '.md');
  for (const { name, text, plots = {} } of sections) {
    const [begin, end] = [`<!-- measured: ${name} -->`, `<!-- end: ${name} -->`];
    const [from, to] = [document.indexOf(begin), document.indexOf(end)];
    if (from < 0 || to < from) throw new Error(`${path} has no place for ${name}: ${begin} … ${end}`);
    const pictures = Object.entries(plots).map(([plot, svg]) => {
      const file = `${stem}-${plot}.svg`;
      writeFileSync(join(dirname(path), file), svg);
      return `![${/<title>(.*)<\/title>/.exec(svg)?.[1]}](${file})\n`;
    });
    document = `${document.slice(0, from)}${begin}\n\n${[text, ...pictures].join('\n')}\n${document.slice(to)}`;
  }
  writeFileSync(path, document);
}
