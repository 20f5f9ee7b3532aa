// The JSON Schema for editors has the same keys and words as the loader.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { manifestJsonSchema } from '../../src/manifest/json-schema.ts';
import { manifestFields, processFields } from '../../src/manifest/schema.ts';
import { unsupportedProcessKeys } from '../../src/manifest/unsupported.ts';

interface Schema {
  $schema?: string;
  $ref?: string;
  description?: string;
  additionalProperties?: unknown;
  patternProperties?: Record<string, unknown>;
  properties?: Record<string, Schema>;
  required?: string[];
  propertyNames?: unknown;
  enum?: unknown[];
  $defs?: Record<string, Schema>;
}
const schema = manifestJsonSchema() as Schema;

test('it has every key of the loader, each with a description, and no other except x-', () => {
  const process = schema.$defs?.process;
  for (const [shown, fields] of [[schema, manifestFields], [process, processFields]] as const) {
    assert.ok(shown);
    assert.deepEqual(Object.keys(shown.properties ?? {}), Object.keys(fields.entries));
    for (const [key, value] of Object.entries(shown.properties ?? {})) assert.ok(value.description, key);
    assert.equal(shown.additionalProperties, false);
    assert.deepEqual(shown.patternProperties, { '^x-': {} });
  }
  assert.deepEqual(schema.required, ['processes']);
  assert.match(schema.$schema ?? '', /2020-12/);
});

test('it checks the characters and the length of process names', () => {
  assert.deepEqual(schema.properties?.processes?.propertyNames, { pattern: '^[A-Za-z0-9_-]+$', maxLength: 200, not: { const: 'all' } });
});

test('it lists the allowed words, and every reference has a target', () => {
  const definitions = schema.$defs ?? {};
  assert.deepEqual(definitions.process?.properties?.stop_flag?.enum, ['file', 'fd', 'stdin', 'message']);
  const text = JSON.stringify(schema);
  for (const [, name] of text.matchAll(/"#\/\$defs\/(\w+)"/g)) assert.ok(name !== undefined && name in definitions, name);
  assert.ok(!text.includes('jsonSchema'));
});

test('no supported key is in the list of unsupported keys', () => {
  for (const key of unsupportedProcessKeys) assert.ok(!Object.hasOwn(processFields.entries, key), key);
});
