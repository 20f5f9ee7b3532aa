// The layers of an environment, lowest first: what procrun gives, env files, the real environment, `env` of the manifest, `env` of the process;
// or with the files above the real environment. Reading the files is env-file.ts's.

export type Variables = ReadonlyMap<string, string>;

/** One `NAME: value` of an `env:`; `null` unsets what the layers below have. */
export interface Setting {
  readonly name: string;
  readonly value: string | null;
}

/** The real environment, as it was handed in. */
export function realVariables(environment: Readonly<Record<string, string | undefined>>): Variables {
  const variables = new Map<string, string>();
  for (const [name, value] of Object.entries(environment)) if (value !== undefined) variables.set(name, value);
  return variables;
}

/** What stands below every `env:`. */
export interface BaseLayers {
  readonly given: Variables;
  /** A later one stands above an earlier one. */
  readonly files: readonly Variables[];
  readonly real: Variables;
  readonly filesOverride: boolean;
}

export function baseVariables({ given, files, real, filesOverride }: BaseLayers): Variables {
  if (files.length === 0 && given.size === 0) return real;
  return new Map([given, ...(filesOverride ? [real, ...files] : [...files, real])].flatMap((layer) => [...layer]));
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

/** As spawn takes it. One object for the same variables, however many processes share them. */
export function toRecord(variables: Variables): Readonly<Record<string, string>> {
  let record = records.get(variables);
  if (record === undefined) {
    record = Object.fromEntries(variables);
    records.set(variables, record);
  }
  return record;
}
const records = new WeakMap<Variables, Readonly<Record<string, string>>>();
