# The guard of one run: learns which groups live, and when the runner ends without a word, because it was killed, ends
# what is left of it. guard.ts starts it and talks to it; it knows nothing of manifests, stages or output.
#
# Lines in GUARD_LINES, which are there from its first moment, and on descriptor 3, until the end of file:
#   run ID MARK        the id in the environment of all that is ours; with MARK and eight digits begins field 25 of their stat
#   folder PATH        the run's own folder, which goes with it; the pipes of its processes are in it, with a ~ before the name
#                      where those that leave their group are to be left alone
#   lock PATH          the file that says who runs, which goes with it if it is still ours
#   + PGID START FLAG  a group lives. START: of its leader, field 22 of its stat. FLAG: `fd` where the death of the runner
#                      has told it already, by a stop flag; else `-`
#   - PGID             the group is gone, and its number may be somebody else's
#   pipes NAME…        FIFOs to be made in the folder; the answer is `made` or anything else
#   bye                the runner ends as it should
#
# For dash, bash and busybox. A handler would look like an end of file to dash's `read`, so signals are ignored.
trap '' HUP INT QUIT TERM TSTP TTIN TTOU PIPE USR1 USR2
cd / || exit 1
# Under another run it has that one's mark, which is for those who may be ended with it.
# shellcheck disable=SC3045
ulimit -S -m unlimited 2>/dev/null

grace=200     # hundredths of a second between one step and the next
patience=500  # hundredths of a second for what SIGKILL must end
groups=' '   # "PGID:START:FLAG " for each
id='' mark='' folder='' lock=''

forget() {
  case $groups in
  *" $1:"*)
    before=${groups%%" $1:"*}
    after=${groups#*" $1:"}
    groups="$before ${after#* }"
    ;;
  esac
}

# Sets $state, $group, $start and $limit of a process; false when there is none.
look() {
  state='' group='' start='' limit=''
  read -r line 2>/dev/null <"/proc/$1/stat" || return 1
  # The name before the last parenthesis may hold anything.
  # shellcheck disable=SC2086
  set -- ${line##*) }
  state=$1 group=$3 start=${20} limit=${23}
}

# Whether the group's number is still its own: as long as a member lives nobody else can get it, and a leader of another
# start time says that somebody has.
is_ours() {
  kill -0 "-$1" 2>/dev/null || return 1
  ! look "$1" || [ "$start" = "$2" ]
}

# SIGNAL and a pattern of flags: to the groups with such a flag.
signal_groups() {
  for entry in $groups; do
    pgid=${entry%%:*} rest=${entry#*:}
    # shellcheck disable=SC2254
    case ${rest#*:} in
    $2) is_ours "$pgid" "${rest%%:*}" && kill "-$1" "-$pgid" 2>/dev/null ;;
    esac
  done
}

# Sets $now, in hundredths of a second since some moment.
now=0
tell_time() {
  if read -r now rest 2>/dev/null </proc/uptime; then now=${now%.*}${now#*.}; else now=$((now + 5)); fi
}

# What is stopped hears nothing until it is continued. A parent that waits for a stopped child of vfork(2) is in state D, and
# stops as soon as that goes on.
wake() {
  paths=$(grep -l ') [TtD] ' /proc/[0-9]*/stat 2>/dev/null)
  for path in $paths; do
    pid=${path#/proc/} pid=${pid%%/*}
    look "$pid" || continue
    case "$groups" in
    *" $group:"*) kill -CONT "$pid" 2>/dev/null ;;
    *) case " $strays " in *" $pid:"*) kill -CONT "$pid" 2>/dev/null ;; esac ;;
    esac
  done
}

# Those of ours that left their group: by our id, by our mark, by our pipes. Sets $strays, "PID:START " for each.
find_strays() {
  strays=' '
  # -z: a variable is a line there. Somewhere else in a value these words mean nothing.
  left_alone=$(grep -lzE '^PROCRUN_ESCAPE(=1|ES=leave)$' /proc/[0-9]*/environ 2>/dev/null)
  paths=$(grep -lz "^PROCRUN_RUN_ID=$id" /proc/[0-9]*/environ 2>/dev/null)
  # A run below ours has marks of its own; those of its processes that kept our id tell them.
  marks=$mark
  for path in $paths; do
    pid=${path#/proc/}
    look "${pid%%/*}" || continue
    # So large a number (from 10^15 on) is a mark; 20 digits have those without a limit.
    case ${#limit} in 16 | 17 | 18 | 19) limit=${limit%????????} ;; *) continue ;; esac
    case "|$marks|" in *"|$limit|"*) ;; *) marks="$marks|$limit" ;; esac
  done
  paths="$paths $(grep -lE "^[0-9]+ [(].*[)] .( -?[0-9]+){21} ($marks)[0-9]{8} " /proc/[0-9]*/stat 2>/dev/null)"
  # Names in /proc are numbers, so that a listing is safe to read; readlink(1) takes one at a time.
  # shellcheck disable=SC2010
  [ -z "$folder" ] || paths="$paths $(ls -l /proc/[0-9]*/fd/1 /proc/[0-9]*/fd/2 2>/dev/null | grep -F -- "-> $folder/" | grep -vF -- "-> $folder/~" | sed 's/ -> .*//; s/.* //')"
  for path in $paths; do
    pid=${path#/proc/} pid=${pid%%/*}
    case " $strays" in *" $pid:"*) continue ;; esac
    case "
$left_alone
" in *"
/proc/$pid/environ
"*) continue ;; esac
    [ "$pid" = "$$" ] && continue
    look "$pid" || continue
    case $state in Z | X) continue ;; esac
    case $groups in *" $group:"*) continue ;; esac
    strays="$strays$pid:$start "
  done
}

signal_strays() {
  for entry in $strays; do
    look "${entry%%:*}" && [ "$start" = "${entry#*:}" ] && kill "-$1" "${entry%%:*}" 2>/dev/null
  done
}

# Whether anything that we know of is alive; forgets the groups that are not.
anything_lives() {
  unreaped=''
  for entry in $groups; do
    rest=${entry#*:}
    is_ours "${entry%%:*}" "${rest%%:*}" || {
      forget "${entry%%:*}"
      continue
    }
    case $state in Z | X | '') unreaped="$unreaped|${entry%%:*}" ;; *) return 0 ;; esac
  done
  # A group of zombies looks alive to kill(2). Where process 1 reaps late or never, it would for ever.
  if [ -n "$unreaped" ]; then
    grep -qE "^[0-9]+ [(].*[)] [^ZX] -?[0-9]+ (${unreaped#|}) " /proc/[0-9]*/stat 2>/dev/null && return 0
    # What forks and ends without a pause is met at no look. It is in there with the zombies, to whom this is nothing.
    for entry in $groups; do kill -KILL "-${entry%%:*}" 2>/dev/null; done
    groups=' '
  fi
  for entry in $strays; do
    look "${entry%%:*}" && [ "$start" = "${entry#*:}" ] && case $state in Z | X) ;; *) return 0 ;; esac
  done
  return 1
}

# Until nothing lives; false when it is $until before that.
wait_for_all() {
  while anything_lives; do
    tell_time
    [ "$now" -ge "$until" ] && return 1
    sleep 0.05
  done
}

end_everything() {
  tell_time
  until=$((now + grace))
  # Those with a raised flag have their grace first; the others are told now.
  signal_groups TERM -
  find_strays
  signal_strays TERM
  wake
  if wait_for_all; then
    find_strays
    anything_lives || return
  fi
  signal_groups KILL -
  signal_groups TERM fd
  find_strays
  signal_strays KILL
  wake
  until=$((until + grace))
  case $groups in *:fd\ *) wait_for_all ;; esac
  # Two looks that find nothing: what forks while it is looked for may slip through one.
  clean=0
  tell_time
  until=$((now + patience))
  while [ "$clean" -lt 2 ] && [ "$now" -lt "$until" ]; do
    signal_groups KILL '*'
    find_strays
    signal_strays KILL
    if anything_lives; then
      clean=0
      sleep 0.05
    else
      clean=$((clean + 1))
    fi
    tell_time
  done
}

remove_files() {
  [ -z "$folder" ] || rm -rf -- "$folder"
  [ -n "$lock" ] || return
  place=${lock%/*}
  # Drafts, if it was killed before they had their names.
  rm -f -- "$place"/*.json."$PPID"-*
  # Somebody may run the same manifest again by now.
  if grep -q "$id" "$lock" 2>/dev/null; then
    rm -f -- "$lock" "$place/state.json" "$place/control.sock"
  fi
  rmdir "$place" 2>/dev/null
}

hear() {
  case $1 in
  run) id=${2% *} mark=${2##* } ;;
  folder) folder=$2 ;;
  lock) lock=$2 ;;
  +)
    rest=${2#* }
    groups="$groups${2%% *}:${rest% *}:${rest#* } "
    ;;
  -) forget "$2" ;;
  pipes)
    # shellcheck disable=SC2086
    if (set -f; cd "$folder" && exec mkfifo -m 600 -- $2) 2>/dev/null; then echo made; else echo failed; fi >&3 2>/dev/null
    ;;
  bye) exit 0 ;;
  esac
}

while read -r word rest; do hear "$word" "$rest"; done <<EOF
$GUARD_LINES
EOF
while read -r word rest <&3; do hear "$word" "$rest"; done
strays=' '
end_everything
# What survived even that is found by what the files tell, later.
anything_lives || remove_files
