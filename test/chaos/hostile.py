"""A program that is hard to stop: `hostile.py TAG NAME TRAIT…`. It performs each trait in order and then sleeps.

All its descendants have TAG and NAME in their command line, even without the environment and the output pipes.

  ignore=TERM+INT   slow=MS (ends MS after SIGTERM)   sleep=MS   exit=CODE   crash=SIGNAL
  children=N        forkloop=MS (children that live for MS)   hop=MS (every MS the process forks and the parent ends)
  setsid   setpgid  sethop=MS (hop in a new session)
  double=env|envi|silent (a daemon by double fork: keeps its environment, clears it, or clears it and closes the pipes)
  optout (PROCRUN_ESCAPE=1)   selfstop (a child that stops itself)   stopself   closeout   flood   zombies=N   strayzombie
"""

import os
import signal
import sys
import time

tag, name, *traits = sys.argv[1:]
signal.signal(signal.SIGINT, signal.SIG_DFL)
signal.signal(signal.SIGPIPE, signal.SIG_DFL)


def sleep_forever():
    while True:
        time.sleep(1000)


def sleep_ms(ms):
    time.sleep(float(ms) / 1000)


def fork(work):
    """Forks a child that does the work and then sleeps."""
    pid = os.fork()
    if pid == 0:
        try:
            work()
            sleep_forever()
        finally:
            os._exit(0)
    return pid


def exec_self(environment, *arguments):
    os.execve(sys.executable, [sys.executable, "-SE", __file__, tag, *arguments], environment)


def reap_children():
    try:
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass
    except ChildProcessError:
        pass


def come_and_go(ms):
    while True:
        if os.fork() == 0:
            sleep_ms(ms)
            os._exit(0)
        sleep_ms(float(ms) / 2)
        reap_children()


def hop(ms):
    while True:
        sleep_ms(ms)
        if os.fork():
            os._exit(0)


def hop_away(ms):
    os.setsid()
    hop(ms)


def flood():
    line = ("%s floods " % name * 8 + "\n").encode() * 20
    while True:
        os.write(1, line)
        sleep_ms(1)


def close_pipes():
    null = os.open(os.devnull, os.O_RDWR)
    for fd in (0, 1, 2):
        os.dup2(null, fd)
    os.closerange(3, 64)


def daemon(kind):
    os.setsid()
    if os.fork():
        os._exit(0)
    if kind == "silent":
        close_pipes()
    exec_self(dict(os.environ) if kind == "env" else {}, name, "daemon")


def opt_out():
    os.setsid()
    close_pipes()
    exec_self({**os.environ, "PROCRUN_ESCAPE": "1"}, name + "!optout")


def stray_zombie():
    """Leaves the group. Its child stays in the group as a zombie that is never reaped."""
    fork(lambda: os._exit(0))
    os.setpgid(0, 0)


def perform(trait):
    kind, _, value = trait.partition("=")
    if kind == "ignore":
        for word in value.split("+"):
            signal.signal(getattr(signal, "SIG" + word), signal.SIG_IGN)
    elif kind == "slow":
        signal.signal(signal.SIGTERM, lambda *_: (sleep_ms(value), os._exit(0)))
    elif kind == "sleep":
        sleep_ms(value)
    elif kind == "exit":
        os._exit(int(value))
    elif kind == "crash":
        signal.signal(getattr(signal, "SIG" + value), signal.SIG_DFL) if value != "KILL" else None
        os.kill(os.getpid(), getattr(signal, "SIG" + value))
    elif kind == "children":
        for _ in range(int(value)):
            fork(lambda: None)
    elif kind == "forkloop":
        fork(lambda: come_and_go(value))
    elif kind == "hop":
        fork(lambda: hop(value))
    elif kind == "sethop":
        fork(lambda: hop_away(value))
    elif kind == "setsid":
        fork(os.setsid)
    elif kind == "setpgid":
        fork(lambda: os.setpgid(0, 0))
    elif kind == "double":
        os.waitpid(fork(lambda: daemon(value)), 0)
    elif kind == "optout":
        fork(opt_out)
    elif kind == "selfstop":
        fork(lambda: os.kill(os.getpid(), signal.SIGSTOP))
    elif kind == "stopself":
        os.kill(os.getpid(), signal.SIGSTOP)
    elif kind == "closeout":
        os.close(1)
        os.close(2)
    elif kind == "flood":
        fork(flood)
    elif kind == "zombies":
        for _ in range(int(value)):
            if os.fork() == 0:
                os._exit(0)
    elif kind == "strayzombie":
        fork(stray_zombie)
    elif kind == "say":
        os.write(1, (value + "\n").encode())
    elif kind not in ("daemon", "calm"):
        sys.exit("hostile.py: there is no trait " + trait)


for trait in traits:
    perform(trait)
sleep_forever()
