// A minimal runner on plain Node. The cost of procrun beyond it is procrun's own.
import { program } from '../program.mjs';

export const plainNode = {
  name: 'plain node',
  joins: { startup: {}, throughput: {}, stop: {}, memory: {}, idle: {}, relay: {} },
  reportsStarts: true,
  output: { separator: '| ', prefix: /^(?<name>\S+) \| $/ },
  command: (_workbench, processes, { events = false } = {}) => program('plain-runner.cjs', JSON.stringify(processes), ...(events ? ['events'] : [])),
};
