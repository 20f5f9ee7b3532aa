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
# copy of all, if that is not too long for the kernel (MAX_ARG_STRLEN, execve(2)).
if [ -z "$BASH_VERSION" ] && [ -r "/proc/$$/environ" ] &&
  tr '\0' '\n' <"/proc/$$/environ" | LC_ALL=C grep -qv '^[A-Za-z_][A-Za-z0-9_]*='; then
  PROCRUN_ENVIRONMENT=$(base64 <"/proc/$$/environ" | tr -d '\n')
  if [ ${#PROCRUN_ENVIRONMENT} -lt 131000 ]; then export PROCRUN_ENVIRONMENT; fi
fi

[ $$ -eq 1 ] || exec "$procrun_node" "$0" "$@"

# A SHELLOPTS in the environment may have set these.
set +eu

# Where we are, as proc(5) has it: our group, our session, our terminal (0: none) and the group in its foreground.
procrun_look() {
  procrun_stat=
  read -r procrun_stat <"/proc/$$/stat"
  # The name before the last parenthesis may hold anything.
  # shellcheck disable=SC2086
  set -- ${procrun_stat##*)}
  procrun_group=$3 procrun_session=$4 procrun_terminal=${5:-0} procrun_foreground=$6
} 2>/dev/null

# Whether the child hears signals. (7: not yet.) Until it has become Node it is a copy of this shell, which forgets them; and
# SIGINT and SIGQUIT, bits 2 and 4 of the mask, are ignored by what a shell starts in the background, until Node undoes that.
procrun_hears() {
  read -r key name <"/proc/$$/status" || return 0
  while read -r key value; do
    case $key$value in
      "Name:$name" | SigIgn:*[2-7a-f]) return 7 ;;
    esac
  done <"/proc/$!/status"
}

# NUMBER of a signal: passes it on to Node, once.
procrun_relay() {
  # Nothing has been started yet.
  [ -n "$!" ] || exit $((128 + $1))
  unheard=
  while procrun_hears; [ $? -eq 7 ]; do unheard=yes; done 2>/dev/null
  procrun_look
  # A terminal tells its end to the leader of the session alone, and Node takes it that all of the group know. SIGCONT comes
  # along, and a bash that waits hears but the last of two signals at once.
  if [ "$procrun_had_terminal$procrun_session" = yes1 ] && [ "$procrun_terminal" = 0 ]; then
    procrun_had_terminal=
    trap '' 1
    kill -1 0
    trap 'procrun_relay 1' 1
    [ "$1" -ne 1 ] || return
  fi
  case $1 in
    2 | 3)
      # SIGINT, SIGQUIT: what is typed the terminal sends to all of the group in its foreground, and so to Node too.
      [ -z "$unheard" ] && [ "$procrun_terminal" != 0 ] && [ "$procrun_group" = "$procrun_foreground" ] && return
      ;;
    18)
      # SIGCONT: a shell's `fg` sends it to Node too. What stopped Node alone has left it stopped.
      if [ "$procrun_terminal" != 0 ]; then
        read -r stat 2>/dev/null <"/proc/$!/stat"
        case ${stat##*) } in [Tt]*) ;; *) return ;; esac
      fi
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

procrun_look
procrun_had_terminal=
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

// The young generation does not grow: a runner mostly waits, and this is 2 MiB less with ten processes, 20 with 500. Not
// in a run that writes the cache: V8 believes it only under the very flags under which it was made.
if (isCached) require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');

main({
  // Called after a run, when the functions that a run needs are compiled and can be kept with the rest. The source is read
  // again, since a megabyte kept for this one moment would be a megabyte more for all of a run.
  keepCompiledCode() {
    if (!isCached && isWritable(path.dirname(cacheFile))) writeCache(fs.readFileSync(bundle), script.createCachedData());
  },
});
