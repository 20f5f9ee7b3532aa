#!/bin/sh
':' /*
# The command procrun: loads the one file in dist/ that was built at installation. Everything else is in src/.
#
# First comes a shell's part, which is a text and a comment to JavaScript. It is for the first process of a container, PID 1.
# That one is given the orphans of all others and has to reap them, or they stay as zombies. Node reaps only what it has
# spawned itself; a shell reaps them all. So as PID 1 the shell stays, with Node as its child, passes on what it is sent,
# and ends as Node ends. Otherwise Node takes its place. For dash, bash and busybox; it knows nothing of procrun's options.

procrun_node=${PROCRUN_NODE:-node}
unset PROCRUN_NODE
command -v "$procrun_node" >/dev/null 2>&1 || {
  echo "procrun: $procrun_node: not found. procrun needs Node 20.5 or later on the PATH." >&2
  exit 127
}

# dash and busybox drop the variables whose names are none to a shell, such as `discovery.type`. They come back from this
# copy of all, if that is not too long for the kernel (MAX_ARG_STRLEN, execve(2)). Only the text itself tells whether there are
# any, and no shell can read its zero bytes: so one process, a millisecond, is what every start from such a shell costs.
if [ -z "$BASH_VERSION" ] && [ -r "/proc/$$/environ" ] && LC_ALL=C grep -qzE '^([0-9]|[A-Za-z0-9_]*[^A-Za-z0-9_=])' "/proc/$$/environ"; then
  PROCRUN_ENVIRONMENT=$(base64 <"/proc/$$/environ" | tr -d '\n')
  if [ ${#PROCRUN_ENVIRONMENT} -lt 131000 ]; then export PROCRUN_ENVIRONMENT; fi
fi

[ $$ -eq 1 ] || exec "$procrun_node" "$0" "$@"

# A SHELLOPTS in the environment may have set these.
set +eu

# Traps. One may run in the midst of another, and dash and busybox then forget the status of the command before it. So nothing
# in here goes by a status, but by `case`, and what a trap has to remember is in its own $1, $2, and so on. A loop may end too
# early by that, but then the other trap has been through it. (An asterisk before a slash would end all this for JavaScript.)

# Where we are, as proc(5) has it. Sets $procrun_terminal, 0 if there is none, $procrun_typed, if we are in the foreground
# of it, and $procrun_gone to 1 if there was one for whose session we are responsible, and it is not there any more.
procrun_look() {
  procrun_stat=
  read -r procrun_stat <"/proc/$$/stat"
  # The name before the last parenthesis may hold anything. Then: state, parent, group, session, terminal, its foreground.
  # shellcheck disable=SC2086
  set -- ${procrun_stat##*)}
  procrun_terminal=${5:-0} procrun_typed='' procrun_gone=0
  case $procrun_terminal:$3 in
    0:*) case $procrun_had_terminal$4 in yes1) procrun_gone=1 ;; esac ;;
    *:"$6") procrun_typed=typed ;;
  esac
} 2>/dev/null

# Whether the child hears signals. Sets $procrun_child to `none` if it is no more, `ready`, or else. Until it has become Node it
# is a copy of this shell, which forgets them; and SIGINT and SIGQUIT, bits 2 and 4 of the mask, are ignored by what a shell
# starts in the background, until Node undoes that.
procrun_look_at_child() {
  procrun_child=none procrun_name=
  read -r procrun_key procrun_name <"/proc/$$/status"
  while read -r procrun_key procrun_value; do
    case $procrun_child$procrun_key$procrun_value in
      "noneName:$procrun_name" | nodeSigIgn:*[2-7a-f]) procrun_child=early ;;
      noneName:*) procrun_child=node ;;
      nodeSigIgn:*) procrun_child=ready ;;
    esac
  done <"/proc/$!/status"
} 2>/dev/null

# NUMBER of a signal: passes it on to Node, once.
procrun_relay() {
  # Nothing has been started yet.
  case $! in '') exit $((128 + $1)) ;; esac
  # $2: how many have found the terminal gone before; $3: whether Node was there to hear what its group is sent.
  set -- "$1" "$procrun_hangups" heard
  while :; do
    procrun_look_at_child
    case $procrun_child in none | ready) break ;; esac
    set -- "$1" "$2" unheard
  done
  procrun_look
  # A terminal tells its end to the leader of the session alone, and Node takes it that all of the group know. So they are
  # told, by the first who comes here. SIGCONT comes along, and may be all that a bash has heard.
  set -- "$1" "$2" "$3" $((procrun_hangups += procrun_gone))
  case $procrun_gone$4 in
    11)
      trap '' 1
      kill -1 0
      trap 'procrun_relay 1' 1
      ;;
  esac
  case $1:$2:$procrun_gone in 1:0:1) return ;; esac
  case $1 in
    2 | 3)
      # SIGINT, SIGQUIT: what is typed the terminal sends to all of the group in its foreground, and so to Node too.
      case $3$procrun_typed in heardtyped) return ;; esac
      ;;
    18)
      # SIGCONT: a shell's `fg` sends it to Node too. What stopped Node alone has left it stopped.
      procrun_child=
      read -r procrun_child 2>/dev/null <"/proc/$!/stat"
      case $procrun_terminal:${procrun_child##*) } in 0:* | *:[Tt]*) ;; *) return ;; esac
      ;;
  esac
  kill "-$1" "$!" 2>/dev/null
}

# STATUS of Node: ends with it. When PID 1 ends, the kernel kills all that is left. If Node itself was killed (137), its guard
# is about to do that in good order, and has the time for it.
procrun_end() {
  tenths=0
  while [ "$1" -eq 137 ] && [ $tenths -lt 100 ] && kill -0 -1 2>/dev/null; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  exit "$1"
}

procrun_hangups=0 procrun_had_terminal=
procrun_look
[ "$procrun_terminal" = 0 ] || procrun_had_terminal=yes

# All that can be caught, by number, but SIGCHLD, which is this shell's own, and real-time signals, which Node does not know.
# At a terminal SIGTSTP, SIGTTIN, SIGTTOU and SIGWINCH are between it and Node; the kernel keeps from PID 1 what it has no trap for.
for procrun_number in 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 20 21 22 23 24 25 26 27 28 29 30 31; do
  case $procrun_had_terminal$procrun_number in yes2[0128]) continue ;; esac
  # shellcheck disable=SC2064
  trap "procrun_relay $procrun_number" $procrun_number
done

# What is started in the background has /dev/null for its input, unless it is told otherwise: by a descriptor that is free.
procrun_input=
if true 9<&0; then
  for procrun_number in 3 4 5 6 7 8 9; do
    true <&$procrun_number && continue
    procrun_input="<&$procrun_number $procrun_number<&-"
    eval "exec $procrun_number<&0"
    break
  done
fi 2>/dev/null

eval "\"\$procrun_node\" \"\$0\" \"\$@\" $procrun_input &"

# A status above 128 is Node's, or of a signal to this shell in the midst of waiting, or, if Node has ended meanwhile, first
# the one and then the other. Some shells say by which signal it ended; that is not theirs to say here.
while :; do
  wait "$!" 2>/dev/null
  procrun_status=$?
  [ $procrun_status -le 128 ] && exit $procrun_status
  kill -0 "$!" 2>/dev/null && continue
  wait "$!" 2>/dev/null
  procrun_last=$?
  [ $procrun_last -eq 127 ] || procrun_status=$procrun_last
  procrun_end $procrun_status
done
*/
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// As PID 1, where Node has been told to run this file, the shell's part is still needed. Only newer Nodes (22.15, 23.11) can
// make room for it; beneath the others orphans stay as zombies. Options of Node's own would get lost on the way.
if (process.pid === 1 && process.execve && process.execArgv.length === 0 && fs.existsSync('/bin/sh')) {
  process.execve('/bin/sh', ['sh', __filename, ...process.argv.slice(2)], { ...process.env, PROCRUN_NODE: process.execPath });
}

// What the shell could not hand on, see there.
if (process.env.PROCRUN_ENVIRONMENT !== undefined) {
  for (const variable of Buffer.from(process.env.PROCRUN_ENVIRONMENT, 'base64').toString().split('\0')) {
    const end = variable.indexOf('=');
    if (end > 0) process.env[variable.slice(0, end)] = variable.slice(end + 1);
  }
  delete process.env.PROCRUN_ENVIRONMENT;
  delete process.env.PROCRUN_NODE;
}

// The one file in dist/ is loaded through V8's code cache, where there is one to be trusted.
const bundle = path.join(__dirname, '../dist/procrun.cjs');
const cacheFile = path.join(__dirname, `../dist/procrun-${process.version}-${process.arch}.cache`);

// V8 does not check what it is given: one wrong byte crashes Node. So the file has the source to which the code belongs, and
// the code twice: what differs is not believed. To compare them takes a tenth of a millisecond; for a checksum Node would have
// to load zlib or crypto, which takes two. And the file is as trustworthy as the bundle beside which it lies.
function readCache(source) {
  try {
    if (fs.statSync(cacheFile).uid !== fs.statSync(bundle).uid) return undefined;
    const file = fs.readFileSync(cacheFile);
    const middle = source.length + (file.length - source.length) / 2;
    const isWhole = Number.isInteger(middle) && middle > source.length &&
      file.compare(source, 0, source.length, 0, source.length) === 0 && file.compare(file, middle, file.length, source.length, middle) === 0;
    return isWhole ? file.subarray(source.length, middle) : undefined;
  } catch {
    return undefined;
  }
}

function isWritable(folder) {
  try {
    fs.accessSync(folder, fs.constants.W_OK);
    return true;
  } catch {
    // Installed by somebody else: every start is without a cache then.
    return false;
  }
}

function writeCache(source, data) {
  const draft = `${cacheFile}.${process.pid}`;
  try {
    fs.writeFileSync(draft, Buffer.concat([source, data, data]));
    fs.renameSync(draft, cacheFile);
  } catch {
    // A full disk; the next run tries again.
    fs.rmSync(draft, { force: true });
  }
}

function load() {
  const source = fs.readFileSync(bundle);
  const cachedData = readCache(source);
  // One byte a character: esbuild writes ASCII.
  const script = new vm.Script(source.toString('latin1'), { filename: bundle, ...(cachedData ? { cachedData } : {}) });
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, require, loaded, bundle, path.dirname(bundle));
  return { script, main: loaded.exports.main, isCached: cachedData !== undefined && !script.cachedDataRejected };
}

const { script, main, isCached } = load();

main({
  // The young generation does not grow any more: a runner mostly waits, and this is 2 MiB less with ten processes, 20 with 500.
  // To load what sets it takes a millisecond of a start. And not in a run that writes the cache: V8 believes it only under the
  // very flags under which it was made.
  saveMemory() {
    if (isCached) require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
  },
  // Called after a run, when the functions that a run needs are compiled and can be kept with the rest. The source is read
  // again, since a megabyte kept for this one moment would be a megabyte more for all of a run.
  keepCompiledCode() {
    if (!isCached && isWritable(path.dirname(cacheFile))) writeCache(fs.readFileSync(bundle), script.createCachedData());
  },
});
