// Tests the check of the throughput benchmark: it must find each kind of harm that a faulty sed does, and none in a correct sed's output.
import { sed } from '../contenders.mjs';
import { faultySed } from '../contenders/filters.mjs';
import { promise } from '../report.mjs';
import { printing, throughSink } from '../traffic.mjs';

export const plannedRuns = { full: 1, quick: 1 };

const lines = 20_000;
/** @type {Record<string, [script: string, sign: RegExp]>} */
const harms = {
  'loses a line': ['500d', /^1 lost;/],
  'loses the last line': ['$d', /^1 lost;/],
  'doubles a line': ['500p', /^1 doubled;/],
  'swaps two lines': ['500{h;d};501G', /^1 out of order;/],
  'cuts a line': ['500s/...$//', /^1 lost, 1 cut, torn or foreign;/],
  'changes a byte': ['500s/.$/ /', /^1 lost, 1 cut, torn or foreign;/],
  'joins two lines': ['500{N;s/\\n//}', /^2 lost, 1 cut, torn or foreign;/],
  'gives a line another name': ['500s/^w1 /w2 /', /^1 lost, 1 cut, torn or foreign;/],
};

export async function measure(workbench) {
  const traffic = printing(workbench, { writers: 1, kind: '82-byte', lines });
  const harmOf = async (contender) => (await throughSink(workbench, contender, traffic, 'file')).harm;
  const found = [];
  for (const [words, [script, sign]] of Object.entries(harms)) found.push({ words, sign, harm: await harmOf(faultySed(script)) });
  const unharmed = await harmOf(sed);
  return {
    title: 'Harm that is done on purpose, and what the instrument says of it',
    samples: {},
    tables: [{ columns: ['a sed that', 'is found to have'], rows: [...found.map(({ words, harm }) => [words, harm ?? 'done nothing']), ['does none', unharmed ?? 'done nothing']] }],
    promises: [
      promise({ text: 'every harm is seen for what it is', value: found.filter(({ sign, harm }) => !sign.test(harm ?? '')).length, limit: 0, digits: 0, unit: ' not seen' }),
      promise({ text: 'where there is none, none is seen', value: unharmed === undefined ? 0 : 1, limit: 0, digits: 0, unit: ' seen' }),
    ],
  };
}
