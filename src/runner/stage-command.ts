// The command of a `run` stage: in the environment of its process, beside it, and not longer than its stage.
import { closeSync, constants, openSync } from 'node:fs';
import { isSameAlive, readProcess } from '../os/processes.ts';
import { Session } from '../os/session.ts';
import { signalGroup, signalProcess } from '../os/signals.ts';
import { CannotStart, spawnLeader, type Leader } from '../os/spawn.ts';
import { findSession } from '../os/tree.ts';
import type { Command } from '../manifest/types.ts';
import type { Guard } from '../os/guard.ts';
import type { Child } from './child.ts';

export interface StageCommand {
  /** Ends it and what is left of its group, by SIGKILL: its time is over. */
  end(): void;
}

/** @param warn is told in a sentence when the command cannot be started, or fails. */
export function startStageCommand(child: Child, command: Command, guard: Guard, warn: (message: string) => void): StageCommand {
  // For reading, too: where everybody has closed the process's output already, ours as well, opening it would wait for a reader.
  const output = openSync(child.outputPath, constants.O_RDWR);
  const env = { ...child.env, PROCRUN_PID: String(child.pid ?? '') };
  let leader: Leader;
  try {
    leader = spawnLeader({ command, cwd: child.plan.spec.cwd, env, memoryLimitKib: child.memoryLimit?.limitKib, ignore: [], stdin: null, stdout: output, stderr: output, stopFd: undefined, ipc: false });
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    warn(`its stop command could not be started: ${error.message}`);
    return { end: () => undefined };
  } finally {
    closeSync(output);
  }
  const { pid } = leader;
  const session = new Session(pid, readProcess(pid)?.startTicks, { isChild: true });
  child.commandGroups.add(pid);
  let isGuarded = false;
  const unguard = (): void => {
    // Once: the number may be another one's by the next time.
    if (isGuarded) guard.remove(pid);
    isGuarded = false;
  };
  void leader.atGate.then((atGate) => {
    if (!atGate) return;
    isGuarded = true;
    guard.add({ pgid: pid, leaderStart: session.leaderStart, isToldByDeath: false });
    leader.open();
  });
  void leader.ended.then((end) => {
    session.leaderReaped();
    if (session.isFree) {
      unguard();
      child.commandGroups.delete(pid);
    }
    if (end.kind === 'exit' && end.code !== 0) warn(`its stop command ended with status ${end.code}`);
  });
  return {
    end: () => {
      if (session.isFree) return;
      if (session.leaderIsOurs) signalGroup(pid, 'SIGKILL');
      // What the command left in its session; what went further bears the mark of the process's tree and ends with that.
      const { mark } = child;
      const left = mark ? findSession({ ...mark, session, notOfTree: new Set() }) : [];
      for (const { info } of left) if (isSameAlive(info)) signalProcess(info.pid, 'SIGKILL');
      unguard();
    },
  };
}
