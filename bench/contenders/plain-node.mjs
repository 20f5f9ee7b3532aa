// A bare `node` that does no more than the work itself: what procrun costs beyond it is procrun's own doing.
import { program } from '../program.mjs';

export const plainNode = {
  name: 'plain node',
  joins: { startup: {}, throughput: {}, stop: {}, memory: {}, idle: {}, relay: {} },
  tellsStarts: true,
  output: { separator: '| ', prefix: /^(?<name>\S+) \| $/ },
  command: (_workbench, processes, { events = false } = {}) => program('plain-runner.cjs', JSON.stringify(processes), ...(events ? ['events'] : [])),
};
