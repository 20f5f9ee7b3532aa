// The command of a `run` stage: in the environment of its process, beside it, and not longer than its stage.
import { closeSync, constants, openSync } from 'node:fs';
import { isSameAlive, readProcess } from '../os/processes.ts';
import { needDescriptors } from '../os/descriptor-reserve.ts';
import { Session } from '../os/session.ts';
import { signalGroup, signalProcess } from '../os/kill.ts';
import { CannotStart, spawnLeader, type Leader } from '../os/spawn.ts';
import { isSystemError } from '../os/system-error.ts';
import { findSession, type Member } from '../os/process-tree.ts';
import type { CommandSpec } from '../manifest/types.ts';
import type { Guard } from '../os/guard.ts';
import type { Child } from './child.ts';

export interface StageCommand {
  /** Ends it and what is left of its session, by SIGKILL: its time is over. */
  end(): void;
}

/** So often it is asked whether what the command left in its group has ended: its number is free then. */
const askEveryMs = 50;

/** What forks while it is looked for is found by the next look. */
const mostLooks = 3;

/** libuv's pipe that tells of exec's success and the gate, two ends each, and the output. */
const descriptorsOfCommand = 5;

/** @param warn is told in a sentence when the command cannot be started, or fails. */
export function startStageCommand(child: Child, command: CommandSpec, guard: Guard, warn: (message: string) => void): StageCommand {
  let leader: Leader;
  try {
    leader = spawnBeside(child, command);
  } catch (error) {
    // Of the system: the runtime folder is gone, for instance.
    if (!(error instanceof CannotStart || isSystemError(error))) throw error;
    warn(`its stop command could not be started: ${error.message}`);
    return { end: () => undefined };
  }
  const { pid } = leader;
  const session = new Session(pid, readProcess(pid)?.startTicks, { isChild: true });
  child.commandGroups.add(pid);
  let isOver = false;
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
  const strikeOff = (): void => {
    if (session.isHeld) {
      setTimeout(strikeOff, askEveryMs).unref();
      return;
    }
    if (!session.isFree) return;
    unguard();
    child.commandGroups.delete(pid);
  };
  void leader.ended.then((end) => {
    session.leaderReaped();
    strikeOff();
    if (!isOver && end.kind === 'exit' && end.code !== 0) warn(`its stop command ended with status ${end.code}`);
  });
  return {
    end: () => {
      isOver = true;
      for (let look = 0; look < mostLooks && !session.isFree; look += 1) {
        // What the command left in its session; what went further bears the mark of the process's tree and ends with that.
        const left = leftOf(child, session);
        const groupIsOurs = session.isHeld || left.some(({ inGroup }) => inGroup);
        if (groupIsOurs) signalGroup(pid, 'SIGKILL');
        const others = left.filter(({ inGroup }) => !inGroup);
        for (const { info } of others) if (isSameAlive(info)) signalProcess(info.pid, 'SIGKILL');
        // One kill(2) ends all of a group, whatever it forks.
        if (groupIsOurs && others.length === 0) break;
      }
      unguard();
    },
  };
}

/** In the environment of the process, and with its output. */
function spawnBeside(child: Child, command: CommandSpec): Leader {
  needDescriptors(descriptorsOfCommand);
  // For reading, too: where everybody has closed the process's output already, ours as well, opening it would wait for a reader.
  const output = openSync(child.outputPath, constants.O_RDWR);
  const env = { ...child.env, PROCRUN_PID: String(child.pid ?? '') };
  try {
    return spawnLeader({ command, cwd: child.plan.spec.cwd, env, memoryLimitKib: child.memoryLimit?.limitKib, ignore: [], stdin: null, stdout: output, stderr: output, stopFd: undefined, ipc: false });
  } finally {
    closeSync(output);
  }
}

function leftOf({ mark }: Child, session: Session): Member[] {
  return mark ? findSession({ ...mark, session, notOfTree: new Set() }) : [];
}
