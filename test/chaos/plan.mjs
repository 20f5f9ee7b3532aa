// Makes the random plan of one round: a manifest of hostile programs, options, and the signals that hit the runner and its
// processes. Pure: the same seed and the same kinds make the same plan.

/** Kinds of events that can be switched off: `--without kill,env-i`. */
export const kinds = ['kill', 'both', 'guard', 'env-i', 'silent', 'optout', 'leave', 'reader', 'job-control', 'recycle', 'flood', 'run'];

const stopSignals = ['INT', 'TERM', 'HUP'];

/** One to four random traits of a process. */
function traitsFor(random, without) {
  const on = (kind) => !without.has(kind);
  const traits = [
    () => `ignore=${random.some(['TERM', 'INT', 'HUP', 'USR1', 'ALRM'], random.between(1, 4)).join('+')}`,
    () => `ignore=TERM+INT+HUP`,
    () => `slow=${random.between(10, 250)}`,
    () => `children=${random.between(1, 4)}`,
    () => `forkloop=${random.between(4, 40)}`,
    () => `hop=${random.between(10, 60)}`,
    () => 'setsid',
    () => 'setpgid',
    () => 'double=env',
    () => `sethop=${random.between(250, 500)}`,
    () => 'selfstop',
    () => 'closeout',
    () => `zombies=${random.between(1, 5)}`,
    () => 'strayzombie',
    () => `sleep=${random.between(1, 100)}`,
    ...(on('env-i') ? [() => 'double=envi'] : []),
    ...(on('env-i') && on('silent') ? [() => 'double=silent'] : []),
    ...(on('optout') ? [() => 'optout'] : []),
    ...(on('flood') ? [() => 'flood'] : []),
  ];
  return Array.from({ length: random.between(1, 4) }, () => random.pick(traits)());
}

/** How a leader ends by itself. Empty: it does not. */
function endingFor(random) {
  if (random.chance(0.55)) return [];
  const moment = `sleep=${random.between(0, 600)}`;
  return random.pick([
    [moment, 'exit=0'],
    [moment, 'exit=0'],
    [moment, `exit=${random.between(1, 99)}`],
    [moment, `crash=${random.pick(['SEGV', 'ABRT', 'KILL', 'TERM'])}`],
    ['exit=0'],
    [moment, 'stopself'],
  ]);
}

function stagesFor(random, flag, without) {
  if (random.chance(0.15)) return undefined;
  /** @type {Record<string, unknown>[]} */
  const list = Array.from({ length: random.between(1, 3) }, () => ({ [`SIG${random.pick(['TERM', 'INT', 'HUP', 'USR1', 'ALRM', 'QUIT'])}`]: `${random.between(0, 250)}ms` }));
  // Without a flag stage, procrun would put `flag: 4s` first.
  if (flag) list.splice(random.chance(0.8) ? 0 : list.length, 0, { flag: `${random.between(0, 200)}ms` });
  if (random.chance(0.2) && !without.has('run')) list.splice(random.between(0, list.length), 0, { run: { command: random.pick(['true', 'sleep 5', 'setsid sleep 300 & exit 3']), timeout: `${random.between(20, 250)}ms` } });
  return list;
}

function processFor(random, without, name, earlier, python) {
  const traits = [...traitsFor(random, without), `say=${name}`, ...endingFor(random)];
  const words = [...python, name, ...traits];
  const quoted = words.map((word) => `'${word}'`).join(' ');
  const command = random.pick([words, words, `exec ${quoted}`, `${quoted}; true`, `${quoted} | cat`, `${quoted} & ${quoted}; wait`]);
  const flag = random.chance(0.3) ? random.pick(['file', 'fd', 'stdin']) : undefined;
  const signals = Object.fromEntries(
    random.some(['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGQUIT', 'SIGUSR1', 'SIGTSTP', 'SIGWINCH'], random.between(0, 3)).map((signal) => [
      signal,
      random.pick(signal === 'SIGQUIT' || signal === 'SIGTSTP' ? ['mask', 'forward'] : ['forward', 'forward', 'mask', 'ignore', 'stop', 'SIGUSR2', 'SIGTERM']),
    ]),
  );
  const stop = stagesFor(random, flag, without);
  return {
    command,
    ...(flag === undefined ? {} : { stop_flag: flag }),
    // The default stages take too long for a round.
    stop: stop ?? (flag ? [{ flag: '150ms' }, { SIGTERM: '250ms' }] : [{ SIGTERM: '250ms' }]),
    ...(Object.keys(signals).length === 0 ? {} : { signals }),
    ...(random.chance(0.2) ? { stop_scope: 'leader' } : {}),
    ...(!without.has('leave') && random.chance(0.1) ? { escapees: 'leave' } : {}),
    ...(random.chance(0.2) ? { stderr: 'split' } : {}),
    ...(random.chance(0.3) ? { on_failure: 'continue' } : {}),
    ...(random.chance(0.1) ? { on_success: 'stop' } : {}),
    ...(random.chance(0.15) ? { max_runtime: `${random.between(50, 500)}ms` } : {}),
    ...(earlier.length > 0 && random.chance(0.3) ? { depends_on: random.some(earlier, 1) } : {}),
    ...(random.chance(0.1) ? { quiet: true } : {}),
    ...(random.chance(0.15) ? { instances: 2 } : {}),
  };
}

/** Random signals to the runner, its guard or its processes. `at` is in ms after the start of the first process. */
function actionsFor(random, without) {
  const on = (kind) => !without.has(kind);
  const choices = [
    () => ({ do: 'runner', signal: random.pick(stopSignals) }),
    () => ({ do: 'runner', signal: random.pick(['USR1', 'USR2', 'WINCH', 'CONT']) }),
    () => ({ do: 'leader', signal: random.pick(['TERM', 'KILL', 'STOP', 'CONT', 'INT', 'HUP', 'SEGV']), which: random.number() }),
    () => ({ do: 'leader', signal: 'KILL', which: random.number() }),
    () => ({ do: 'member', signal: random.pick(['TERM', 'KILL', 'STOP', 'CONT', 'INT']), which: random.number() }),
    () => ({ do: 'member', signal: 'STOP', which: random.number() }),
    ...(on('job-control') ? [() => ({ do: 'pause', signal: random.pick(['TSTP', 'STOP']), forMs: random.between(20, 200) })] : []),
    ...(on('guard') ? [() => ({ do: 'guard', signal: random.pick(['KILL', 'KILL', 'TERM', 'HUP', 'STOP']) })] : []),
  ];
  return Array.from({ length: random.between(0, 6) }, () => ({ at: random.between(0, 600), ...random.pick(choices)() })).sort((a, b) => a.at - b.at);
}

/** The action that ends the round. */
function closingFor(random, without) {
  const at = random.between(20, 700);
  if (!without.has('kill') && random.chance(0.3)) return { at, do: 'kill' };
  if (!without.has('kill') && !without.has('both') && random.chance(0.08)) return { at, do: 'both' };
  if (!without.has('reader') && random.chance(0.06)) return { at, do: 'reader-gone' };
  if (random.chance(0.1)) return { at, do: 'signal', signal: 'QUIT' };
  return { at, do: 'signal', signal: random.pick(stopSignals), again: random.chance(0.3) ? random.between(210, 500) : undefined };
}

/** @param python the first words of each hostile program's command line. */
export function makePlan(random, without, python) {
  const names = ['a', 'b', 'c', 'd', 'e'].slice(0, random.between(1, 5));
  const processes = {};
  for (const [index, name] of names.entries()) processes[name] = processFor(random, without, name, names.slice(0, index), python);
  const args = [
    ...(random.chance(0.2) ? ['--keep-going'] : []),
    ...(random.chance(0.1) ? ['--stop-on-exit'] : []),
    ...(random.chance(0.15) ? ['--max-runtime', `${random.between(100, 800)}ms`] : []),
    ...(random.chance(0.2) ? ['-t', `${random.between(0, 800)}ms`] : []),
  ];
  return { manifest: { processes }, args, actions: actionsFor(random, without), closing: closingFor(random, without), recycle: !without.has('recycle') && random.chance(0.4) };
}
