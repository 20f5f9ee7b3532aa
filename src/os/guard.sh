# The guard of one run. It keeps a list of the living groups. When the runner is killed, it ends all processes of the run.
# guard.ts starts it and sends it messages. It knows nothing of manifests, stages or output.
#
# Messages come as lines in GUARD_LINES, available at once, and then on descriptor 3 until the end of file:
#   run ID MARK        ID: the run id in the environment of our processes. MARK: field 25 of their stat is MARK and eight digits
#   folder PATH        the run's own folder, removed at the end. It holds the pipes of the processes; a ~ before the name of a
#                      pipe means that escapees of that process are left alone
#   lock PATH          the file that names the present runner, removed at the end if it is still ours
#   drafts ENDING      how the names of the runner's unfinished files beside the lock end; they are removed at the end
#   + PGID START FLAG  a new group. START: start time of its leader, as read_stat has it. FLAG: `fd` if the runner's death
#                      raises its stop flag; else `-`
#   - PGID             the group is gone; the kernel may reuse its number
#   pipes NAME…        make these FIFOs in the folder and answer `made`, or another word if that fails
#   bye                the runner ends normally: exit
#
# Runs in dash, bash and busybox. Signals are ignored, because in dash a handled signal ends `read` like an end of file.
trap '' HUP INT QUIT TERM TSTP TTIN TTOU PIPE USR1 USR2
cd / || exit 1
# A nested run inherits the outer run's mark. Clear it, or the outer run would kill this guard.
# shellcheck disable=SC3045
ulimit -S -m unlimited 2>/dev/null

grace=200     # time between two steps, in 1/100 s
kill_wait=500 # longest time for SIGKILL to work, in 1/100 s
groups=' '    # "PGID:START:FLAG " for each
id='' id_pattern='' mark='' folder='' lock='' drafts='' oldest=''
# For grep -E: field 4 and on, and field 6 and on, of the stat of a process with more than one thread.
threads_from_4='(-?[0-9]+ ){16}([2-9]|[1-9][0-9]+) '
threads_from_6='(-?[0-9]+ ){14}([2-9]|[1-9][0-9]+) '

forget_group() {
  case $groups in
  *" $1:"*)
    before=${groups%%" $1:"*}
    after=${groups#*" $1:"}
    groups="$before ${after#* }"
    ;;
  esac
}

# Questions about processes, answered by /proc. Where /proc or grep is missing, other answers replace these: see further below.

# Sets $state, $group, $start and $limit of process $1. If its first thread has ended and another lives, sets $thread to the
# folder of that one. False: there is no such process.
read_stat() {
  state='' group='' start='' limit='' stat='' thread='' task=/proc/$1/task
  while read -r line; do stat="$stat $line"; done 2>/dev/null <"/proc/$1/stat"
  # Fields are counted after the last parenthesis: the name before it may hold any character, line breaks too.
  # shellcheck disable=SC2086
  set -- ${stat##*) }
  [ $# -ge 23 ] || return 1
  state=$1 group=$3 start=${20} limit=${23}
  # The state is that of the first thread. Field 20 is the number of threads.
  case $state:${18} in
  [ZX]:[01]) ;;
  [ZX]:*) read_living_thread ;;
  esac
}

# The process is alive as long as one of its threads in folder $task is. Sets $state and $thread to that of the first such thread.
read_living_thread() {
  for folder_of_thread in "$task"/*; do
    stat=''
    while read -r line; do stat="$stat $line"; done 2>/dev/null <"$folder_of_thread/stat"
    stat=${stat##*) }
    case $stat in
    [ZX]* | '') ;;
    *)
      state=${stat%% *} thread=$folder_of_thread
      return
      ;;
    esac
  done
}

# The next four print paths /proc/PID/…
# Processes that are stopped. State D counts too: it may be a parent that waits in vfork(2) for a stopped child and will stop
# itself when the child continues.
list_stopped() {
  grep -lE "\) ([TtD]|Z $threads_from_4)" /proc/[0-9]*/stat 2>/dev/null
}

# Processes with a variable that matches the extended regular expression $1.
list_with_variable() {
  # -z: each variable counts as a line, so ^ and $ match only a whole variable.
  grep -lzE "^($1)\$" /proc/[0-9]*/environ 2>/dev/null
}

# Processes whose limit is one of the marks $1, separated by |, and all those whose first thread has ended: thread_is_ours looks
# at them.
list_marked() {
  # -z makes one line of the whole file: the name of a process may hold line breaks.
  grep -lzE "^[0-9]+ [(].*[)] (.( -?[0-9]+){21} ($1)[0-9]{8} |Z $threads_from_4)" /proc/[0-9]*/stat 2>/dev/null
}

# Processes with standard output or error in a pipe of ours.
list_writers() {
  # One `ls` shows the outputs of all processes, but a foreign process chooses the path of its output. It may hold our folder
  # after another arrow or a line break. So these are only candidates: holds_our_pipe looks again at each.
  # shellcheck disable=SC2010
  [ -z "$folder" ] || ls -l /proc/[0-9]*/fd/1 /proc/[0-9]*/fd/2 2>/dev/null | grep -F -- "-> $folder/" | sed -n 's/ -> .*//; s/.* \(\/proc\/[0-9]*\/fd\/[12]\)$/\1/p'
}

# Whether one of the groups $1, separated by |, has a member that is not a zombie.
has_living_member() {
  paths=$(grep -lzE "^[0-9]+ [(].*[)] ([^ZX] -?[0-9]+ ($1) |Z -?[0-9]+ ($1) $threads_from_6)" /proc/[0-9]*/stat 2>/dev/null)
  for path in $paths; do
    pid=${path#/proc/}
    read_stat "${pid%%/*}" && case $state in Z | X) ;; *) return 0 ;; esac
  done
  return 1
}

# Whether group $1 with leader start time $2 is still ours. The kernel does not reuse the number while a member lives. A leader
# with a different start time means that the number was reused. kill(2) also fails where we have no permission: the leader, of
# another user now, is alive then.
is_ours() {
  kill -0 "-$1" 2>/dev/null || {
    read_stat "$1" && [ "$start" = "$2" ] && case $state in Z | X) false ;; esac
    return
  }
  ! read_stat "$1" || [ "$start" = "$2" ]
}

# Sends signal $1 to all groups whose flag matches the pattern $2.
signal_groups() {
  for entry in $groups; do
    pgid=${entry%%:*} rest=${entry#*:}
    # shellcheck disable=SC2254
    case ${rest#*:} in
    $2) is_ours "$pgid" "${rest%%:*}" && kill "-$1" "-$pgid" 2>/dev/null ;;
    esac
  done
}

# Sets $now, in 1/100 s since an arbitrary moment.
now=0
read_clock() {
  if read -r up rest 2>/dev/null </proc/uptime; then now=${up%.*}${up#*.}
  elif up=$(date +%s 2>/dev/null); then now=${up}00
  else now=$((now + 5)); fi
}

# Sleeps 0.05 s. POSIX sleep(1) knows only whole seconds.
nap() {
  sleep 0.05 2>/dev/null || sleep 1
}

# Sends SIGCONT to our stopped processes, because a stopped process does not handle SIGTERM.
continue_stopped() {
  for path in $(list_stopped); do
    pid=${path#/proc/} pid=${pid%%/*}
    read_stat "$pid" || continue
    case $state in T | t | D | U) ;; *) continue ;; esac
    case "$groups" in
    *" $group:"*) kill -CONT "$pid" 2>/dev/null ;;
    *) case " $escapees " in *" $pid:"*) kill -CONT "$pid" 2>/dev/null ;; esac ;;
    esac
  done
}

# Whether the link $1 leads to a pipe of ours whose process wants its escapees to be found.
holds_our_pipe() {
  link=$(ls -l "$1" 2>/dev/null)
  case ${link#* -> } in "$folder/~"*) return 1 ;; "$folder/"*) ;; *) return 1 ;; esac
}

# Whether the process of the last read_stat, whose first thread has ended, is ours and wants to be found. Only its other threads
# show its environment and its outputs.
thread_is_ours() {
  grep -qzE '^PROCRUN_ESCAPE(=1|ES=leave)$' "$thread/environ" 2>/dev/null && return 1
  case ${#limit} in 16 | 17 | 18 | 19) case "|$marks|" in *"|${limit%????????}|"*) return 0 ;; esac ;; esac
  grep -qzE "^PROCRUN_RUN_ID=$id_pattern([.].*)?\$" "$thread/environ" 2>/dev/null && return 0
  [ -n "$folder" ] && { holds_our_pipe "$thread/fd/1" || holds_our_pipe "$thread/fd/2"; }
}

# Sets $escapees, "PID:START " for each of our processes that left its group. Finds them by run id, mark and output pipe.
find_escapees() {
  escapees=' '
  left_alone=$(list_with_variable 'PROCRUN_ESCAPE(=1|ES=leave)')
  # The id of a nested run begins with ours.
  paths=$(list_with_variable "PROCRUN_RUN_ID=$id_pattern([.].*)?")
  # A nested run has its own marks. Its processes that still have our run id show which.
  marks=$mark
  for path in $paths; do
    pid=${path#/proc/}
    read_stat "${pid%%/*}" || continue
    # A limit of 10^15 or more is a mark. The value for no limit has 20 digits.
    case ${#limit} in 16 | 17 | 18 | 19) limit=${limit%????????} ;; *) continue ;; esac
    case "|$marks|" in *"|$limit|"*) ;; *) marks="$marks|$limit" ;; esac
  done
  paths="$paths $(list_marked "$marks") $(list_writers)"
  for path in $paths; do
    pid=${path#/proc/} pid=${pid%%/*}
    case " $escapees" in *" $pid:"*) continue ;; esac
    case "
$left_alone
" in *"
/proc/$pid/environ
"*) continue ;; esac
    [ "$pid" = "$$" ] && continue
    read_stat "$pid" || continue
    case $state in Z | X) continue ;; esac
    case $groups in *" $group:"*) continue ;; esac
    case $path in */fd/*) holds_our_pipe "$path" || continue ;; esac
    [ -z "$thread" ] || thread_is_ours || continue
    escapees="$escapees$pid:$start "
  done
}

signal_escapees() {
  for entry in $escapees; do
    read_stat "${entry%%:*}" && [ "$start" = "${entry#*:}" ] && kill "-$1" "${entry%%:*}" 2>/dev/null
  done
}

# Whether a known group or escapee is alive. Removes the dead groups from the list.
anything_lives() {
  unreaped=''
  for entry in $groups; do
    rest=${entry#*:}
    is_ours "${entry%%:*}" "${rest%%:*}" || {
      forget_group "${entry%%:*}"
      continue
    }
    case $state in Z | X | '') unreaped="$unreaped|${entry%%:*}" ;; *) return 0 ;; esac
  done
  # kill(2) succeeds on a group of zombies. If process 1 never reaps, it would succeed for ever. So read the states.
  if [ -n "$unreaped" ]; then
    has_living_member "${unreaped#|}" && return 0
    # The scan can miss processes in these groups that keep forking and exiting. SIGKILL ends them; zombies ignore it.
    for entry in $groups; do kill -KILL "-${entry%%:*}" 2>/dev/null; done
    groups=' '
  fi
  for entry in $escapees; do
    read_stat "${entry%%:*}" && [ "$start" = "${entry#*:}" ] && case $state in Z | X) ;; *) return 0 ;; esac
  done
  return 1
}

# Waits until nothing is alive. False: the time $until came first.
wait_until_gone() {
  while anything_lives; do
    read_clock
    [ "$now" -ge "$until" ] && return 1
    nap
  done
}

end_everything() {
  read_clock
  until=$((now + grace))
  # The runner's death has raised the `fd` flags, so those groups have their grace first. All others get SIGTERM now.
  signal_groups TERM -
  find_escapees
  signal_escapees TERM
  continue_stopped
  if wait_until_gone; then
    find_escapees
    anything_lives || return
  fi
  signal_groups KILL -
  signal_groups TERM fd
  find_escapees
  signal_escapees KILL
  continue_stopped
  until=$((until + grace))
  case $groups in *:fd\ *) wait_until_gone ;; esac
  # Require two empty scans: one scan can miss a process that forks meanwhile.
  clean_scans=0
  read_clock
  until=$((now + kill_wait))
  while [ "$clean_scans" -lt 2 ] && [ "$now" -lt "$until" ]; do
    signal_groups KILL '*'
    find_escapees
    signal_escapees KILL
    if anything_lives; then
      clean_scans=0
      nap
    else
      clean_scans=$((clean_scans + 1))
    fi
    read_clock
  done
}

# Whether file $1 names our run.
names_us() {
  grep -qF "\"runId\": \"$id\"" "$1" 2>/dev/null
}

# Removes file $1 if it names our run. Another runner of the same manifest may replace it after the first look. So the second look
# is at a name of our own, and a file of the other goes back.
remove_if_ours() {
  names_us "$1" && mv -f -- "$1" "$1.$drafts.stale" 2>/dev/null || return
  names_us "$1.$drafts.stale" || ln -- "$1.$drafts.stale" "$1" 2>/dev/null
  rm -f -- "$1.$drafts.stale"
}

remove_files() {
  [ -z "$folder" ] || rm -rf -- "$folder"
  [ -n "$lock" ] || return
  lock_dir=${lock%/*}
  # Temporary files of the runner, if it was killed before it renamed them.
  # A name without a PID namespace (-ns) is of this one.
  for ending in "$drafts" "${drafts%-ns*}"; do
    [ -z "$ending" ] || rm -f -- "$lock_dir"/*."$ending" "$lock_dir"/*."$ending".*
  done
  # A new runner of the same manifest may own the lock file by now. The state file may be that of an earlier run, if ours was
  # killed before its first process: it tells the next run what the earlier one has left alive.
  ! names_us "$lock" || rm -f -- "$lock_dir/control.sock"
  remove_if_ours "$lock_dir/state.json"
  remove_if_ours "$lock"
  rmdir "$lock_dir" 2>/dev/null
}

handle_line() {
  case $1 in
  run)
    id=${2% *} mark=${2##* }
    # An id has dots, which a pattern takes for any character.
    id_pattern='' rest=$id
    while case $rest in *.*) ;; *) false ;; esac; do id_pattern="$id_pattern${rest%%.*}[.]" rest=${rest#*.}; done
    id_pattern=$id_pattern$rest
    ;;
  folder) folder=$2 ;;
  lock) lock=$2 ;;
  drafts) drafts=$2 ;;
  +)
    rest=${2#* }
    groups="$groups${2%% *}:${rest% *}:${rest#* } "
    oldest=${oldest:-${rest% *}}
    ;;
  -) forget_group "$2" ;;
  pipes)
    # shellcheck disable=SC2086
    if (set -f; cd "$folder" && exec mkfifo -m 600 -- $2) 2>/dev/null; then echo made; else echo failed; fi >&3 2>/dev/null
    ;;
  bye) exit 0 ;;
  esac
}

# Other answers for systems that lack something. They are needed only after the runner's death.

# grep has no option -z.
answer_without_z() {
  list_with_variable() {
    for path in /proc/[0-9]*/environ; do
      pid=${path#/proc/}
      # Two processes for each environment are slow. Older ones than the first leader are none of ours.
      read_stat "${pid%/*}" && [ "$start" -ge "$oldest" ] && tr '\000\n' '\n ' <"$path" | grep -qE "^($1)\$" && echo "$path"
    done 2>/dev/null
  }
}

# From lines `PID STATE GROUP` of list_processes.
answer_from_list() {
  # $1: a pattern for the state. $2: the groups, separated by |; empty for all.
  list_in_state() {
    list_processes | while read -r number letter leader; do
      # shellcheck disable=SC2254
      case $letter:"|$2|" in
      $1*:*"|$leader|"* | $1*:'||') echo "/proc/$number/stat" ;;
      esac
    done
  }
  list_stopped() { list_in_state '[TtDU]' ''; }
  has_living_member() { [ -n "$(list_in_state '[!ZX]' "$1")" ]; }
  list_marked() { :; }
  list_writers() { :; }
}

# Without grep nothing tells which escapees want to be left alone, so the guard ends only groups. It keeps the files, and a later
# run ends the escapees by them.
answer_without_grep() {
  list_processes() {
    for path in /proc/[0-9]*/stat; do
      pid=${path#/proc/}
      read_stat "${pid%/*}" && echo "${pid%/*} $state $group"
    done
  }
  answer_from_list
  list_with_variable() { :; }
  remove_files() { :; }
}

# There is no /proc, as on macOS. Then there are no marks either, and no quick way to find the writers of a pipe.
answer_by_ps() {
  # In another time zone ps would show another start time than the runner saw.
  TZ=UTC0
  export TZ
  read_stat() {
    state='' group='' start='' limit=''
    IFS=' :'
    # shellcheck disable=SC2046
    set -- $(ps -p "$1" -o stat= -o pgid= -o lstart= 2>/dev/null)
    unset IFS
    [ $# -eq 9 ] || return 1
    state=${1%"${1#?}"} group=$2 start="$3_$4_$5_$6_$7_$8_$9"
  }
  list_processes() { ps -ax -o pid= -o stat= -o pgid=; }
  answer_from_list
  list_with_variable() {
    # shellcheck disable=SC2009
    for pid in $(ps -ax -E -ww -o pid= -o command= | grep -E " ($1)( |\$)" | sed 's/^ *//; s/ .*//'); do
      # The environment comes after the words of the command, and these may look like a variable.
      words=$(ps -p "$pid" -ww -o command=)
      all=$(ps -p "$pid" -E -ww -o command=)
      printf '%s \n' "${all#"$words"}" | grep -qE " ($1) " && echo "/proc/$pid/environ"
    done
  }
}

# The /proc of another PID namespace has other pids than kill(2) takes.
choose_answers() {
  # date(1) gives whole seconds.
  [ -r /proc/uptime ] || grace=$((grace + 100))
  read -r pid rest 2>/dev/null </proc/self/stat || pid=
  if [ "$pid" != "$$" ]; then
    answer_by_ps
  elif ! command -v grep >/dev/null; then
    answer_without_grep
  elif ! echo z | grep -qz z 2>/dev/null; then
    answer_without_z
  fi
}

while read -r word rest; do handle_line "$word" "$rest"; done <<EOF
$GUARD_LINES
EOF
while read -r word rest <&3; do handle_line "$word" "$rest"; done
choose_answers
escapees=' '
end_everything
# If anything survived, keep the files: a later `up` or `kill --group` finds the survivors by them.
anything_lives || remove_files
