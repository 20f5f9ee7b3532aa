// Lint rules: typescript-eslint with type information, and the allowed imports between the folders of src/.
import tseslint from 'typescript-eslint';

// From top to bottom. A folder may import only from folders after it in this list.
const layers = ['cli', 'drill', 'wrapper', 'runner', 'control', 'supervisor', 'output', 'os', 'manifest'];

/** Text that nobody escaped must not reach a terminal: see src/manifest/shown.ts. */
const writesToTerminal = [
  ...['CallExpression[callee.object.name="console"]', 'CallExpression[callee.name=/^(writeSync|writeFileSync|createWriteStream)$/][arguments.0.raw=/^[12]$|dev.(stdout|stderr|tty|fd)/]'],
  ...['CallExpression[callee.object.object.name="process"][callee.object.property.name=/^std(out|err)$/][callee.property.name=/^(write|end)$/]', 'VariableDeclarator[init.name="process"] Property[key.name=/^std(out|err)$/]'],
  ...['NewExpression[callee.name="WriteStream"]'],
].map((selector) => ({ selector, message: 'Write by cli/print.ts, output/sink.ts or os/standard-error.ts. They take only text that is made printable (manifest/shown.ts).' }));
const usesStandardStreams = { selector: 'MemberExpression[object.name="process"][property.name=/^std(out|err)$/]', message: 'Only cli/print.ts writes to the standard streams, and cli/up.ts hands them to its sinks.' };
const makesShown = { selector: ':matches(TSAsExpression, TSTypeAssertion) TSTypeReference[typeName.name="Shown"]', message: 'Make text printable by the functions of manifest/shown.ts.' };
const passesUnchanged = { selector: 'ImportSpecifier[imported.name="processOutput"]', message: 'Only output of processes may pass unchanged.' };

/**
 * The files that may do what no other may: each with the rules that hold in it all the same.
 * @type {Record<string, { selector: string, message: string }[]>}
 */
const terminalRules = {
  'src/**/*.ts': [...writesToTerminal, usesStandardStreams, makesShown, passesUnchanged],
  'src/manifest/shown.ts': [...writesToTerminal, usesStandardStreams],
  'src/cli/up.ts': [...writesToTerminal, makesShown, passesUnchanged],
  'src/cli/print.ts': [makesShown],
  'src/os/standard-error.ts': [usesStandardStreams, makesShown, passesUnchanged],
  'src/output/json.ts': [...writesToTerminal, usesStandardStreams, makesShown],
};
/** @type {import('eslint').Linter.RulesRecord} */
const rules = { '@typescript-eslint/require-await': 'off', eqeqeq: 'error', 'prefer-const': 'error' };

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...rules,
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': 'error',
    },
  },
  // JavaScript: a value without a JSDoc type is `any`, so the rules against `any` are off.
  {
    files: ['**/*.js', '**/*.mjs', '**/*.cjs'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { project: './tsconfig.scripts.json', tsconfigRootDir: import.meta.dirname } },
    rules: {
      ...rules,
      '@typescript-eslint/no-unused-vars': ['error', { ignoreRestSiblings: true }],
      '@typescript-eslint/unbound-method': 'off',
      '@typescript-eslint/no-unsafe-argument': 'off',
      '@typescript-eslint/no-unsafe-assignment': 'off',
      '@typescript-eslint/no-unsafe-call': 'off',
      '@typescript-eslint/no-unsafe-member-access': 'off',
      '@typescript-eslint/no-unsafe-return': 'off',
    },
  },
  { files: ['**/*.js', '**/*.cjs'], rules: { '@typescript-eslint/no-require-imports': 'off' } },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-globals': ['error', { name: 'performance', message: 'Read the time from os/clock.ts.' }] } },
  ...Object.entries(terminalRules).map(([file, restrictions]) => /** @satisfies {import('eslint').Linter.Config} */ ({ files: [file], rules: { 'no-restricted-syntax': ['error', ...restrictions] } })),
  // node:test itself awaits the promise that `test()` returns.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  ...layers.map((layer, index) => /** @satisfies {import('eslint').Linter.Config} */ ({
    files: [`src/${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: layers.slice(0, index).map((above) => ({ group: [`**/${above}/**`], message: `${layer}/ is below ${above}/ and must not import from it.` })) },
      ],
    },
  })),
);
