// The colours that output needs, by what they mean. Which they are, and whether there are any, is the CLI's to say.

export type Brush = (text: string) => string;

export interface Paint {
  /** The colour of a process's name: its own choice, or one that depends on the name alone. */
  process(name: string, chosen: string | undefined): Brush;
  readonly dim: Brush;
  readonly good: Brush;
  readonly bad: Brush;
  readonly strong: Brush;
}

const same: Brush = (text) => text;

export const noPaint: Paint = { process: () => same, dim: same, good: same, bad: same, strong: same };
