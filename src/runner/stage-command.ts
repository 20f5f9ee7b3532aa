// The command of a `run` stage: in the environment of its process, beside it, and not longer than its stage.
import { closeSync, constants, openSync } from 'node:fs';
import { signalGroup } from '../os/signals.ts';
import { CannotStart, spawnLeader } from '../os/spawn.ts';
import type { Command } from '../manifest/types.ts';
import type { Child } from './child.ts';

export interface StageCommand {
  /** Ends it and what is left of its group, by SIGKILL: its time is over. */
  end(): void;
}

/** @param warn is told in a sentence when the command cannot be started, or fails. */
export function startStageCommand(child: Child, command: Command, warn: (message: string) => void): StageCommand {
  const output = openSync(child.outputPath, constants.O_WRONLY);
  let group: number | undefined;
  const env = { ...child.env, PROCRUN_PID: String(child.pid ?? '') };
  try {
    const leader = spawnLeader({
      command,
      cwd: child.plan.spec.cwd,
      env,
      ignore: [],
      stdin: null,
      stdout: output,
      stderr: output,
      stopFd: undefined,
      ipc: false,
    });
    group = leader.pid;
    child.commandGroups.add(leader.pid);
    void leader.atGate.then((atGate) => {
      if (atGate) leader.open();
    });
    void leader.ended.then((end) => {
      // What the command left in its group has no more business than its leader.
      group = undefined;
      if (end.kind === 'exit' && end.code !== 0) warn(`its stop command ended with status ${end.code}`);
    });
  } catch (error) {
    if (!(error instanceof CannotStart)) throw error;
    warn(`its stop command could not be started: ${error.message}`);
  } finally {
    closeSync(output);
  }
  return {
    end: () => {
      if (group !== undefined) signalGroup(group, 'SIGKILL');
    },
  };
}
