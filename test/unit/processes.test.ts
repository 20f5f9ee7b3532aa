// Parsing the system's texts about processes: /proc/PID/stat of Linux, and recorded lines of ps(1) on macOS.
import { strict as assert } from 'node:assert';
import { test } from 'node:test';
import { parseEnvironmentLine, parsePsLine } from '../../src/os/processes-darwin.ts';
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

test('lines of `ps -ax -o pid=,ppid=,pgid=,stat=,lstart=,comm=` on macOS are parsed', () => {
  const recorded = [
    '    1     0     1 Ss   Thu Nov 19 08:12:03 2026     /sbin/launchd',
    '  513     1   513 S    Sat Nov  1 09:00:00 2026     /System/Library/Core Services/Finder.app/Contents/MacOS/Finder',
    ' 9120  9100  9120 T+   Sat Nov 21 02:44:09 2026     /bin/sleep',
    ' 9121  9100  9120 Z    Sat Nov 21 02:44:10 2026     (sleep)',
  ];
  assert.deepEqual(
    recorded.map((line) => parsePsLine(line)),
    [
      { pid: 1, ppid: 0, pgid: 1, sid: 1, state: 'Ss', startTicks: 'Thu Nov 19 08:12:03 2026', memoryLimit: '', command: '/sbin/launchd' },
      { pid: 513, ppid: 1, pgid: 513, sid: 513, state: 'S', startTicks: 'Sat Nov 1 09:00:00 2026', memoryLimit: '', command: '/System/Library/Core Services/Finder.app/Contents/MacOS/Finder' },
      { pid: 9120, ppid: 9100, pgid: 9120, sid: 9120, state: 'T+', startTicks: 'Sat Nov 21 02:44:09 2026', memoryLimit: '', command: '/bin/sleep' },
      { pid: 9121, ppid: 9100, pgid: 9120, sid: 9120, state: 'Z', startTicks: 'Sat Nov 21 02:44:10 2026', memoryLimit: '', command: '(sleep)' },
    ],
  );
  assert.equal(parsePsLine(''), undefined);
  assert.equal(parsePsLine('  PID  PPID'), undefined);
});

test('lines of `ps -ax -E -ww -o pid=,command=` on macOS: the environment comes after the command', () => {
  assert.deepEqual(parseEnvironmentLine('  513 /bin/sleep 300 PATH=/bin PROCRUN_RUN_ID=abc PROCRUN_INSTANCE=web.1'), [
    [513, '/bin/sleep\x00300\0PATH=/bin\0PROCRUN_RUN_ID=abc\0PROCRUN_INSTANCE=web.1\0'],
  ]);
  assert.equal(parseEnvironmentLine(''), undefined);
});

test('a zombie is dead and a T process is stopped, with any flags that ps adds', () => {
  assert.deepEqual(['R', 'S', 'Ss', 'D', 'T', 't', 'Z', 'Z+', 'X', 'I'].filter(isDead), ['Z', 'Z+', 'X']);
  assert.deepEqual(['R', 'S', 'T', 'T+', 't', 'Z', 'D'].filter(isStopped), ['T', 'T+']);
});
