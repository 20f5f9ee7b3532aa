// The keys `stop` and `signals`: the resulting stages and policies, and the mistakes that are refused.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { mistakesOfWeb, web } from './manifest-support.ts';

/** Stages as short texts: `flag 4000`, `SIGTERM 4000`, `run text 5000`. */
async function stages(keys: string): Promise<string[]> {
  const { stopStages: stop } = await web(keys);
  return stop.map((stage) => {
    if (stage.kind === 'signal') return `${stage.signal} ${stage.timeoutMs}`;
    if (stage.kind === 'flag') return `flag ${stage.timeoutMs}`;
    return `run ${stage.command.kind === 'shell' ? `${stage.command.shell} ${stage.command.text}` : JSON.stringify(stage.command.argv)} ${stage.timeoutMs}`;
  });
}

/** The messages, without line and column. */
const refused = async (keys: string) => (await mistakesOfWeb(keys)).map((mistake) => mistake.replace(/^\d+:\d+ /, ''));

test('the default stages depend on the stop flag', async () => {
  assert.deepEqual(await stages(''), ['SIGTERM 8000', 'SIGKILL 5000']);
  assert.deepEqual(await stages('stop_flag: file'), ['flag 4000', 'SIGTERM 4000', 'SIGKILL 5000']);
  assert.deepEqual(await stages('final_kill: false'), ['SIGTERM 8000']);
});

test('a bare name has 5 s, any other stage its own time', async () => {
  assert.deepEqual(await stages('stop: [sigint, {TERM: 250ms}, SIGKILL: 1s]'), ['SIGINT 5000', 'SIGTERM 250', 'SIGKILL 1000']);
  assert.deepEqual(await stages('stop: [{SIGINT: 3}, {SIGTERM: forever}]'), ['SIGINT 3000', 'SIGTERM Infinity', 'SIGKILL 5000']);
  assert.deepEqual(await stages('stop: [{SIGINT: 0}]'), ['SIGINT 0', 'SIGKILL 5000']);
  assert.deepEqual(await stages('stop: []'), ['SIGKILL 5000']);
});

test('a flag stage that the list lacks is put first', async () => {
  assert.deepEqual(await stages('stop_flag: fd, stop: [SIGTERM]'), ['flag 4000', 'SIGTERM 5000', 'SIGKILL 5000']);
  assert.deepEqual(await stages('stop_flag: fd, stop: [SIGINT, {flag: 2s}]'), ['SIGINT 5000', 'flag 2000', 'SIGKILL 5000']);
  assert.deepEqual(await stages('stop_flag: fd, stop: [flag]'), ['flag 5000', 'SIGKILL 5000']);
});

test('run: text goes to the shell of the process, a list is executed directly', async () => {
  assert.deepEqual(await stages('shell: /bin/bash, stop: [{run: ./drain.sh}, {run: {command: [./a, 1.10], timeout: 20s}}]'), [
    'run /bin/bash ./drain.sh 5000',
    'run ["./a","1.10"] 20000',
    'SIGKILL 5000',
  ]);
});

test('invalid stages are refused', async () => {
  const known = 'a signal name, `flag`, or one of `{SIGTERM: 5s}`, `{flag: 5s}` and `{run: COMMAND}`';
  assert.deepEqual(await refused('stop: [flag]'), ['A `flag` stage needs a `stop_flag`, which `web` does not have.']);
  assert.deepEqual(await refused('stop: [SIGKILL, SIGTERM]'), ['No stage can follow SIGKILL.']);
  assert.deepEqual(await refused('stop: [SIGKILL], final_kill: false'), ['SIGKILL is a stage here, and `final_kill: false` says that there is none.']);
  assert.deepEqual(await refused('stop: [], final_kill: false'), ['`stop` has no stage, and `final_kill: false` adds none.']);
  assert.deepEqual(await refused('stop: [SIGTRM, 15, {9: 5s}, {SIGTERM: 1s, SIGINT: 1s}, {SIGINT: soon}, {}]'), [
    '`SIGTRM` is neither a signal nor `flag` or `run`.',
    `A stage must be ${known}, not \`15\`.`,
    '`9` is neither a signal nor `flag` or `run`.',
    'A stage has one action; this is a second one.',
    'The time of `SIGINT` must be a duration such as `250ms`, `5s`, `1.5m`, `1h` or `forever`, not `soon`.',
    'A stage names one action, such as `SIGTERM: 5s`.',
  ]);
  assert.deepEqual(await refused('stop: [run, {run: }, {run: {comand: x}}, {run: {command: x, timeout: y}}, {run: []}, {run: [[a]]}]'), [
    'A `run` stage needs a command.',
    'The command of a `run` stage must be text or a list of words, not nothing.',
    'A `run` stage needs a `command`.',
    '`comand` is not a key of a `run` stage.',
    'The time of `run` must be a duration such as `250ms`, `5s`, `1.5m`, `1h` or `forever`, not `y`.',
    'The command of a `run` stage must be text or a list of words, not an empty list.',
    'The command of a `run` stage must be text or a list of words, not a list.',
  ]);
});

test('policies are read in any case, with or without SIG', async () => {
  const { signals } = await web('signals: { SIGINT: Forward, term: ignore, HUP: STOP, SIGQUIT: int, sigusr1: SIGKILL }');
  assert.deepEqual(signals.SIGINT, { kind: 'forward' });
  assert.deepEqual(signals.SIGTERM, { kind: 'ignore' });
  assert.deepEqual(signals.SIGHUP, { kind: 'stop' });
  assert.deepEqual(signals.SIGQUIT, { kind: 'translate', signal: 'SIGINT' });
  assert.deepEqual(signals.SIGUSR1, { kind: 'translate', signal: 'SIGKILL' });
  assert.deepEqual(signals.SIGUSR2, { kind: 'forward' });
});

test('invalid policies are refused', async () => {
  assert.deepEqual(await refused('signals: { SIGINT: mask, int: forward, KILL: mask, SIGSTOP: mask, SIGCHLD: mask, SIGFOO: mask, TERM: 15 }'), [
    'SIGINT is here a second time; the first is on line 3.',
    'SIGKILL cannot be caught, so nobody hears of it before a process does.',
    'SIGSTOP cannot be caught, so nobody hears of it before a process does.',
    'SIGCHLD is not a signal that the runner takes notice of.',
    '`SIGFOO` is not a signal.',
    '`TERM` must be one of `forward`, `mask`, `ignore`, `stop`, or a signal name, not `15`.',
  ]);
});
