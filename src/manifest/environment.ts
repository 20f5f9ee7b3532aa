// The layers of an environment, lowest first: procrun's defaults, env files, the real environment, `env` of the manifest, `env` of the process.
// Optionally the env files stand above the real environment. env-file.ts reads the files.

export type Variables = ReadonlyMap<string, string>;

/** One `NAME: value` of an `env:`. `null` unsets a variable of the layers below. */
export interface Setting {
  readonly name: string;
  readonly value: string | null;
}

/** The variables of an object such as `process.env`. */
export function realVariables(environment: Readonly<Record<string, string | undefined>>): Variables {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) variables.set(name, value);
  return variables;
}

/** The layers below every `env:`. */
export interface BaseLayers {
  readonly defaults: Variables;
  /** A later file stands above an earlier one. */
  readonly files: readonly Variables[];
  readonly real: Variables;
  readonly filesOverride: boolean;
}

export function baseVariables({ defaults, files, real, filesOverride }: BaseLayers): Variables {
  if (files.length === 0 && defaults.size === 0) return real;
  return new Map([defaults, ...(filesOverride ? [real, ...files] : [...files, real])].flatMap((layer) => [...layer]));
}

export function withSettings(below: Variables, settings: readonly Setting[]): Variables {
  if (settings.length === 0) return below;
  const variables = new Map(below);
  for (const { name, value } of settings) {
    if (value === null) variables.delete(name);
    else variables.set(name, value);
  }
  return variables;
}

/** The object that spawn takes. Processes with the same variables share one object. */
export function toRecord(variables: Variables): Readonly<Record<string, string>> {
  let record = records.get(variables);
  if (record === undefined) {
    record = Object.fromEntries(variables);
    records.set(variables, record);
  }
  return record;
}
const records = new WeakMap<Variables, Readonly<Record<string, string>>>();
