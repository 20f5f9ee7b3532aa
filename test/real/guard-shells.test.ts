// The guard's script alone, in each shell that is /bin/sh on some system, also where /proc, grep or an option of grep is missing.
import { strict as assert } from 'node:assert';
import { execFileSync, spawn } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import type { Socket } from 'node:net';
import { join } from 'node:path';
import { isAlive, processInfo, root, succeeds, test, waitUntil } from '../support/harness.ts';
import { grepWithoutZ, type Hidden, needsProcps, ofMacos, realProgram, without } from './fallbacks-support.ts';

/** Runs the guard's script alone, as after the death of a runner. */
async function runGuard([shell, ...args]: readonly [string, ...string[]], { bin, texts = [], lines }: { readonly bin: string; readonly texts?: readonly string[]; readonly lines: readonly string[] }): Promise<void> {
  const program = texts.reduce((text, hiddenText) => text.replaceAll(hiddenText, `/nowhere${hiddenText}`), readFileSync(join(root, 'src/os/guard.sh'), 'utf8'));
  const guard = spawn(realProgram(shell), [...args, '-c', program, 'guard'], { env: { PATH: bin, LC_ALL: 'C', GUARD_LINES: lines.join('\n') }, stdio: ['ignore', 'inherit', 'inherit', 'pipe'] });
  (guard.stdio[3] as Socket).destroy();
  await once(guard, 'exit');
}

/** The start time as ps(1) shows it to the guard. */
function startByPs(pid: number): string {
  const date = execFileSync('ps', ['-o', 'lstart=', '-p', String(pid)], { encoding: 'utf8', env: { ...process.env, LC_ALL: 'C', TZ: 'UTC0' } });
  return date.trim().replace(/\W+/g, '_');
}

const shells: readonly (readonly [string, ...string[]])[] = [['dash'], ['bash', '--posix'], ['busybox', 'ash']];
const ways: Readonly<Record<string, Hidden>> = {
  nothing: {},
  grep: { programs: { grep: null } },
  'the option -z of grep': { programs: { grep: grepWithoutZ } },
  '/proc': { texts: ofMacos.texts, bin: ofMacos.bin },
};
for (const shell of shells) {
  for (const [thing, way] of Object.entries(ways)) {
    const skip = !succeeds(...shell, '-c', ':') ? `${shell.join(' ')} is not installed` : thing === '/proc' ? needsProcps.skip : false;
    test(`the guard by ${shell.join(' ')}, without ${thing}: SIGTERM, SIGCONT, a grace, SIGKILL; a reused number is not touched`, { skip }, async (t) => {
      const { env } = await without(way);
      const script = (onTerm: string): string => `trap '${onTerm}' TERM; echo ready; while :; do sleep 0.05; done`;
      const groups = [script('echo term; exit 3'), script('echo term; exit 3'), script('echo term'), script('exit')].map((text) => {
        const child = spawn('/bin/sh', ['-c', text], { detached: true, stdio: ['ignore', 'pipe', 'ignore'], env: { ...process.env, PROCRUN: '1' } });
        assert.ok(child.pid !== undefined && child.pid > 1);
        let printed = '';
        child.stdout.setEncoding('utf8').on('data', (data: string) => (printed += data));
        const ended = once(child, 'exit') as Promise<[number | null, string | null]>;
        return { pid: child.pid, kill: () => child.exitCode === null && child.signalCode === null && process.kill(-(child.pid ?? 0), 'SIGKILL'), printed: () => printed, ended };
      });
      t.after(() => groups.forEach(({ kill }) => kill()));
      const [polite, stopped, deaf, foreign] = groups;
      assert.ok(polite && stopped && deaf && foreign);
      await waitUntil(() => groups.every(({ printed }) => printed() === 'ready\n'), 'the processes');
      process.kill(-stopped.pid, 'SIGSTOP');
      await waitUntil(() => ['T', 'D'].includes(processInfo(stopped.pid)?.state ?? ''), 'the process to be stopped');
      const startOf = (pid: number): string => (thing === '/proc' ? startByPs(pid) : String(processInfo(pid)?.startTime));
      const lines = [`run ${randomUUID()} 99887766554`, ...[polite, stopped, deaf].map(({ pid }) => `+ ${pid} ${startOf(pid)} -`), `+ ${foreign.pid} ${thing === '/proc' ? 'Thu_Nov_19_08_12_03_2020' : '1'} -`];
      await runGuard(shell, { bin: env.PATH ?? '', lines, ...(way.texts ? { texts: way.texts } : {}) });
      assert.ok(isAlive(foreign.pid));
      assert.deepEqual(await Promise.all([polite, stopped, deaf].map(({ ended }) => ended)), [[3, null], [3, null], [null, 'SIGKILL']]);
      assert.deepEqual([polite, stopped, deaf].map(({ printed }) => printed()), Array(3).fill('ready\nterm\n'));
    });
  }
}

for (const shell of shells) {
  test(`the guard by ${shell.join(' ')} removes the files of its own run, unfinished ones and a socket's too, and no file of another run`, { skip: succeeds(...shell, '-c', ':') ? false : `${shell.join(' ')} is not installed` }, async () => {
    const { beside } = await without({});
    const [ours, theirs] = [randomUUID(), randomUUID()];
    const draft = '4194303-1-ns7';
    const rest = { [`control.sock.${draft}`]: '', [`state.json.${draft}`]: '{', [`runner.json.${draft}.stale`]: '{', 'control.sock': '' };
    const named = (runId: string): string => JSON.stringify({ runId }, null, 2);
    for (const [lock, state, left] of [
      [ours, ours, []],
      // It was killed before its first process, while it ended those of an earlier run.
      [ours, theirs, ['state.json']],
      // The next run has taken the lock, and has not written its state yet.
      [theirs, ours, ['control.sock', 'runner.json']],
      [theirs, theirs, ['control.sock', 'runner.json', 'state.json']],
    ] as const) {
      const folder = join(beside.folder, `of-${randomUUID()}`);
      const own = join(folder, `${draft}-uuid`);
      mkdirSync(own, { recursive: true });
      writeFileSync(join(own, '~p.out'), '');
      for (const [name, text] of Object.entries({ ...rest, 'runner.json': named(lock), 'state.json': named(state) })) writeFileSync(join(folder, name), text);
      await runGuard(shell, { bin: process.env.PATH ?? '', lines: [`run ${ours} 99887766554`, `folder ${own}`, `lock ${join(folder, 'runner.json')}`, `drafts ${draft}`] });
      assert.deepEqual(existsSync(folder) ? readdirSync(folder).sort() : [], left);
      for (const name of left) if (name.endsWith('.json')) assert.equal(readFileSync(join(folder, name), 'utf8'), named(theirs));
    }
  });
}
