// The JSON Schema of the manifest, for editors: made at build time from the very objects that check it. Not part of a run.
import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { maxNameLength } from './limits.ts';
import { everyProcess, namePattern } from './names.ts';
import { command, duration, manifestFields, processFields, processMap, shutdownFields } from './schema.ts';
import { policySignals } from './types.ts';

/** Draft 2020-12, self-contained. Keys that begin with `x-` are free at the top and in a process, as they are for procrun. */
export function manifestJsonSchema(): object {
  const schema = toJsonSchema(manifestFields, {
    target: 'draft-2020-12',
    typeMode: 'input',
    definitions: { duration, command, process: processFields },
    overrideSchema: ({ valibotSchema, jsonSchema }) => closed(valibotSchema, jsonSchema),
  });
  const policy = {
    description: 'What the process gets of the signal: forward, mask, ignore, stop, or the name of a signal that is sent instead.',
    // The enumeration is what editors offer; the pattern lets other spellings pass.
    anyOf: [{ enum: ['forward', 'mask', 'ignore', 'stop', ...policySignals] }, { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9]*$' }],
  };
  return { ...(asShown(schema) as JsonSchema), title: 'procrun manifest', $defs: { ...(asShown(schema.$defs) as object), policy } };
}

/** Keys that are not known, or no names, are mistakes; valibot is not told so because keys.ts and names.ts word them better. */
function closed(schema: GenericSchema, jsonSchema: JsonSchema): JsonSchema | undefined {
  if ('key' in schema && schema.key === processMap.key) {
    return { ...jsonSchema, propertyNames: { pattern: namePattern.source, maxLength: maxNameLength, not: { const: everyProcess } } };
  }
  if (!('entries' in schema)) return undefined;
  const own = schema.entries === shutdownFields.entries ? {} : { patternProperties: { '^x-': {} } };
  return { ...jsonSchema, ...own, additionalProperties: false };
}

/** Where a schema carries what editors shall see instead of it, that takes its place. */
function asShown(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(asShown);
  if (typeof value !== 'object' || value === null) return value;
  if ('jsonSchema' in value) {
    const { title, description } = value as JsonSchema;
    return { ...(value.jsonSchema as object), ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, asShown(inner)]));
}
