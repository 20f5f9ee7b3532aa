// Lint rules: typescript-eslint with type information, and the allowed imports between the folders of src/.
import tseslint from 'typescript-eslint';

// From top to bottom. A folder may import only from folders after it in this list.
const layers = ['cli', 'drill', 'wrapper', 'runner', 'control', 'supervisor', 'output', 'os', 'manifest'];

export default tseslint.config(
  { ignores: ['dist/', 'build/', 'node_modules/', 'fixtures/'] },
  {
    files: ['src/**/*.ts', 'test/**/*.ts'],
    extends: [...tseslint.configs.recommendedTypeChecked],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    rules: {
      '@typescript-eslint/consistent-type-imports': 'error',
      '@typescript-eslint/switch-exhaustiveness-check': ['error', { considerDefaultExhaustiveForUnions: true }],
      '@typescript-eslint/no-unnecessary-condition': 'error',
      '@typescript-eslint/require-await': 'off',
      eqeqeq: 'error',
      'prefer-const': 'error',
    },
  },
  { files: ['src/**/*.ts'], rules: { 'no-restricted-globals': ['error', { name: 'performance', message: 'Read the time from os/clock.ts.' }] } },
  // node:test itself awaits the promise that `test()` returns.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  ...layers.map((layer, index) => ({
    files: [`src/${layer}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: layers.slice(0, index).map((above) => ({ group: [`**/${above}/**`], message: `${layer}/ is below ${above}/ and must not import from it.` })) },
      ],
    },
  })),
);
