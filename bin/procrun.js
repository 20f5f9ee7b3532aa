#!/bin/sh
':' /*
# The command procrun: loads the one file in dist/, which the installation builds from src/.
#
# The shell part comes first. To JavaScript it is a string and a comment. It serves PID 1, the first process of a container.
# PID 1 inherits all orphans and must reap them, or they stay zombies. Node reaps only its own children; a shell reaps all. So
# as PID 1 the shell stays, with Node as its child: it relays its signals to Node and exits with Node's status. With any other
# pid, Node replaces the shell (exec). Works in dash, bash and busybox. The shell part does not know procrun's options.

procrun_node=${PROCRUN_NODE:-node}
unset PROCRUN_NODE
# SHELLOPTS in the environment may have set these options.
set +eu
# A name that begins with - would be an option of command and exec.
case $procrun_node in -*) procrun_node=./$procrun_node ;; esac
command -v "$procrun_node" >/dev/null 2>&1 || {
  # The name goes to a terminal. `echo` of dash would also turn \033 in it into an escape character.
  case $procrun_node in *[![:print:]]*) procrun_node='the program in PROCRUN_NODE' ;; esac
  printf 'procrun: %s: not found. procrun needs Node 20.5 or later on the PATH.\n' "$procrun_node" >&2
  exit 127
}

# dash and busybox drop variables whose names are no shell identifiers, such as `discovery.type`. The JavaScript part restores
# them from this copy of the environment, unless it is too long for one variable (MAX_ARG_STRLEN, execve(2)). The pid before it
# shows that the copy is ours; a value from outside is dropped. The names show only in /proc, and no shell can read zero bytes.
# So each start from such a shell costs one grep, about 1 ms. (bash keeps them. Only bash can have an array BASH_VERSINFO, but
# any shell can inherit a variable BASH_VERSION.)
procrun_has_odd_names() {
  LC_ALL=C grep -qzE "$1" "/proc/$$/environ" && return
  [ $? -eq 1 ] && return 1
  # This grep has no option -z, or there is no grep: then copy the environment in any case.
  tr '\000\n' '\n ' <"/proc/$$/environ" | LC_ALL=C grep -qE "$1"
  [ $? -ne 1 ]
} 2>/dev/null

# POSIX has od, but not base64.
procrun_copy_environment() {
  if command -v base64 >/dev/null; then
    base64 | tr -d '\n'
  else
    printf hex: && od -An -v -tx1 | tr -d ' \n'
  fi
} <"/proc/$$/environ"

unset PROCRUN_ENVIRONMENT
if [ -z "${BASH_VERSINFO-}" ] && [ -r "/proc/$$/environ" ] && procrun_has_odd_names '^([0-9]|[A-Za-z0-9_]*[^A-Za-z0-9_=])'; then
  # PID 1 does not hear Ctrl+C yet, but its helpers would die of it, and the copy would be cut short.
  PROCRUN_ENVIRONMENT=$$:$(trap '' INT QUIT TSTP; procrun_copy_environment)
  if [ ${#PROCRUN_ENVIRONMENT} -lt 131000 ]; then export PROCRUN_ENVIRONMENT; fi
fi

# When Node starts, it resets ignored signals, raises the soft limit of open files, and marks descriptors close-on-exec. So read
# them before. Each command is given them again (src/os/inherited.ts has the form). No fork: about 0.3 ms.
procrun_read_signals() {
  procrun_stat=''
  read -r procrun_stat <"/proc/$$/stat"
  # Field 33, counted from the state.
  # shellcheck disable=SC2086
  set -- ${procrun_stat##*)}
  procrun_signals=${31-}
} 2>/dev/null

procrun_read_inherited() {
  procrun_files=''
  procrun_read_signals
  # bash and busybox ignore SIGQUIT (bit 4) themselves. A trap ends that, but only if it was not ignored from the start.
  case $((procrun_signals & 4)) in
    4)
      trap : 3
      procrun_read_signals
      trap - 3
      ;;
  esac
  if [ -n "$procrun_signals" ]; then
    while read -r procrun_max procrun_open procrun_word procrun_soft procrun_hard _; do
      case $procrun_max$procrun_open$procrun_word$procrun_soft in
        "Maxopenfiles$procrun_hard") break ;;
        Maxopenfiles*)
          procrun_files=$procrun_soft
          break
          ;;
      esac
    done <"/proc/$$/limits"
  else
    # bash lists the signals that were ignored from the start.
    # shellcheck disable=SC3045
    procrun_signals=$(trap) procrun_files=$(ulimit -S -n)
    # shellcheck disable=SC3045
    case $procrun_files in "$(ulimit -H -n)") procrun_files='' ;; esac
  fi
} 2>/dev/null
procrun_read_inherited

# Without a redirection around it: the shell would keep the redirected descriptor on a further one.
procrun_descriptors=-
if [ -e "/proc/$$/fd/0" ] || [ -e "/proc/$$/fd/1" ]; then
  procrun_descriptors=
  for procrun_path in "/proc/$$/fd/"*; do
    procrun_number=${procrun_path#"/proc/$$/fd/"}
    case $procrun_number in [012]) continue ;; esac
    # Not this script, which the shell reads, and not the folder that it has just listed.
    # shellcheck disable=SC3013
    if [ -e "$procrun_path" ] && ! [ "$procrun_path" -ef "$0" ]; then procrun_descriptors="$procrun_descriptors$procrun_number "; fi
  done
fi
# The pid shows that this is ours.
export PROCRUN_INHERITED="$$:$procrun_signals:$procrun_files:$procrun_descriptors"

[ $$ -eq 1 ] || exec "$procrun_node" "$0" "$@"

# Traps. One trap may interrupt another, and dash and busybox then lose the status of the interrupted command. So traps decide
# by `case`, never by a status, and keep their values in their own $1, $2, and so on. A loop may end too early for this reason,
# but then the other trap has completed it. (An asterisk before a slash would end the JavaScript comment around this.)

# Reads our terminal from proc(5). Sets $procrun_terminal (0: none), $procrun_typed (not empty: our group is in the foreground,
# so it gets typed signals) and $procrun_gone (1: the terminal that we had is gone, and we lead its session).
procrun_check_terminal() {
  procrun_stat=
  read -r procrun_stat <"/proc/$$/stat"
  # The program name may contain anything, so skip to the last parenthesis. The next fields are state, parent, group, session,
  # terminal, foreground group.
  # shellcheck disable=SC2086
  set -- ${procrun_stat##*)}
  procrun_terminal=${5:-0} procrun_typed='' procrun_gone=0
  case $procrun_terminal:$3 in
    0:*) case $procrun_had_terminal$4 in yes1) procrun_gone=1 ;; esac ;;
    *:"$6") procrun_typed=typed ;;
  esac
} 2>/dev/null

# Checks whether the child can receive signals. Sets $procrun_child to `none` (it has ended), `ready`, or another word (not yet
# ready). Before its exec the child is a copy of this shell and loses signals. And a shell starts background jobs with SIGINT and
# SIGQUIT ignored (bits 2 and 4 of the mask), until Node resets them.
procrun_check_child() {
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

# procrun_relay NUMBER: passes that signal on to Node, once.
procrun_relay() {
  # Node has not been started yet.
  case $! in '') exit $((128 + $1)) ;; esac
  # $2: how many traps found the terminal gone before. $3: `heard` if Node was ready when the signal came, so that a signal to
  # the whole group reached it too.
  set -- "$1" "$procrun_hangups" heard
  while :; do
    procrun_check_child
    case $procrun_child in none | ready) break ;; esac
    set -- "$1" "$2" unheard
  done
  procrun_check_terminal
  # When a terminal hangs up, the kernel signals only the session leader, but Node expects SIGHUP in the whole group. So the
  # first trap that finds the terminal gone sends it to the group. The kernel adds SIGCONT, and bash may see only that one.
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
      # SIGINT, SIGQUIT: when typed, the terminal sends them to the whole foreground group, so to Node too.
      case $3$procrun_typed in heardtyped) return ;; esac
      ;;
    18)
      # SIGCONT: at a terminal, `fg` of a shell sends it to Node too. Relay it only if Node is still stopped.
      procrun_child=
      read -r procrun_child 2>/dev/null <"/proc/$!/stat"
      case $procrun_terminal:${procrun_child##*) } in 0:* | *:[Tt]*) ;; *) return ;; esac
      ;;
  esac
  kill "-$1" "$!" 2>/dev/null
}

# procrun_exit STATUS: exits with Node's status. When PID 1 ends, the kernel kills all other processes. If Node was killed (137),
# its guard is ending them in good order, so wait up to 10 s for it.
procrun_exit() {
  tenths=0
  while [ "$1" -eq 137 ] && [ $tenths -lt 100 ] && kill -0 -1 2>/dev/null; do
    sleep 0.1
    tenths=$((tenths + 1))
  done
  exit "$1"
}

procrun_hangups=0 procrun_had_terminal=
procrun_check_terminal
[ "$procrun_terminal" = 0 ] || procrun_had_terminal=yes

# Traps for all catchable signals, by number. Not SIGCHLD, which this shell needs, and not real-time signals, which Node does not
# know. At a terminal SIGTSTP, SIGTTIN, SIGTTOU and SIGWINCH reach Node directly. PID 1 gets no signal without a trap.
for procrun_number in 1 2 3 4 5 6 7 8 10 11 12 13 14 15 16 18 20 21 22 23 24 25 26 27 28 29 30 31; do
  case $procrun_had_terminal$procrun_number in yes2[0128]) continue ;; esac
  # shellcheck disable=SC2064
  trap "procrun_relay $procrun_number" $procrun_number
done

# A shell gives background jobs /dev/null as stdin unless they are redirected. So keep our stdin on a free descriptor for Node.
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

# A status above 128 means that a signal interrupted `wait`, or it is Node's own. If both happened, a second `wait` returns Node's.
# 127 then means that the first was Node's. Some shells print by which signal a child ended, so stderr is discarded.
while :; do
  wait "$!" 2>/dev/null
  procrun_status=$?
  [ $procrun_status -le 128 ] && exit $procrun_status
  kill -0 "$!" 2>/dev/null && continue
  wait "$!" 2>/dev/null
  procrun_last=$?
  [ $procrun_last -eq 127 ] || procrun_status=$procrun_last
  procrun_exit $procrun_status
done
*/
'use strict';

const fs = require('node:fs');
const path = require('node:path');
const vm = require('node:vm');

// When Node itself is PID 1 (`node procrun.js`), it executes the shell part. Only newer Node versions (22.15, 23.11) have
// process.execve; under older ones orphans stay zombies. Not with options for Node itself: the exec would lose them.
if (process.pid === 1 && process.execve && process.execArgv.length === 0 && fs.existsSync('/bin/sh')) {
  process.execve('/bin/sh', ['sh', __filename, ...process.argv.slice(2)], { ...process.env, PROCRUN_NODE: process.execPath });
}

// Restore the variables that the shell dropped (see the shell part). The shell is this process or, as PID 1, its parent. A value
// with another number is not from the shell part, which does not run in `node procrun.js`.
const isOurs = (pid) => pid === String(process.pid) || (pid === '1' && process.ppid === 1);
const { PROCRUN_ENVIRONMENT: copy, PROCRUN_INHERITED: report = '' } = process.env;
if (copy !== undefined) {
  const [, pid, hex, base64 = ''] = /^(\d+):(?:hex:(.*)|(.*))$/.exec(copy) ?? [];
  for (const variable of isOurs(pid) ? Buffer.from(hex ?? base64, hex === undefined ? 'base64' : 'hex').toString().split('\0') : []) {
    const end = variable.indexOf('=');
    if (end > 0) process.env[variable.slice(0, end)] = variable.slice(end + 1);
  }
  delete process.env.PROCRUN_ENVIRONMENT;
  delete process.env.PROCRUN_NODE;
}

// What the shell part has read: see src/os/inherited.ts.
delete process.env.PROCRUN_INHERITED;
const [, reporter, inherited] = /^(\d+):([^]*)$/.exec(report) ?? [];
const isReported = isOurs(reporter);
// With SIGHUP ignored (nohup), it must not end us while the rest loads.
if (isReported && (Number.parseInt(inherited, 10) & 1 || /^trap -- '' SIGHUP$/m.test(inherited))) process.on('SIGHUP', () => undefined);

// The one file in dist/ is loaded with V8's code cache if there is a valid one.
const bundle = path.join(__dirname, '../dist/procrun.cjs');
const cacheFile = path.join(__dirname, `../dist/procrun-${process.version}-${process.arch}.cache`);

// V8 does not check its code cache: one wrong byte crashes Node. So the file holds the source that the code belongs to, and the
// code twice. If anything differs, the cache is not used. The comparison takes 0.1 ms; for a checksum Node would load zlib or
// crypto, which takes 2 ms. The owner must be that of the bundle: then the cache is as trustworthy as the bundle.
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
    // Another user installed procrun. Every start is without a cache then.
    return false;
  }
}

function writeCache(source, data) {
  const draft = `${cacheFile}.${process.pid}`;
  try {
    fs.writeFileSync(draft, Buffer.concat([source, data, data]));
    fs.renameSync(draft, cacheFile);
  } catch {
    // For instance a full disk. The next run tries again.
    fs.rmSync(draft, { force: true });
  }
}

function load() {
  const source = fs.readFileSync(bundle);
  const cachedData = readCache(source);
  // esbuild writes ASCII, so Latin-1 is right and takes one byte a character.
  const script = new vm.Script(source.toString('latin1'), { filename: bundle, ...(cachedData ? { cachedData } : {}) });
  const loaded = { exports: {} };
  script.runInThisContext()(loaded.exports, require, loaded, bundle, path.dirname(bundle));
  return { script, main: loaded.exports.main, isCached: cachedData !== undefined && !script.cachedDataRejected };
}

const { script, main, isCached } = load();

main({
  inherited: isReported ? inherited : undefined,
  // Stops the growth of V8's young generation. A runner mostly waits; this saves 2 MiB with 10 processes, 20 MiB with 500.
  // Loading node:v8 costs 1 ms of a start. Not in a run that writes the cache: V8 accepts a cache only with the flags that it
  // was made with.
  saveMemory() {
    if (isCached) require('node:v8').setFlagsFromString('--semi-space-growth-factor=1');
  },
  // Called after a run: by then the functions that a run needs are compiled, so the cache includes them. The source is read
  // again, because keeping it would cost 1 MB of memory during the whole run.
  keepCompiledCode() {
    if (!isCached && isWritable(path.dirname(cacheFile))) writeCache(fs.readFileSync(bundle), script.createCachedData());
  },
});
