// Looks for the members of trees, as a runner does in a stop. Prints as JSON the time of each look in ms, and the number of
// members that the last look found. The first look runs cold code, as in a runner's first stop.
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
