// The tests that may be skipped in CI (where the variable CI is set), by the reason with which they are skipped. Any other skip is a
// failure there. test-reporter.mjs reads this list.

/** The tools that .ci/run wanted to install and could not. */
const missingTools = (process.env.TEST_MISSING_TOOLS ?? '').split(' ').filter((tool) => tool !== '');

/** @type {readonly { readonly reason: RegExp, readonly because: string }[]} */
export const allowedSkips = [
  { reason: /^this Node has no process\.execve$/, because: 'all tests run on Node 20, the oldest that procrun supports; process.execve came with 22.15' },
  { reason: /^this Node has process\.execve$/, because: 'this test is for Node 20, and its counterpart for the later ones' },
  ...missingTools.map((tool) => ({ reason: new RegExp(`^${tool}\\b.* is not installed$`), because: `.ci/run could not install ${tool}` })),
];
