// Histories for the supervisor: a run on a fake clock. A test gives the events and gets the actions.
import { strict as assert } from 'node:assert';
import { defaultPolicies, defaultShell, defaultStop, processDefaults } from '../../src/manifest/defaults.ts';
import type { PolicySignal, ProcessSpec, Stage } from '../../src/manifest/types.ts';
import type { Notice } from '../../src/output/notices.ts';
import { killStage } from '../../src/manifest/defaults.ts';
import { planInstances } from '../../src/supervisor/plan.ts';
import { Supervisor, type SupervisorOptions } from '../../src/supervisor/supervisor.ts';
import type { Action, LeaderEndEvent, SupervisorEvent } from '../../src/supervisor/types.ts';

export function spec(name: string, changes: Partial<ProcessSpec> = {}): ProcessSpec {
  const flag = changes.stopFlag;
  return {
    ...processDefaults,
    name,
    command: { kind: 'shell', text: name, shell: defaultShell },
    cwd: '/',
    env: {},
    signals: defaultPolicies,
    stopStages: [...defaultStop(flag), killStage],
    ...changes,
  };
}

export function signalStage(signal: NodeJS.Signals, timeoutMs: number): Stage {
  return { kind: 'signal', signal, timeoutMs };
}

export const flagStage = (timeoutMs: number): Stage => ({ kind: 'flag', timeoutMs });

/** More steps than any history has: ten days have 864,000 seconds. A supervisor that never comes to rest fails its test, and loops no further. */
const mostSteps = 1_000_000;

/** A run in which the test plays the system. Each step returns the actions as short texts, in order. */
export class History {
  readonly supervisor: Supervisor;
  now = 1000;
  readonly notices: Notice[] = [];
  finished: { status: number; signal: PolicySignal | undefined } | undefined;
  /** Whether the end of the run waits no longer for a slow reader of the output. */
  cutsOutputAtEnd: boolean | undefined;

  constructor(specs: readonly ProcessSpec[], options: SupervisorOptions = {}) {
    this.supervisor = new Supervisor(planInstances(specs), options);
  }

  tell(event: SupervisorEvent): string[] {
    return this.supervisor.handle(event, this.now).flatMap((action) => this.#asText(action));
  }

  /** Begins the run, and reports each spawn as done at once. */
  begin(): string[] {
    const words = this.tell({ type: 'begin' });
    let steps = 0;
    for (let spawned = words.filter((word) => word.startsWith('spawn ')); spawned.length > 0; ) {
      assert.ok((steps += spawned.length) <= mostSteps, `it still spawns after ${mostSteps} spawns: ${spawned.join(', ')}`);
      const next = spawned.flatMap((word) => this.spawned(word.slice('spawn '.length)));
      words.push(...next);
      spawned = next.filter((word) => word.startsWith('spawn '));
    }
    return words;
  }

  spawned(id: string): string[] {
    return this.tell({ id, type: 'spawned', pid: 4242 });
  }

  signal(signal: PolicySignal): string[] {
    return this.tell({ type: 'signal', signal });
  }

  /** Lets time pass, with a `time` event at each deadline of the supervisor. */
  pass(ms: number): string[] {
    const until = this.now + ms;
    const words: string[] = [];
    let steps = 0;
    for (let next = this.supervisor.deadline; next <= until; next = this.supervisor.deadline) {
      assert.ok((steps += 1) <= mostSteps, `its deadline is still ${next} after ${mostSteps} time events up to ${this.now}`);
      this.now = Math.max(this.now, next);
      words.push(...this.tell({ type: 'time' }));
    }
    this.now = until;
    return words;
  }

  /** Lets time pass without events, as if the runner were stopped. */
  standStill(ms: number): void {
    this.now += ms;
  }

  leaderEnds(id: string, end: number | NodeJS.Signals = 0): string[] {
    const leaderEnd: LeaderEndEvent['end'] = typeof end === 'number' ? { kind: 'exit', code: end } : { kind: 'signal', signal: end };
    return this.tell({ id, type: 'leader-ended', end: leaderEnd });
  }

  /** The leader ends, its tree is gone, and its output is drained. */
  ends(id: string, end: number | NodeJS.Signals = 0): string[] {
    return [...this.leaderEnds(id, end), ...this.gone(id)];
  }

  gone(id: string): string[] {
    return [...this.tell({ id, type: 'gone' }), ...this.tell({ id, type: 'drained' })];
  }

  #asText(action: Action): string[] {
    switch (action.type) {
      case 'notice':
        this.notices.push(action.notice);
        return [];
      case 'send':
        return [`${action.signal} ${action.id}${action.scope === 'leader' ? ' (leader)' : ''}${action.wake ? '' : ' (as it is)'}`];
      case 'finish':
        this.finished = { status: action.status, signal: action.signal };
        this.cutsOutputAtEnd = action.cutOutput;
        return ['finish'];
      case 'pause':
        return ['pause'];
      default:
        return [`${action.type} ${action.id}`];
    }
  }

  noticesOf<T extends Notice['type']>(type: T): Extract<Notice, { type: T }>[] {
    return this.notices.filter((notice): notice is Extract<Notice, { type: T }> => notice.type === type);
  }
}
