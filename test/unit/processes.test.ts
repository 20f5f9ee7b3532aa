// Parsing the system's texts about processes: /proc/PID/stat of Linux, and recorded lines of ps(1) on macOS.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { childrenIn, type ProcessInfo } from '../../src/os/process-info.ts';
import { parseEnvironments, parsePsLine } from '../../src/os/processes-darwin.ts';
import { parseStat } from '../../src/os/processes-linux.ts';
import { isDead, isStopped } from '../../src/os/processes.ts';

const stat = (name: string, state = 'S'): string =>
  `4711 (${name}) ${state} 1 4700 4699 34816 4700 4194304 239 0 0 0 1 2 0 0 20 0 1 0 123456 2473984 213 18446744073709551615 1 1 0 0 0 0 0 0 0 0 0 0 17 1 0 0 0 0 0 0 0 0 0 0 0 0 0\n`;

for (const name of ['sleep', 'a b', ') S 1 1', '((', 'x) Z (y', '']) {
  test(`/proc/PID/stat of a program with the name ${JSON.stringify(name)}`, () => {
    assert.deepEqual(parseStat(stat(name)), {
      pid: 4711,
      ppid: 1,
      pgid: 4700,
      sid: 4699,
      state: 'S',
      startTicks: '123456',
      memoryLimit: '18446744073709551615',
      command: name,
    });
  });
}

test('/proc/PID/stat of a process that ended during the read gives undefined', () => {
  assert.equal(parseStat(''), undefined);
  assert.equal(parseStat('4711 (sle'), undefined);
  assert.equal(parseStat('4711 (sleep) S 1'), undefined);
});

test('lines of `ps -ax -ww -o pid= -o ppid= -o pgid= -o stat= -o lstart= -o command=` on macOS are parsed; the start time has only letters, digits and underscores', () => {
  const recorded = [
    '    1     0     1 Ss   Thu Nov 19 08:12:03 2026     /sbin/launchd',
    '  513     1   513 S    Sat Nov  1 09:00:00 2026     /System/Library/Core Services/Finder.app/Contents/MacOS/Finder',
    ' 9120  9100  9120 T+   Sat Nov 21 02:44:09 2026     /bin/sleep 300',
    ' 9121  9100  9120 Z    Sat Nov 21 02:44:10 2026     (sleep)',
  ];
  assert.deepEqual(
    recorded.map((line) => parsePsLine(line)),
    [
      { pid: 1, ppid: 0, pgid: 1, sid: 1, state: 'Ss', startTicks: 'Thu_Nov_19_08_12_03_2026', memoryLimit: '', command: '/sbin/launchd' },
      { pid: 513, ppid: 1, pgid: 513, sid: 513, state: 'S', startTicks: 'Sat_Nov_1_09_00_00_2026', memoryLimit: '', command: '/System/Library/Core Services/Finder.app/Contents/MacOS/Finder' },
      { pid: 9120, ppid: 9100, pgid: 9120, sid: 9120, state: 'T+', startTicks: 'Sat_Nov_21_02_44_09_2026', memoryLimit: '', command: '/bin/sleep 300' },
      { pid: 9121, ppid: 9100, pgid: 9120, sid: 9120, state: 'Z', startTicks: 'Sat_Nov_21_02_44_10_2026', memoryLimit: '', command: '(sleep)' },
    ],
  );
  assert.equal(parsePsLine(''), undefined);
  assert.equal(parsePsLine('  PID  PPID'), undefined);
});

test('lines of `ps -E` on macOS: the environment comes after the command, and a word of the command is no variable', () => {
  const of = (pid: number, command: string): ProcessInfo => ({ pid, ppid: 1, pgid: pid, sid: pid, state: 'S', startTicks: '', memoryLimit: '', command });
  const infos = [of(513, '/bin/sleep 300'), of(514, 'sh -c PROCRUN_ESCAPE=1 daemon'), of(515, 'ps'), of(516, 'before exec')];
  const output = [
    '  513 /bin/sleep 300 PATH=/bin PROCRUN_RUN_ID=abc PROCRUN_INSTANCE=web.1',
    '  514 sh -c PROCRUN_ESCAPE=1 daemon PATH=/bin',
    '  516 after exec PATH=/bin',
    '  517 younger PATH=/bin',
    '',
  ].join('\n');
  assert.deepEqual([...parseEnvironments(output, infos)], [[513, 'PATH=/bin\0PROCRUN_RUN_ID=abc\0PROCRUN_INSTANCE=web.1\0'], [514, 'PATH=/bin\0'], [515, '']]);
});

test('the children of a process, found in a scan of all processes', () => {
  const of = (pid: number, ppid: number): ProcessInfo => ({ pid, ppid, pgid: pid, sid: pid, state: 'S', startTicks: '', memoryLimit: '', command: '' });
  const children = childrenIn([of(2, 1), of(3, 2), of(4, 2), of(5, 3)]);
  assert.deepEqual([1, 2, 3, 9].map((pid) => [...children(pid)]), [[2], [3, 4], [5], []]);
});

test('a zombie is dead and a T process is stopped, with any flags that ps adds', () => {
  assert.deepEqual(['R', 'S', 'Ss', 'D', 'T', 't', 'Z', 'Z+', 'X', 'I'].filter(isDead), ['Z', 'Z+', 'X']);
  assert.deepEqual(['R', 'S', 'T', 'T+', 't', 'Z', 'D'].filter(isStopped), ['T', 'T+']);
});
