// Draws the pictures in docs/: `node scripts/picture.mjs`. docs/run.svg is a recording: the script runs procfile.example.yml on a
// pseudo-terminal (Python 3) and types Ctrl+C. docs/timeline.svg, the staged stop, is drawn from the numbers below.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

// Both pictures are dark cards, readable on light and dark pages.
const look = { card: '#161b22', edge: '#3d444d', text: '#e6edf3', dim: '#8b949e', font: 'ui-monospace, SFMono-Regular, Menlo, Consolas, monospace' };
const colors = {
  30: '#6e7681', 31: '#ff7b72', 32: '#3fb950', 33: '#d29922', 34: '#58a6ff', 35: '#bc8cff', 36: '#39c5cf', 37: look.text,
  90: '#8b949e', 91: '#ffa198', 92: '#56d364', 93: '#e3b341', 94: '#79c0ff', 95: '#f0a6e8', 96: '#56d4dd', 97: '#ffffff',
};

const columns = 88;
const rows = 60;

// ---- The run -------------------------------------------------------------------------------------------------------------

/** The terminal output in chunks, each with its time in ms since the first chunk. Types Ctrl+C during the second job. */
async function recordRun() {
  const folder = mkdtempSync(join(tmpdir(), 'procrun-picture-'));
  const terminal = spawn('python3', ['test/support/pty.py'], { cwd: root, stdio: ['pipe', 'pipe', 'inherit'] });
  const sendCommand = (value) => terminal.stdin.write(`${JSON.stringify(value)}\n`);
  sendCommand({
    argv: [process.execPath, 'bin/procrun.js', '-f', 'procfile.example.yml', 'up'],
    env: { PATH: process.env.PATH, TERM: 'xterm-256color', PROCRUN_RUNTIME_DIR: folder },
    cwd: root,
    rows,
    columns,
    job_control: false,
    pipes: [],
  });
  const chunks = [];
  let startedAt;
  let typed = false;
  let unread = '';
  for await (const data of terminal.stdout) {
    const lines = (unread + data).split('\n');
    unread = lines.pop() ?? '';
    for (const line of lines) {
      const { out } = JSON.parse(line);
      if (out === undefined) continue;
      const text = Buffer.from(out, 'base64').toString();
      startedAt ??= performance.now();
      chunks.push({ at: performance.now() - startedAt, text });
      if (!typed && text.includes('job 2 begun')) {
        typed = true;
        setTimeout(() => sendCommand({ type: Buffer.from('\x03').toString('base64') }), 400);
      }
    }
  }
  rmSync(folder, { recursive: true, force: true });
  if (!typed) throw new Error('the example did not come to its second job');
  return chunks;
}

/**
 * Replays the chunks on a screen. Each row gets its versions: the text and the time span in which it was visible. Handles only
 * the terminal controls that procrun uses: carriage return, newline, "clear to the end of the line" and colours.
 */
function replay(chunks) {
  /**
   * @typedef {{ character: string, style: Record<string, unknown> }} Cell
   * @typedef {{ key: string, cells: Cell[], from: number, until: number | undefined }} Version
   * @type {{ cells: Cell[], versions: Version[] }[]}
   */
  const screen = Array.from({ length: rows }, () => ({ cells: [], versions: [] }));
  let [row, column, style] = [0, 0, {}];
  for (const { at, text } of chunks) {
    for (const [, command, end, character] of text.matchAll(/\x1b\[([\d;]*)([A-Za-z])|([^])/gu)) {
      if (end === 'm') style = paint(style, command);
      else if (end === 'K') screen[row].cells.length = Math.min(screen[row].cells.length, column);
      else if (character === '\r') column = 0;
      else if (character === '\n') row += 1;
      else if (character !== undefined) screen[row].cells[column++] = { character, style };
      if (row === rows) throw new Error('more lines than the picture has');
    }
    for (const { cells, versions } of screen) {
      const now = JSON.stringify(cells);
      const last = versions.at(-1);
      if (now === (last?.key ?? '[]')) continue;
      if (last) last.until = at;
      // A text shown for less than 60 ms is too short to see, so drop it.
      if (last && at - last.from < 60) versions.pop();
      versions.push({ key: now, cells: [...cells], from: at, until: undefined });
    }
  }
  return screen.filter(({ versions }) => versions.length > 0);
}

function paint(style, command) {
  const next = { ...style };
  for (const code of (command || '0').split(';').map(Number)) {
    if (code === 0) return {};
    else if (code === 1) next.bold = true;
    else if (code === 2) next.dim = true;
    else if (code === 22) next.bold = next.dim = false;
    else if (code === 39) next.color = undefined;
    else if (colors[code]) next.color = colors[code];
  }
  return next;
}

function spans(cells) {
  const runs = [];
  for (const { character, style } of cells) {
    const fill = style.color ?? (style.dim ? look.dim : look.text);
    const attributes = `fill="${fill}"${style.bold ? ' font-weight="bold"' : ''}`;
    const last = runs.at(-1);
    if (last?.attributes === attributes) last.text += character;
    else runs.push({ attributes, text: character });
  }
  return runs.map(({ attributes, text }) => `<tspan ${attributes}>${keepSpaces(text)}</tspan>`).join('');
}

/** SVG collapses a sequence of spaces into one, so use no-break spaces. */
function keepSpaces(text) {
  return escape(text).replaceAll(' ', '\u00a0');
}

function drawRun(screen) {
  const [size, step, left, top] = [13, 18, 16, 58];
  const width = Math.ceil(columns * size * 0.602) + 2 * left;
  const kept = screen.filter(({ versions }) => (versions.at(-1)?.cells.length ?? 0) > 0);
  const height = top + kept.length * step + 4;
  const seconds = (ms) => (ms / 1000 + 0.3).toFixed(2);
  const lines = screen.flatMap(({ versions }, index) =>
    versions.flatMap(({ cells, from, until }) => {
      if (cells.length === 0) return [];
      const when = until === undefined ? `class="stays" style="animation-delay:${seconds(from)}s"` : `class="passes" opacity="0" style="animation-delay:${seconds(from)}s;animation-duration:${((until - from) / 1000).toFixed(2)}s"`;
      return `<text x="${left}" y="${top + index * step}" ${when}>${spans(cells)}</text>`;
    }),
  );
  const dots = ['#ff5f57', '#febc2e', '#28c840'].map((fill, index) => `<circle cx="${22 + index * 20}" cy="20" r="6" fill="${fill}"/>`).join('');
  return svg(width, height, 'A run of procfile.example.yml and its stop by Ctrl+C', `<style>
.stays{animation:appear 1ms backwards}
.passes{animation:pass 1ms}
@keyframes appear{from{opacity:0}}
@keyframes pass{from,to{opacity:1}}
@media (prefers-reduced-motion:reduce){.stays,.passes{animation:none}}
</style>
${dots}
<text x="${width / 2}" y="25" text-anchor="middle" fill="${look.dim}">procrun -f procfile.example.yml up</text>
${lines.join('\n')}`);
}

// ---- The timeline --------------------------------------------------------------------------------------------------------

/** Each stage: its name, start and planned end. `gone`: the time when the whole tree was gone. `more`: further Ctrl+C. All in seconds. */
const kill = (from) => ['SIGKILL', from, from + 1.35];
const lanes = [
  { name: 'web', note: 'signals: { SIGINT: forward }', gone: 0.9, stages: [['SIGINT', 0, 5], ['SIGTERM', 5, 13], kill(13)] },
  { name: 'db', note: 'web depends on it', gone: 1.7, stages: [['waits', 0, 0.9], ['SIGTERM', 0.9, 8.9], kill(8.9)] },
  { name: 'worker', note: 'stop_flag: file', gone: 2.6, stages: [['flag', 0, 4], ['SIGTERM', 4, 8], kill(8)] },
  { name: 'deaf', note: 'stop: [SIGINT: 3s, SIGTERM: 3s]', gone: 6.15, stages: [['SIGINT', 0, 3], ['SIGTERM', 3, 6], kill(6)] },
  { name: 'deaf', note: 'the same, Ctrl+C two times more', gone: 2.75, more: [1.3, 2.6], stages: [['SIGINT', 0, 1.3], ['SIGTERM', 1.3, 2.6], kill(2.6)] },
];
const stageColors = { flag: '#3fb950', SIGINT: '#d29922', SIGTERM: '#db6d28', SIGKILL: '#f85149', waits: '#6e7681' };

function drawTimeline() {
  const [left, scale, last, top, step] = [250, 55, 9.4, 66, 54];
  const width = left + last * scale + 24;
  const x = (second) => left + Math.min(second, last) * scale;
  const bottom = top + lanes.length * step - 14;
  const parts = [];
  for (let second = 0; second <= 9; second += 1) {
    parts.push(`<path d="M${x(second)} ${top - 12}V${bottom}" stroke="${look.edge}" stroke-dasharray="2 4"/>`);
    parts.push(`<text x="${x(second)}" y="${bottom + 18}" text-anchor="middle" fill="${look.dim}">${second} s</text>`);
  }
  parts.push(`<text x="${x(0)}" y="30" text-anchor="middle" fill="${look.text}" font-weight="bold">Ctrl+C</text>`);
  parts.push(`<path d="M${x(0)} 37V${bottom}" stroke="${look.text}" stroke-width="2"/>`);
  lanes.forEach(({ name, note, gone, more = [], stages }, index) => {
    const y = top + index * step;
    parts.push(`<text x="20" y="${y + 12}" fill="${look.text}" font-weight="bold">${name}</text><text x="20" y="${y + 29}" fill="${look.dim}" font-size="11">${escape(note)}</text>`);
    for (const [stage, from, until] of stages) {
      const color = stageColors[stage];
      const end = Math.min(until, last);
      if (from >= last) continue;
      // The outline is the planned time, the filled part the used time.
      parts.push(`<rect x="${x(from)}" y="${y}" width="${x(end) - x(from)}" height="26" fill="none" stroke="${color}" stroke-opacity=".45" stroke-dasharray="3 3"/>`);
      const filled = Math.min(gone, end);
      if (filled > from) parts.push(`<rect x="${x(from)}" y="${y}" width="${x(filled) - x(from)}" height="26" fill="${color}" fill-opacity=".55"/>`);
      const endsHere = gone > from && gone < end;
      const label = endsHere && x(gone) - x(from) < 62 ? x(gone) + 11 : x(from) + 6;
      if (label + stage.length * 7.3 < x(end)) parts.push(`<text x="${label}" y="${y + 18}" fill="${look.text}">${stage}</text>`);
    }
    for (const second of more) parts.push(`<path d="M${x(second)} ${y - 9}V${y + 30}" stroke="${look.text}" stroke-width="2"/>`);
    parts.push(`<circle cx="${x(gone)}" cy="${y + 13}" r="5.5" fill="${look.card}" stroke="${look.text}" stroke-width="2"/>`);
  });
  const key = bottom + 46;
  parts.push(`<rect x="20" y="${key - 11}" width="26" height="14" fill="${stageColors.SIGTERM}" fill-opacity=".55"/><text x="54" y="${key}" fill="${look.dim}">a stage, as long as it lasted</text>`);
  parts.push(`<rect x="290" y="${key - 11}" width="26" height="14" fill="none" stroke="${stageColors.SIGTERM}" stroke-dasharray="3 3"/><text x="324" y="${key}" fill="${look.dim}">what was not needed</text>`);
  parts.push(`<circle cx="522" cy="${key - 4}" r="5.5" fill="${look.card}" stroke="${look.text}" stroke-width="2"/><text x="536" y="${key}" fill="${look.dim}">gone: nothing of it is alive</text>`);
  return svg(width, key + 20, 'What each process is told, and when, after Ctrl+C', parts.join('\n'), 12);
}

// ---- Both ----------------------------------------------------------------------------------------------------------------

function svg(width, height, title, inside, size = 13) {
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" role="img" font-family="${look.font}" font-size="${size}">
<title>${escape(title)}</title>
<rect x=".5" y=".5" width="${width - 1}" height="${height - 1}" rx="9" fill="${look.card}" stroke="${look.edge}"/>
${inside}
</svg>
`;
}

function escape(text) {
  return text.replace(/[&<>]/g, (character) => ({ '&': '&amp;', '<': '&lt;', '>': '&gt;' })[character]);
}

writeFileSync(join(root, 'docs/timeline.svg'), drawTimeline());
writeFileSync(join(root, 'docs/run.svg'), drawRun(replay(await recordRun())));
