// Runs the command of a `run` stage, in the environment of its process. It ends with its stage at the latest.
import { closeSync } from 'node:fs';
import { readProcess } from '../os/processes.ts';
import { ensureDescriptors } from '../os/descriptor-reserve.ts';
import { Session } from '../os/session.ts';
import { CannotStart, spawnLeader, type Leader } from '../os/spawn.ts';
import { realSystem, type System } from '../os/system.ts';
import { isSystemError } from '../os/system-error.ts';
import type { Member } from '../os/process-tree.ts';
import type { CommandSpec } from '../manifest/types.ts';
import type { Guard } from '../os/guard.ts';
import type { Child } from './child.ts';

export interface StageCommand {
  /** Ends the command and the rest of its session by SIGKILL, because the stage is over. */
  end(): void;
}

/** Poll interval until the command's group is empty. Its number is free then. */
const pollMs = 50;

/** More than one scan, because a process may fork during a scan. */
const maxScans = 3;

/** Two each for the pipe on which libuv reports exec's result and for the gate, one for the output. */
const descriptorsOfCommand = 5;

/** The leader of the command, and the session that it began. */
export interface StartedCommand {
  readonly leader: Leader;
  readonly session: Session;
}

export interface StageSystem extends System {
  readonly startBeside: (child: Child, command: CommandSpec) => StartedCommand;
}

const realStageSystem: StageSystem = { ...realSystem, startBeside };

/** @param warn gets one sentence when the command cannot be started, or fails. */
export function startStageCommand(child: Child, command: CommandSpec, guard: Guard, warn: (message: string) => void, system: StageSystem = realStageSystem): StageCommand {
  let started: StartedCommand;
  try {
    started = system.startBeside(child, command);
  } catch (error) {
    // A system error: for instance, the runtime folder is gone.
    if (!(error instanceof CannotStart || isSystemError(error))) throw error;
    warn(`its stop command could not be started: ${error.message}`);
    return { end: () => undefined };
  }
  const { leader, session } = started;
  const { pid } = leader;
  child.commandGroups.add(pid);
  let isOver = false;
  let isGuarded = false;
  const unguard = (): void => {
    // Only once: later the number may belong to another group.
    if (isGuarded) guard.remove(pid);
    isGuarded = false;
  };
  void leader.atGate.then((atGate) => {
    if (!atGate) return;
    isGuarded = true;
    guard.add({ pgid: pid, leaderStart: session.leaderStart, hasFdFlag: false });
    leader.openGate();
  });
  const unguardWhenFree = (): void => {
    if (session.isHeld) {
      system.schedule(unguardWhenFree, pollMs).unref();
      return;
    }
    if (!session.isFree) return;
    unguard();
    child.commandGroups.delete(pid);
  };
  void leader.ended.then((end) => {
    session.leaderReaped();
    unguardWhenFree();
    if (!isOver && end.kind === 'exit' && end.code !== 0) warn(`its stop command ended with status ${end.code}`);
  });
  return {
    end: () => {
      isOver = true;
      for (let scan = 0; scan < maxScans && !session.isFree; scan += 1) {
        // Members of the command's session. Descendants that left the session carry the mark of the process's tree and end with it.
        const left = leftOf(child, session, system);
        const groupIsOurs = session.isHeld || left.some(({ inGroup }) => inGroup);
        if (groupIsOurs) system.signalGroup(pid, 'SIGKILL');
        const others = left.filter(({ inGroup }) => !inGroup);
        for (const { info } of others) if (system.isStillAlive(info)) system.signalProcess(info.pid, 'SIGKILL');
        // One kill(2) ends a whole group, even while it forks. No further scan is needed.
        if (groupIsOurs && others.length === 0) break;
      }
      unguard();
    },
  };
}

/** Spawns the command with the environment and the output pipe of the process. */
function startBeside(child: Child, command: CommandSpec): StartedCommand {
  ensureDescriptors(descriptorsOfCommand);
  const output = child.openOutput();
  const env = { ...child.env, PROCRUN_PID: String(child.pid ?? '') };
  try {
    const leader = spawnLeader({ command, cwd: child.plan.spec.cwd, env, memoryLimitKib: child.memoryLimit?.limitKib, ignore: [], stdin: null, stdout: output, stderr: output, stopFd: undefined, ipc: false });
    return { leader, session: new Session(leader.pid, readProcess(leader.pid)?.startTicks, { isChild: true }) };
  } finally {
    closeSync(output);
  }
}

function leftOf({ mark }: Child, session: Session, { findSessionMembers }: System): Member[] {
  return mark ? findSessionMembers({ ...mark, session, excludedGroups: new Set() }) : [];
}
