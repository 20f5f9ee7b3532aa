// Lint rules: typescript-eslint with type information, and the one-way arrows between the folders of src/.
import tseslint from 'typescript-eslint';

// Each folder may import from the folders below it, never from one above.
const floors = ['cli', 'drill', 'wrapper', 'runner', 'control', 'supervisor', 'output', 'os', 'manifest'];

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
  // JavaScript: what has no JSDoc is `any`, and may be used as such.
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
  { files: ['src/**/*.ts'], rules: { 'no-restricted-globals': ['error', { name: 'performance', message: 'The time is told by os/clock.ts.' }] } },
  // node:test's `test()` returns a promise that the runner itself awaits.
  { files: ['test/**/*.ts'], rules: { '@typescript-eslint/no-floating-promises': 'off' } },
  ...floors.map((floor, index) => /** @satisfies {import('eslint').Linter.Config} */ ({
    files: [`src/${floor}/**/*.ts`],
    rules: {
      'no-restricted-imports': [
        'error',
        { patterns: floors.slice(0, index).map((above) => ({ group: [`**/${above}/**`], message: `${floor}/ stands below ${above}/.` })) },
      ],
    },
  })),
);
