// Finds the terminal's foreground process group: the one that gets the signals of keys (Ctrl+C) and of size changes
// (SIGWINCH). Node has no tcgetpgrp(3), so this reads the process table.
import { readFileSync } from 'node:fs';
import { hasProc } from './proc.ts';
import { columns, ps } from './ps.ts';

/** `tpgid`, field 8 of /proc/PID/stat (proc(5)). The name, field 2, may hold blanks and parentheses, so count from the last `)`. */
export function parseForegroundGroup(stat: string): number | undefined {
  const tpgid = Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[5]);
  return tpgid > 0 ? tpgid : undefined;
}

function foregroundFromProc(): number | undefined {
  return parseForegroundGroup(readFileSync('/proc/self/stat', 'latin1'));
}

function foregroundFromPs(): number | undefined {
  const tpgid = Number(ps('-p', String(process.pid), ...columns('tpgid')));
  return tpgid > 0 ? tpgid : undefined;
}

/** The foreground group of our controlling terminal. Undefined: there is no terminal, or it has no foreground group. */
export const foregroundGroup: () => number | undefined = hasProc ? foregroundFromProc : foregroundFromPs;
