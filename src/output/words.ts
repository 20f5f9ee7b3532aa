// Turns notices into sentences for people. pretty.ts adds colours and columns.
import { formatDuration } from '../manifest/durations.ts';
import { printable, shown, type Shown } from '../manifest/shown.ts';
import type { LeaderEnd } from '../os/spawn.ts';
import type { Notice, Outcome, Result, StageName, StopCause, Waiting } from './notices.ts';

/** The key that sends a signal, for users who know the key better. */
const keyNames: Partial<Record<string, string>> = { SIGINT: 'Ctrl+C', SIGQUIT: 'Ctrl+\\' };

const nextStageNames: Partial<Record<StageName, string>> = { flag: 'stop flag', run: 'stop command' };

function signalInWords(signal: string): string {
  return keyNames[signal] ? `${keyNames[signal]} (${signal})` : signal;
}

export function causeInWords(cause: StopCause): string {
  switch (cause.kind) {
    case 'signal':
      return signalInWords(cause.signal);
    case 'failure':
      return `${cause.process} failed`;
    case 'success':
      return `${cause.process} is done`;
    case 'timed-out':
      return 'the time is up';
    case 'reader-gone':
      return 'stdout was closed by its reader';
    case 'output-failed':
      return `the output cannot be written (${cause.reason})`;
    case 'down':
    case 'kill':
      return `\`procrun ${cause.kind}\``;
    case 'leader-ended':
      return 'its leader has ended';
  }
}

export function endInWords(end: LeaderEnd): string {
  return end.kind === 'exit' ? `exit ${end.code}` : `killed by ${end.signal}`;
}

function outcomeInWords(outcome: Outcome): string {
  switch (outcome.kind) {
    case 'never-started':
      return outcome.reason;
    case 'survived':
      return 'could not be killed';
    case 'exit':
    case 'signal':
      return endInWords(outcome);
  }
}

function stageInWords({ stage, nextStage, timeoutMs }: Extract<Notice, { type: 'stage' }>): string {
  switch (stage) {
    case 'flag':
      return `stop flag raised; ${nextStageInWords(timeoutMs, nextStage)}`;
    case 'run':
      return `its stop command runs; ${nextStageInWords(timeoutMs, nextStage)}`;
    case 'SIGKILL':
      return 'SIGKILL';
    default:
      return `${stage} sent; ${nextStageInWords(timeoutMs, nextStage)}`;
  }
}

function nextStageInWords(timeoutMs: number, nextStage: StageName | undefined): string {
  if (timeoutMs === Infinity) return 'no time limit';
  if (nextStage === undefined) return `last stage, ${formatDuration(timeoutMs)}`;
  return `${nextStageNames[nextStage] ?? nextStage} ${timeoutMs === 0 ? 'at once' : `in ${formatDuration(timeoutMs)}`}`;
}

/** One line; undefined if people need not see this notice. */
export function noticeInWords(notice: Notice): Shown | undefined {
  switch (notice.type) {
    case 'start':
      return shown`${notice.process} started (pid ${notice.pid})`;
    case 'not-started':
      return shown`${notice.process} could not be started: ${notice.reason}`;
    case 'stage':
      return shown`${notice.process}: ${stageInWords(notice)}`;
    case 'exit':
      return notice.asked ? undefined : shown`${notice.process} ended: ${endInWords(notice.end)}`;
    case 'timed-out':
      return shown`${notice.process} has run for ${formatDuration(notice.afterMs)}, its \`max_runtime\`: stopping it`;
    case 'leftovers':
      return shown`${notice.process} left processes behind: stopping them`;
    case 'gone':
      return notice.stage === undefined ? undefined : shown`${notice.process} is gone after ${measured(notice.durationMs)} (${notice.stage})`;
    case 'last-stage-over':
      return shown`${notice.process} has not ended in its last stage; waiting on, since it has \`final_kill: false\``;
    case 'stopping':
      return shown`stopping: ${causeInWords(notice.cause)}`;
    case 'hurried':
      if (notice.moved) return shown`${signalInWords(notice.signal)}: on to the next stage`;
      if (notice.cutsOutput) return shown`${signalInWords(notice.signal)}: not waiting any longer for whoever reads the output`;
      return shown`${signalInWords(notice.signal)}: this is the last stage already, there is only waiting`;
    case 'deadline':
      return shown`the deadline of the stop is over: SIGKILL for all`;
    case 'escapee':
      return shown`${notice.process}: process ${notice.pid} (${notice.command}) left its group: ${notice.left ? 'left alone' : 'it ends with the rest'}`;
    case 'holder':
      return notice.pid === undefined
        ? shown`${notice.process} has ended, but something still holds its output open; not waiting for it`
        : shown`${notice.process} has ended, but process ${notice.pid} (${notice.command}) still holds its output open; not waiting for it`;
    case 'survivor':
      return notice.deniedUser === undefined
        ? shown`${notice.process}: process ${notice.pid} (state ${notice.state}, ${notice.command}) survived SIGKILL`
        : shown`${notice.process}: process ${notice.pid} (state ${notice.state}, ${notice.command}) belongs to ${notice.deniedUser}: no permission to signal it`;
    case 'warning':
      return notice.process === undefined ? printable(notice.message) : shown`${notice.process}: ${notice.message}`;
    case 'signal':
      return notice.reason === 'kill' ? shown`${notice.process}: ${notice.signal} to its ${notice.to}, by \`procrun kill\`` : undefined;
    case 'paused':
    case 'resumed':
    case 'done':
      return undefined;
  }
}

/** The keys that a user can type next, for the start of a stop at a terminal. */
export function furtherKeysInWords(notice: Notice): Shown | undefined {
  // After SIGQUIT there is no next stage.
  if (notice.type !== 'stopping' || (notice.cause.kind === 'signal' && notice.cause.signal === 'SIGQUIT')) return undefined;
  return shown`Ctrl+C again for the next stage${notice.noKill ? '' : ', Ctrl+\\ to kill at once'}`;
}

/** A measured time, without digits that mean nothing. */
export function measured(ms: number): string {
  return ms < 1000 ? formatDuration(Math.round(ms)) : `${(ms / 1000).toFixed(1)}s`;
}

/** The table at the end of a stop: process, how it ended, stage, duration. */
export function summaryRows(results: readonly Result[]): string[][] {
  return results.map((result) => [
    result.process,
    result.timedOut ? `timed out, ${outcomeInWords(result.outcome)}` : outcomeInWords(result.outcome),
    result.outcome.kind === 'never-started' ? '' : result.stage === undefined ? 'by itself' : `in stage ${result.stage}`,
    // The duration of its stop. A process that ended by itself had none.
    result.outcome.kind === 'never-started' || result.stage === undefined ? '' : `after ${measured(result.durationMs)}`,
  ]);
}

/** The instances that a stop waits for, with stage and remaining time, on one line of less than so many columns. Empty: there is no room. */
export function progressInWords(waiting: readonly Waiting[], columns: number): Shown {
  const parts = waiting.map(({ process, stage, remainingMs, nextStage, isDraining }) => {
    if (isDraining) return `${process} (has ended, its output is read)`;
    if (stage === undefined) return `${process} (its turn comes)`;
    if (remainingMs === Infinity) return `${process} (${stage})`;
    const left = `${Math.ceil(remainingMs / 1000)}s`;
    return nextStage === undefined ? `${process} (${stage}, ${left})` : `${process} (${stage}, ${nextStage} in ${left})`;
  });
  const text = shown`waiting for ${parts.join(', ')}`;
  if (text.length < columns) return text;
  if (columns < 2) return shown``;
  // Cut the printable text: an escaped character is wider than the character.
  const short = shown`waiting for ${waiting.length}: ${parts.join(', ')}`;
  return printable(`${short.slice(0, columns - 2)}…`);
}
