// The words of other runners (Compose, process-compose, supervisord, systemd, foreman, PM2 and others) and how to write the same here.
// One table serves every place of a manifest. keys.ts knows the keys of procrun itself.
import { parseDuration } from './durations.ts';
import { quoted } from './shown.ts';
import { parseSignal } from './signal-names.ts';
import { unsupportedConditions, unsupportedProcessKeys } from './unsupported.ts';
import type { MapNode, Node } from './yaml-nodes.ts';

interface OwnKey {
  readonly example: string;
  /** The other's value is a value here, too. */
  readonly sameValue?: boolean;
  /** The words of others, in lower case, without `_` and `-`. */
  readonly words: string;
}

const ownKeys: Readonly<Record<string, OwnKey>> = {
  command: { example: 'node server.js', sameValue: true, words: 'cmd exec execstart run script entrypoint commandline program proc' },
  description: { example: 'the web server', sameValue: true, words: 'desc summary title' },
  cwd: { example: './app', sameValue: true, words: 'workingdir workingdirectory workdir dir directory folder chdir' },
  env: { example: '{ A: "1" }', words: 'environment environ envs envvars variables vars environmentvariables' },
  env_file: { example: '[.env]', sameValue: true, words: 'environmentfile envfiles dotenv' },
  instances: { example: '2', sameValue: true, words: 'replicas scale numprocs numprocesses concurrency formation count deploy' },
  port: { example: '3000', words: 'ports expose publish' },
  tags: { example: '[back]', words: 'profiles namespace groups labels' },
  depends_on: { example: '[db]', words: 'after requires wants bindsto partof links needs deps dependencies waitfor priority' },
  stop: {
    example: '[{ SIGTERM: 10s }]',
    words:
      'shutdown stopsignal killsignal stopcommand execstop prestop stopgraceperiod stopwaitsecs stoptimeout timeoutstopsec killtimeout killtimeoutseconds terminationgraceperiodseconds gracefultimeout graceperiod',
  },
  stop_scope: { example: 'leader', words: 'killmode stopasgroup killasgroup treekill parentonly' },
  final_kill: { example: 'false', words: 'sendsigkill finalkillsignal' },
  success: { example: '[0, 143]', words: 'exitcodes successexitstatus stopexitcodes' },
  on_success: { example: 'stop', words: 'exitonend' },
  on_failure: { example: 'continue', words: 'ignoreexitcode ignorefailure' },
  max_runtime: { example: '1h', words: 'runtimemaxsec' },
  stdin: { example: 'forward', words: 'stdinopen standardinput interactive isinteractive isforeground' },
  stderr: { example: 'merge', words: 'redirectstderr standarderror mergelogs' },
  quiet: { example: 'true', words: 'silent hidden' },
  restart: { example: 'on-failure', words: 'autorestart availability restartpolicy restartsec startretries maxrestarts maxretry retry respawn backoffseconds exitonskipped' },
  ready: { example: '{ tcp: 3000 }', words: 'readinessprobe startupprobe readylogline waitready readydelay readyoutput readyhttp readyport startsecs minuptime launchtimeoutseconds timeoutstartsec' },
  health: { example: '{ http: "http://localhost:3000/" }', words: 'healthcheck livenessprobe watchdogsec' },
  autostart: { example: 'false', words: 'disabled enabled auto' },
  log: { example: 'web.log', words: 'stdoutlogfile stderrlogfile logfile loglocation logconfiguration logging standardoutput outfile errorfile' },
};

const severalFiles = 'several files are merged if each has its `-f`; common keys of one file go into `defaults`, or use YAML anchors and `<<`';

/** Words without a key of procrun's, and what to do instead. */
const otherWays: readonly { readonly words: string; readonly hint: string }[] = [
  {
    words: 'image build volumes volume networks network networkmode hostname secrets configs capadd capdrop privileged platform pullpolicy securityopt devices tmpfs shmsize dns extrahosts ipc pid',
    hint: 'procrun runs programs, not containers: leave it out, or write `command: docker run --rm IMAGE`',
  },
  { words: 'containername processname programname', hint: "the key of the process is its name: `web: { command: … }`" },
  { words: 'user group uid gid iselevated runas', hint: 'procrun runs every process as its own user: write `sudo -u NAME` or `setpriv` before the program' },
  { words: 'umask', hint: 'write `command: umask 022; exec …`' },
  { words: 'ulimits limitnofile limitnproc limitcore rlimits memlimit cpus maxmemoryrestart', hint: 'write `command: ulimit -n 1024; exec …`' },
  { words: 'nice cpuschedulingpolicy ioschedulingclass', hint: 'write `nice -n 5` before the program' },
  { words: 'execstartpre prestart before', hint: 'write it before the program: `command: STEP && exec PROGRAM`' },
  { words: 'execreload reload', hint: '`procrun kill -s HUP NAME` sends a signal' },
  { words: 'execstartpost execstoppost poststop poststart', hint: 'write it after the program: `command: PROGRAM; STEP`' },
  { words: 'tty istty pty', hint: '`procrun run NAME` gives a process your terminal' },
  { words: 'type isdaemon daemonize daemon forking pidfile', hint: 'leave it out, and start the program in the foreground, without its daemon option' },
  { words: 'init', hint: 'leave it out: procrun reaps orphans itself' },
  { words: 'schedule cron cronrestart oncalendar', hint: 'procrun has no schedule: leave it to cron or a systemd timer' },
  { words: 'interpreter args', hint: 'write the whole command line: `command: [node, server.js, --port, "3000"]`' },
  { words: 'extends include', hint: severalFiles },
  { words: 'watch develop', hint: 'this version of procrun does not watch files: let the command do it, for instance `node --watch`' },
];

const topWords: readonly { readonly words: string; readonly hint: string }[] = [
  { words: 'services service procs programs program apps tasks daemons commands jobs units', hint: 'in procrun this is `processes`: write `processes:`, and below it one `name: command` a line' },
  { words: 'version apiversion kind', hint: 'leave it out: a manifest has no version' },
  { words: 'volumes networks secrets configs', hint: 'procrun runs programs, not containers: leave it out' },
  { words: 'include includes extends imports', hint: severalFiles },
  { words: 'environment environ vars variables', hint: 'in procrun this is `env`: write `env: { A: "1" }`' },
  { words: 'timeout gracefultimeout graceperiod stopgraceperiod stoptimeout orderedshutdown', hint: 'in procrun this is `shutdown`: write `shutdown: { deadline: 30s }`' },
  { words: 'project projectname', hint: 'in procrun this is `name`: write `name: shop`' },
  { words: 'loglevel isstrict disableenvexpansion logformat logtimestamp', hint: 'leave it out: `procrun up --help` shows what there is' },
  { words: 'xprocess common shared base', hint: 'in procrun this is `defaults`: keys for every process' },
];

/** A hint for a key of another runner in a process or in `defaults`; `undefined` for an unknown word. */
export function processKeyHint(key: string, value: Node): string | undefined {
  const word = normalized(key);
  // procrun has a `shutdown` too, at the top level. That of process-compose has other keys.
  if (word === 'shutdown' && (value.kind !== 'map' || value.entries.size === 0 || value.entries.has('deadline'))) return undefined;
  const name = ownKeyFor(key);
  const own = name === undefined ? undefined : ownKeys[name];
  if (name === undefined || own === undefined) return otherWays.find(({ words }) => has(words, word))?.hint;
  const { example, sameValue = false } = own;
  if (unsupportedProcessKeys.includes(name)) return `in procrun this is \`${name}\`, which this version does not support`;
  return `in procrun this is \`${name}\`: write ${quoted(`${name}: ${name === 'stop' ? stopValue(word, value, example) : sameValue ? sourceOf(value) ?? example : example}`)}`;
}

/** A hint for a key of another runner at the top level. */
export function topKeyHint(key: string): string | undefined {
  const word = normalized(key);
  return topWords.find(({ words }) => has(words, word))?.hint;
}

/** The key of a process that means the same as a word of another runner. */
export function ownKeyFor(key: string): string | undefined {
  const word = normalized(key);
  return Object.entries(ownKeys).find(([, { words }]) => has(words, word))?.[0];
}

/** True for a word that only a line of an INI file, of supervisord's or systemd's, begins with. */
export function isNeighboursKey(key: string): boolean {
  const word = normalized(key);
  return Object.keys(ownKeys).includes(key) || [...Object.values(ownKeys), ...otherWays].some(({ words }) => has(words, word));
}

const conditions: Readonly<Record<string, string>> = {
  servicestarted: 'started',
  processstarted: 'started',
  servicehealthy: 'ready',
  processhealthy: 'ready',
  processlogready: 'ready',
  healthy: 'ready',
  servicecompletedsuccessfully: 'completed',
  processcompletedsuccessfully: 'completed',
  processcompleted: 'ended',
};

/** A hint for a dependency in the form of Compose and process-compose, `{db: {condition: …}}`, or with one of their words. */
export function dependencyHint(name: string, value: Node): string | undefined {
  const given = value.kind === 'map' ? value.entries.get('condition')?.value : value;
  const word = given === undefined ? 'servicestarted' : given.kind === 'scalar' ? normalized(given.source) : '';
  const own = conditions[word] ?? (value.kind === 'map' && given?.kind === 'scalar' ? given.source : undefined);
  if (own === undefined || (value.kind !== 'map' && conditions[word] === undefined)) return undefined;
  if (own === 'started' || !isPlanned(own)) return `write ${quoted(`${name}: ${own}`)}`;
  return `write ${quoted(`${name}: started`)}: \`${own}\` is not supported by this version of procrun`;
}

/** `ended` is planned with the others. */
function isPlanned(condition: string): boolean {
  return unsupportedConditions.includes(condition) || (condition === 'ended' && unsupportedConditions.length > 0);
}

/** The stages that mean the same as another's signal, time, or `{command, signal, timeout_seconds}`. */
function stopValue(word: string, value: Node, example: string): string {
  if (value.kind === 'map') return stopOfMap(value) ?? example;
  const source = sourceOf(value);
  if (source === undefined) return example;
  const signal = /^\d/.test(source) ? undefined : parseSignal(source);
  if (signal !== undefined) return `[{ ${signal}: 8s }]`;
  if (/command|execstop|prestop/.test(word)) return `[{ run: ${source} }]`;
  return parseDuration(source) === undefined || word === 'killtimeout' ? example : `[{ SIGTERM: ${timeOf(source)} }]`;
}

function stopOfMap({ entries }: MapNode): string | undefined {
  const [command, signal, time] = ['command', 'signal', 'timeout_seconds'].map((key) => sourceOf(entries.get(key)?.value));
  if (command === undefined && signal === undefined && time === undefined) return undefined;
  const seconds = timeOf(time ?? '10');
  return command === undefined ? `[{ ${parseSignal(signal ?? '') ?? 'SIGTERM'}: ${seconds} }]` : `[{ run: ${command} }, { SIGTERM: ${seconds} }]`;
}

/** A bare number is seconds, here and there. */
function timeOf(source: string): string {
  return /^\d+$/.test(source) ? `${source}s` : source;
}

function sourceOf(value: Node | undefined): string | undefined {
  return value?.kind === 'scalar' && value.source !== '' && value.source.length <= 40 && !value.source.includes('\n') ? value.source : undefined;
}

/** `WorkingDirectory`, `working-directory` and `working_directory` are one word. */
function normalized(key: string): string {
  return key.toLowerCase().replace(/[_\s-]/g, '');
}

function has(words: string, word: string): boolean {
  return words.split(' ').includes(word);
}
