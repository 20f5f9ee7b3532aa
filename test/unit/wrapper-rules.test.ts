// The wrapper's reaction to each signal, with and without a terminal, in each situation.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseRewrite } from '../../src/wrapper/rewrites.ts';
import { reactionToEarlySignal, type Attachment, reactionTo, type Situation } from '../../src/wrapper/rules.ts';

type Facts = Partial<Record<keyof Situation, boolean>>;

/** Fails the test if a rule asks for another fact: each question costs a look at the system, or can be answered only once. */
function situationOf(facts: Facts): Situation {
  const answer = (question: keyof Situation) => (): boolean => {
    const fact = facts[question];
    assert.ok(fact !== undefined, `asked for ${question}`);
    return fact;
  };
  return {
    groupGot: answer('groupGot'),
    hangupReachesCommand: answer('hangupReachesCommand'),
    commandIsStopped: answer('commandIsStopped'),
    childrenHaveChanged: answer('childrenHaveChanged'),
  };
}

interface Row {
  readonly signal: NodeJS.Signals;
  readonly at: Attachment;
  readonly when?: Facts;
  readonly rewrite?: string;
  /** The signal sent to the command; if absent, none. */
  readonly send?: NodeJS.Signals;
}

const rows: readonly Row[] = [
  { signal: 'SIGTERM', at: 'terminal', send: 'SIGTERM' },
  { signal: 'SIGUSR1', at: 'terminal', send: 'SIGUSR1' },
  { signal: 'SIGINT', at: 'terminal', when: { groupGot: true } },
  { signal: 'SIGINT', at: 'terminal', when: { groupGot: false }, send: 'SIGINT' },
  { signal: 'SIGQUIT', at: 'terminal', when: { groupGot: true } },
  { signal: 'SIGTSTP', at: 'terminal', when: { groupGot: true } },
  { signal: 'SIGTSTP', at: 'terminal', when: { groupGot: false }, send: 'SIGTSTP' },
  { signal: 'SIGWINCH', at: 'terminal', when: { groupGot: true } },
  { signal: 'SIGHUP', at: 'terminal', when: { hangupReachesCommand: true } },
  { signal: 'SIGHUP', at: 'terminal', when: { hangupReachesCommand: false }, send: 'SIGHUP' },
  { signal: 'SIGCONT', at: 'terminal', when: { commandIsStopped: true }, send: 'SIGCONT' },
  { signal: 'SIGCONT', at: 'terminal', when: { commandIsStopped: false } },
  { signal: 'SIGCHLD', at: 'terminal', when: { childrenHaveChanged: true } },
  { signal: 'SIGCHLD', at: 'terminal', when: { childrenHaveChanged: false }, send: 'SIGCHLD' },
  { signal: 'SIGINT', at: 'detached', send: 'SIGINT' },
  { signal: 'SIGHUP', at: 'detached', send: 'SIGHUP' },
  { signal: 'SIGCONT', at: 'detached', send: 'SIGCONT' },
  { signal: 'SIGWINCH', at: 'detached', send: 'SIGWINCH' },
  { signal: 'SIGTSTP', at: 'detached', send: 'SIGSTOP' },
  { signal: 'SIGTTIN', at: 'detached', send: 'SIGSTOP' },
  { signal: 'SIGTTOU', at: 'detached', send: 'SIGSTOP' },
  { signal: 'SIGCHLD', at: 'detached', when: { childrenHaveChanged: true } },
  { signal: 'SIGCHLD', at: 'detached', when: { childrenHaveChanged: false }, send: 'SIGCHLD' },
  { signal: 'SIGTERM', at: 'detached', rewrite: 'TERM=INT', send: 'SIGINT' },
  { signal: 'SIGTERM', at: 'detached', rewrite: 'TERM=0' },
  { signal: 'SIGTSTP', at: 'detached', rewrite: '20=20', send: 'SIGTSTP' },
  { signal: 'SIGTSTP', at: 'detached', rewrite: '20=0' },
  { signal: 'SIGTSTP', at: 'detached', rewrite: '20=19', send: 'SIGSTOP' },
  { signal: 'SIGINT', at: 'terminal', rewrite: 'INT=TERM', send: 'SIGTERM' },
  { signal: 'SIGINT', at: 'terminal', rewrite: 'INT=0' },
  { signal: 'SIGCHLD', at: 'detached', rewrite: 'CHLD=USR1', when: { childrenHaveChanged: true } },
  { signal: 'SIGCHLD', at: 'detached', rewrite: 'CHLD=USR1', when: { childrenHaveChanged: false }, send: 'SIGUSR1' },
];

function rewritesOf(text: string | undefined): Map<NodeJS.Signals, NodeJS.Signals | 'drop'> {
  if (text === undefined) return new Map();
  const { from, to } = parseRewrite(text);
  return new Map([[from, to]]);
}

for (const { signal, at, when = {}, rewrite, send } of rows) {
  const because = Object.entries(when).map(([fact, is]) => `${is ? '' : 'not '}${fact}`);
  test([signal, at, ...because, ...(rewrite === undefined ? [] : [`--signal ${rewrite}`])].join(', '), () => {
    assert.equal(reactionTo(signal, at, situationOf(when), rewritesOf(rewrite)), send);
  });
}

test('a signal from before the start of the command is relayed, since the command cannot have received it', () => {
  const none = new Map();
  assert.equal(reactionToEarlySignal('SIGINT', 'terminal', none), 'SIGINT');
  assert.equal(reactionToEarlySignal('SIGHUP', 'terminal', none), 'SIGHUP');
  assert.equal(reactionToEarlySignal('SIGTSTP', 'detached', none), 'SIGSTOP');
  assert.equal(reactionToEarlySignal('SIGTERM', 'detached', rewritesOf('15=0')), undefined);
  assert.equal(reactionToEarlySignal('SIGCHLD', 'detached', none), undefined);
});
