// `procrun run`: stdin, stdout, stderr and further descriptors are the command's own. Other processes that share them are not affected.
import { strict as assert } from 'node:assert';
import { assertNothingAlive, execute, procrunArgv, start, startCommand, test } from '../support/harness.ts';

/** Runs a shell script in which "$@" is `procrun run -- COMMAND`. */
function inShell(text: string, ...command: string[]) {
  return startCommand(['/bin/sh', '-c', text, 'sh', ...procrunArgv('run', '--'), ...command], { files: { 'five.txt': 'five\n' }, stdin: 'pipe' });
}

test('stdin and its end reach the command', async () => {
  const run = start(['run', '--', 'cat'], { stdin: 'pipe' });
  run.write('one\n');
  await run.waitFor('one');
  run.closeStdin();
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.equal(run.stdout, 'one\n');
  await assertNothingAlive(run);
});

test('stdin, stdout and stderr are the same files that procrun was given, and no other descriptor is open', async () => {
  const report = 'for fd in 0 1 2; do readlink /proc/self/fd/$fd; done; ls /proc/self/fd | wc -l';
  const plain = inShell('exec sh -c "$0" 2>&1'.replace('$0', report.replaceAll('$', '\\$')));
  await plain.ended;
  const wrapped = inShell('exec "$@" 2>&1', 'sh', '-c', report);
  await wrapped.ended;
  const shape = (text: string) => text.replace(/\[\d+\]/g, '[]');
  assert.equal(shape(wrapped.stdout), shape(plain.stdout));
});

test('stdin is blocking for the command, and afterwards for other processes that share it', async () => {
  const flags = 'grep flags /proc/self/fdinfo/0';
  const run = inShell(`${flags}; "$@"; ${flags}`, 'sh', '-c', flags);
  await run.ended;
  const nonBlocking = [...run.stdout.matchAll(/flags:\s+(\d+)/g)].map(([, octal]) => (parseInt(octal ?? '', 8) & 0o4000) !== 0);
  assert.deepEqual(nonBlocking, [false, false, false]);
});

test('stdin is never non-blocking for another command that shares it, not even while procrun starts', async () => {
  const watcher = 'while [ ! -e stop ]; do grep -q "flags:.*4...$" /proc/self/fdinfo/0 && echo non-blocking; done';
  // A shell gives a background command /dev/null, unless told otherwise.
  const run = inShell(`exec 3<&0; (${watcher}) <&3 & for i in 1 2 3 4 5; do "$@"; done; : >stop; wait`, 'true');
  assert.deepEqual(await run.ended, { code: 0, signal: null });
  assert.equal(run.stdout, '');
});

test('descriptors above 2 are passed on with the same numbers', async () => {
  const run = inShell('exec "$@" 3<five.txt 7>&1', 'sh', '-c', 'cat <&3 >&7; [ -e /proc/self/fd/4 ] || echo no 4');
  await run.ended;
  assert.equal(run.stdout, 'five\nno 4\n');
});

test('a descriptor that writes to /dev/null is passed on too, although Node has one for reading', async () => {
  const run = inShell('exec "$@" 3>/dev/null', 'sh', '-c', 'echo x >&3 && echo written');
  assert.deepEqual(await run.ended, { code: 0, signal: null }, run.report());
  assert.equal(run.stdout, 'written\n');
});

test('echo >/dev/stdout works as without procrun', async () => {
  // Use a pipe of the shell: Node's pipe in the harness is a socket, which cannot be opened by its path.
  const run = inShell('"$@" | cat', 'sh', '-c', 'echo x >/dev/stdout');
  await run.ended;
  assert.equal(run.stdout, 'x\n');
});

test('the reader goes away: the command gets SIGPIPE, and procrun exits with its status', async () => {
  const run = inShell('{ "$@"; echo status $? >&2; } | head -1', 'yes');
  await run.ended;
  assert.equal(run.stdout, 'y\n');
  assert.match(run.stderr, /status 141/);
  await assertNothingAlive(run);
});

test('the command gets the variables PROCRUN and PROCRUN_RUN_ID, and keeps a variable with an odd name', async () => {
  const run = await execute(['run', '--', 'env'], { env: { 'odd.name': 'kept' } });
  assert.match(run.stdout, /^PROCRUN=1$/m);
  assert.match(run.stdout, /^PROCRUN_RUN_ID=[0-9a-f-]{36}$/m);
  assert.match(run.stdout, /^odd\.name=kept$/m);
});
