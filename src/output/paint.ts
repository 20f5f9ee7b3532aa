// The colours of the output, by meaning. The CLI chooses the real colours, or none.
import type { Shown } from '../manifest/shown.ts';

export type Brush = (text: Shown) => Shown;

export interface Paint {
  /** The colour of a process's name: the one from the manifest, else one that depends on the name alone. */
  process(name: string, chosen: string | undefined): Brush;
  readonly dim: Brush;
  readonly good: Brush;
  readonly bad: Brush;
  readonly strong: Brush;
}

const same: Brush = (text) => text;

export const noPaint: Paint = { process: () => same, dim: same, good: same, bad: same, strong: same };
