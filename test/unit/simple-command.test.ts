// Which texts start one program, so that `exec` makes it the leader, and which keep their shell.
import { strict as assert } from 'node:assert';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { textLeader } from '../../src/manifest/simple-command.ts';

const env = { HOME: '/home/me', NODE: 'node', TWO: 'node server.js', DASHED: '-a', ECHO: 'echo', EMPTY: '' };
const withExec = (text: string, shell = '/bin/sh', more: Record<string, string> = {}): string | undefined => {
  const leader = textLeader(text, shell, { ...env, ...more });
  return leader.kind === 'program' ? leader.text : undefined;
};

test('exec goes before the name of the program: after assignments, redirections and comment lines', () => {
  const texts: readonly [string, string][] = [
    ['node server.js', 'exec node server.js'],
    ['  node server.js  \n', '  exec node server.js  \n'],
    ['A=1 B="two words" node x', 'A=1 B="two words" exec node x'],
    ['PATH=./bin:$PATH vite', 'PATH=./bin:$PATH exec vite'],
    ['A=$(date "+%s") node x', 'A=$(date "+%s") exec node x'],
    ['bin/rails server -p $PORT', 'exec bin/rails server -p $PORT'],
    ['redis-server --port ${PORT:-6379}', 'exec redis-server --port ${PORT:-6379}'],
    ['node -e "process.on(\'SIGTERM\', () => {})"', 'exec node -e "process.on(\'SIGTERM\', () => {})"'],
    ["python3 -c 'a; b & c | d # e'", "exec python3 -c 'a; b & c | d # e'"],
    ['node x > log 2>&1 < /dev/null', 'exec node x > log 2>&1 < /dev/null'],
    ['>>log 2>&1 node x', '>>log 2>&1 exec node x'],
    ['node x # the server; and more', 'exec node x # the server; and more'],
    ['# the server\n\nnode x\n# end\n', '# the server\n\nexec node x\n# end\n'],
    ['node \\\n  --flag \\\n  x', 'exec node \\\n  --flag \\\n  x'],
    ['node x;', 'exec node x;'],
    ['$NODE x', 'exec $NODE x'],
    ['"${NODE}" x', 'exec "${NODE}" x'],
    ['$HOME/bin/x', 'exec $HOME/bin/x'],
    ['~/bin/x', 'exec ~/bin/x'],
    ['./a\\ b', 'exec ./a\\ b'],
    ['"/opt/my app/run" x', 'exec "/opt/my app/run" x'],
    ['./echo x', 'exec ./echo x'],
    ['env A=1 node', 'exec env A=1 node'],
    ['cat `ls | head -1` $((1 + (2))) a#b', 'exec cat `ls | head -1` $((1 + (2))) a#b'],
    ['exec node x', 'exec node x'],
    ['A=1 exec node x', 'A=1 exec node x'],
  ];
  for (const [text, expected] of texts) assert.equal(withExec(text), expected, text);
});

test('everything else keeps its shell', () => {
  const texts = [
    '', '  ', '#', 'A=1', '> file', 'exec', 'exec -a name node', 'exec > log',
    'echo hi', '"echo" hi', '\\echo hi', 'cd /x', 'true', ': x', '. ./file', 'test -e x', '[ -e x ]', '! node', 'time node', 'command node x', 'while x',
    'node x & wait', 'node x &', 'node x | tee log', 'a && b', 'a || b', 'a; b', 'a\nb', '(a)', '{ a; }', 'if a; then b; fi', 'f() { a; }', 'node x;;',
    'cat <<E\nx\nE', 'cat <<< x', 'cat <(ls)', 'node x &> log', 'node x >& log', '{fd}>x node',
    'A+=1 node', 'A[0]=1 node', 'A=(1 2) node', 'UID=1 node', '-x', '+x', '*', 'no*', '~',
    '$TWO', '$ECHO x', '$EMPTY node', '$UNKNOWN x', '$DASHED/x', '"$DASHED" x', '${NODE:-x} y', '$(which node) x', '`which node` x', "$'node' x", '$1 x', '"$@"',
    'node "x', "node 'x", 'node \\', 'node `x', 'node $(x', 'node ${x', 'node $(case a in a) b;; esac)', 'node $(a # )\n)', 'node $(cat <<E\n)\nE\n)', 'node x; # c\nb',
  ];
  for (const text of texts) assert.equal(withExec(text), undefined, text);
});

test('only shells with the exec of POSIX, without functions of unknown origin', () => {
  for (const shell of ['sh', '/bin/dash', '/usr/bin/bash', 'bash-5.2', 'ksh93', '/bin/mksh', 'ash', 'yash']) assert.ok(withExec('node x', shell), shell);
  for (const shell of ['/bin/rbash', 'zsh', 'fish', 'csh', 'tcsh', 'python3', 'nu', 'pwsh', 'busybox', 'node']) assert.equal(withExec('node x', shell), undefined, shell);
  assert.equal(withExec('node x', 'bash', { BASH_ENV: '/x' }), undefined);
  assert.equal(withExec('node x', 'mksh', { ENV: '/x' }), undefined);
  assert.equal(withExec('node x', 'sh', { 'BASH_FUNC_node%%': '() { :; }' }), undefined);
});

test('with exec a text prints what it prints without', () => {
  const texts = ['A=1 env', 'A="x y" B=$A env', '/usr/bin/printf "%s|" a "b c" \'d e\' $HOME `echo f` $((1+2)) \\* "$(echo ")" \')\')" a#b # c', 'env > /dev/stdout', '2>&1 ls /nowhere', 'PATH=/bin:$PATH env', '/usr/bin/printf "%s|" \\\n a'];
  for (const shell of ['sh', 'bash', 'dash']) {
    for (const text of texts) {
      const changed = withExec(text, shell);
      assert.ok(changed !== undefined, text);
      const run = (script: string): unknown => {
        const { stdout, stderr, status } = spawnSync(shell, ['-c', script], { env: { PATH: process.env.PATH, HOME: '/h' }, encoding: 'utf8' });
        return [stdout.replace(/^(?:_|SHLVL)=.*\n/gm, ''), stderr, status];
      };
      assert.deepEqual(run(changed), run(text), `${shell}: ${text}`);
    }
  }
});
