// Draws results as SVG: a bar per contender, or a growth line per contender. The colours follow the page's light or dark scheme.
import { median } from './statistics.mjs';

const width = 760;
const font = 'system-ui, -apple-system, Segoe UI, Helvetica, Arial, sans-serif';
/** Readable on white and on black. The first colour is procrun's. */
const palette = ['#e5534b', '#4f8fe0', '#3c9d50', '#b5811d', '#986ee2', '#1f9bb0', '#d0619f', '#84785f', '#7a8490'];
const own = 'procrun';
const style = `<style>
  text { font: 13px ${font}; fill: #1f2328 } .dim { fill: #656d76 } .title { font-weight: 600 } .own { font-weight: 600 }
  .bar { fill: #9aa4b0 } .bar.own { fill: ${palette[0]} } .grid { stroke: #d1d9e0 } path, polyline { fill: none }
  @media (prefers-color-scheme: dark) { text { fill: #e6edf3 } .dim { fill: #9198a1 } .bar { fill: #6e7681 } .bar.own { fill: ${palette[0]} } .grid { stroke: #3d444d } }
</style>`;

function picture(height, title, parts) {
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">
<title>${escape(title)}</title>
${style}
<text class="title" x="16" y="26">${escape(title)}</text>
${parts.join('\n')}
</svg>
`;
}

function escape(text) {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;');
}

/** Adds a class to procrun's elements, so that they stand out. */
function classOf(name, ...others) {
  return [...others, ...(name === own ? ['own'] : [])].join(' ');
}

/** The powers of ten around the range from `least` to `most`. */
function marksBetween(least, most) {
  const first = Math.floor(Math.log10(least));
  const last = Math.ceil(Math.log10(most));
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function short(value) {
  return value >= 1 ? value.toLocaleString('en', { maximumFractionDigits: 0 }) : String(Number(value.toPrecision(1)));
}

/** @param {{title: string, samples: Record<string, number[]>, digits: number}} chart the shortest bar comes first */
export function barsOf({ title, samples, digits }) {
  const [left, right, top, step] = [130, 80, 48, 26];
  const rows = Object.entries(samples).map(([name, each]) => ({ name, value: median(each) })).sort((a, b) => a.value - b.value);
  const least = Math.min(...rows.map(({ value }) => value));
  const most = Math.max(...rows.map(({ value }) => value));
  // With very different values the short bars would look alike: use a logarithmic scale, and say so in the title.
  const isWide = least > 0 && most / least > 30;
  const start = least / 2;
  const length = (value) => (width - left - right) * (isWide ? Math.log(value / start) / Math.log(most / start) : Math.max(value, 0) / most);
  const parts = rows.map(({ name, value }, index) => {
    const y = top + index * step;
    return [
      `<text class="${classOf(name)}" x="${left - 10}" y="${y + 14}" text-anchor="end">${escape(name)}</text>`,
      `<rect class="${classOf(name, 'bar')}" x="${left}" y="${y}" width="${length(value).toFixed(1)}" height="18" rx="2"/>`,
      `<text class="${classOf(name)}" x="${(left + length(value) + 8).toFixed(1)}" y="${y + 14}">${value.toFixed(digits)}</text>`,
    ].join('');
  });
  return picture(top + rows.length * step + 12, isWide ? `${title}; lengths are logarithmic` : title, parts);
}

/** @param {{title: string, samples: Record<string, Record<string, number[]>>}} chart samples by amount of work, then by contender. Both axes are logarithmic */
export function growthOf({ title, samples }) {
  const [left, right, top, bottom, height] = [64, 150, 48, 40, 380];
  const amounts = Object.keys(samples).map(Number);
  const names = [...new Set(Object.values(samples).flatMap((each) => Object.keys(each)))].sort((a, b) => Number(b === own) - Number(a === own));
  const pointsOf = (name) => amounts.flatMap((amount) => (samples[amount][name] ? [{ amount, value: Math.max(median(samples[amount][name]), 1e-3) }] : []));
  // A line needs at least two points.
  const growing = names.map((name) => ({ name, points: pointsOf(name) })).filter(({ points }) => points.length > 1);
  const series = growing.map((each, index) => ({ ...each, color: palette[index % palette.length] }));
  const values = series.flatMap(({ points }) => points.map(({ value }) => value));
  const marks = marksBetween(Math.min(...values), Math.max(...values));
  const along = (value, least, most) => Math.log(value / least) / Math.log(most / least);
  const x = (amount) => left + (width - left - right) * along(amount, amounts[0], amounts.at(-1));
  const y = (value) => height - bottom - (height - top - bottom) * along(value, marks[0], marks.at(-1));
  const grid = marks.map((mark) => `<path class="grid" d="M${left} ${y(mark).toFixed(1)}H${width - right}"/><text class="dim" x="${left - 8}" y="${(y(mark) + 4).toFixed(1)}" text-anchor="end">${short(mark)}</text>`);
  const feet = amounts.map((amount) => `<text class="dim" x="${x(amount).toFixed(1)}" y="${height - bottom + 22}" text-anchor="middle">${short(amount)}</text>`);
  const lines = series.map(({ color, points }) => {
    const places = points.map(({ amount, value }) => [x(amount).toFixed(1), y(value).toFixed(1)]);
    const dots = places.map(([cx, cy]) => `<circle cx="${cx}" cy="${cy}" r="3" fill="${color}"/>`);
    return `<polyline stroke="${color}" stroke-width="2" points="${places.map((place) => place.join(',')).join(' ')}"/>${dots.join('')}`;
  });
  // procrun's line is drawn last, over the others.
  return picture(height, title, [...grid, ...feet, ...lines.reverse(), ...namesBeside(series, y, width - right)]);
}

/** Labels at the ends of the lines, moved down where they would overlap. */
function namesBeside(series, y, x) {
  const step = 17;
  let free = 0;
  return series
    .map(({ name, color, points }) => ({ name, color, at: y(points.at(-1).value) }))
    .sort((a, b) => a.at - b.at)
    .map(({ name, color, at }) => {
      const baseline = Math.max(at + 4, free);
      free = baseline + step;
      return `<text class="${classOf(name)}" x="${x + 12}" y="${baseline.toFixed(1)}" style="fill: ${color}">${escape(name)}</text>`;
    });
}
