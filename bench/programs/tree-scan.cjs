// Looks for the members of trees, as a runner does when it stops them: prints as JSON how long each look took, in ms, and how
// many members the last one found. The first is made by code that has never run, as in a runner's first stop.
'use strict';

const [, , treeCode, sessionCode, trees, looks] = process.argv;
const { findMembers } = require(treeCode);
const { Session } = require(sessionCode);

const marks = JSON.parse(trees).map(({ pgid, leaderStart, ...tree }) => ({ ...tree, session: new Session(pgid, leaderStart, { isChild: true }), notOfTree: new Set() }));
const times = [];
let found;
for (let look = 0; look < Number(looks); look += 1) {
  const begun = performance.now();
  found = findMembers(marks);
  times.push(performance.now() - begun);
}
process.stdout.write(JSON.stringify({ times, members: [...found.values()].flat().length }));
