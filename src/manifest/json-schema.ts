// Makes the JSON Schema of the manifest for editors. The build makes it from the same objects that check a manifest. No run needs it.
import { toJsonSchema, type JsonSchema } from '@valibot/to-json-schema';
import type { GenericSchema } from 'valibot';
import { maxNameLength } from './limits.ts';
import { everyProcess, namePattern } from './names.ts';
import { command, duration, envFileFields, manifestFields, processFields, processMap, shutdownFields } from './schema.ts';
import { policySignals } from './types.ts';

/** Draft 2020-12, self-contained. As in procrun, any key that begins with `x-` is allowed at the top level and in a process. */
export function manifestJsonSchema(): object {
  const schema = toJsonSchema(manifestFields, {
    target: 'draft-2020-12',
    typeMode: 'input',
    definitions: { duration, command, process: processFields },
    overrideSchema: ({ valibotSchema, jsonSchema }) => restrictKeys(valibotSchema, jsonSchema),
  });
  const policy = {
    description: 'How the runner passes the signal on: forward, mask, ignore, stop, or the name of a signal to send instead.',
    // Editors offer the words of the enumeration. The pattern allows other spellings.
    anyOf: [{ enum: ['forward', 'mask', 'ignore', 'stop', ...policySignals] }, { type: 'string', pattern: '^[A-Za-z][A-Za-z0-9]*$' }],
  };
  return { ...(applyEditorSchemas(schema) as JsonSchema), title: 'procrun manifest', $defs: { ...(applyEditorSchemas(schema.$defs) as object), policy } };
}

/** Forbids unknown keys and invalid names. valibot does not check them, because keys.ts and names.ts give better messages. */
function restrictKeys(schema: GenericSchema, jsonSchema: JsonSchema): JsonSchema | undefined {
  if ('key' in schema && schema.key === processMap.key) {
    return { ...jsonSchema, propertyNames: { pattern: namePattern.source, maxLength: maxNameLength, not: { const: everyProcess } } };
  }
  if (!('entries' in schema)) return undefined;
  const own = schema.entries === shutdownFields.entries || schema.entries === envFileFields.entries ? {} : { patternProperties: { '^x-': {} } };
  return { ...jsonSchema, ...own, additionalProperties: false };
}

/** Replaces each schema that has an `editorSchema` (schema.ts) by it. Title and description stay. */
function applyEditorSchemas(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(applyEditorSchemas);
  if (typeof value !== 'object' || value === null) return value;
  if ('jsonSchema' in value) {
    const { title, description } = value as JsonSchema;
    return { ...(value.jsonSchema as object), ...(title === undefined ? {} : { title }), ...(description === undefined ? {} : { description }) };
  }
  return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, applyEditorSchemas(inner)]));
}
