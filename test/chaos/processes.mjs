// What the kernel says of processes, read from /proc by the chaos test's own eyes: it must not see with those of procrun.
import { readFileSync, readdirSync } from 'node:fs';

/** Undefined: there is no such process. A zombie is one. */
export function processInfo(pid) {
  const stat = read(pid, 'stat');
  if (stat === undefined) return undefined;
  const close = stat.lastIndexOf(')');
  const fields = stat.slice(close + 2).split(' ');
  return { pid, name: stat.slice(stat.indexOf('(') + 1, close), state: fields[0], ppid: Number(fields[1]), pgid: Number(fields[2]), sid: Number(fields[3]), start: fields[19] };
}

export function isLiving(info) {
  return info !== undefined && info.state !== 'Z' && info.state !== 'X';
}

/** Whether that very process lives, not a later one of its number. */
export function isSame({ pid, start }) {
  const now = processInfo(pid);
  return now !== undefined && isLiving(now) && now.start === start;
}

export function allProcesses() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((name) => processInfo(Number(name)) ?? [])
    .filter((info) => isLiving(info));
}

/** All that the kernel does not give to a new process now: pids, groups and sessions, those of zombies too. */
export function allNumbers() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processInfo(Number(name)))
    .flatMap((info) => (info === undefined ? [] : [info.pid, info.pgid, info.sid]));
}

export function commandLine(pid) {
  return (read(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
}

/** What is alive and has the tag in its command line, or in its environment as CHAOS_TAG. */
export function tagged(tag) {
  return allProcesses()
    .map((info) => ({ ...info, argv: commandLine(info.pid) }))
    .filter(({ pid, argv }) => argv.some((word) => word.includes(tag)) || (read(pid, 'environ') ?? '').includes(`CHAOS_TAG=${tag}`));
}

export function environmentHas(pid, text) {
  return (read(pid, 'environ') ?? '').includes(text);
}

function read(pid, file) {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'latin1');
  } catch {
    // It has ended.
    return undefined;
  }
}

/** False when it is gone. */
export function send(pid, signal) {
  try {
    return process.kill(pid, `SIG${signal}`);
  } catch {
    return false;
  }
}

export function sleep(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

/** Asks every few ms. False when it is still not so after that time. */
export async function waitUntil(isSo, ms) {
  const deadline = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
