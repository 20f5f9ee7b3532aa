// Reads processes from /proc for the chaos test. It shares no code with procrun, so that it does not share its mistakes.
import { readFileSync, readdirSync } from 'node:fs';

/** @returns undefined if there is no such process. A zombie counts as a process. */
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

/** True if that same process is alive, and not a later process with the same pid. */
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

/** All numbers that the kernel does not give to a new process now: pids, groups and sessions, zombies included. */
export function allNumbers() {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => processInfo(Number(name)))
    .flatMap((info) => (info === undefined ? [] : [info.pid, info.pgid, info.sid]));
}

export function commandLine(pid) {
  return (read(pid, 'cmdline') ?? '').split('\0').filter((word) => word !== '');
}

/** Living processes with the tag in their command line, or in their environment as CHAOS_TAG. */
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
    // The process has ended.
    return undefined;
  }
}

/** @returns false if the process is gone. */
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

/** Checks every 10 ms. @returns false if the condition is still not true after `ms`. */
export async function waitUntil(isSo, ms) {
  const deadline = performance.now() + ms;
  while (!isSo()) {
    if (performance.now() > deadline) return false;
    await sleep(10);
  }
  return true;
}
