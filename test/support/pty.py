# A terminal for one command: opens a pseudo-terminal, starts the command on it, and takes orders as lines of JSON.
# terminal.ts is the test's side. This file makes only the system calls. Python 3, standard library.
#
# Input, the first line: {"argv", "env", "cwd", "rows", "columns", "job_control", "pipes": [1, 2]}
# Further lines: {"type": base64} {"resize": [rows, columns]} {"signal": n} {"hangup": true} {"reading": bool}
#      {"foreground": true} (fg) {"background": true} (bg) {"report": "modes" | "foreground"}
# Output: {"started": pid} {"out": base64} {"pipe": fd, "data": base64} {"stopped": n} {"continued": true}
#      {"modes": {…}} {"foreground": pgid} {"exit": code, "signal": n}, and at last {"eof": true}
import base64
import fcntl
import json
import os
import select
import signal
import struct
import sys
import termios

# After the command's end another process may hold the terminal open. This many seconds of silence end the wait for it.
SILENCE = 0.3


def say(**event):
    os.write(1, (json.dumps(event) + "\n").encode())


class Terminal:
    def __init__(self, spec):
        self.job_control = spec["job_control"]
        self.master, slave = os.openpty()
        self.resize(spec["rows"], spec["columns"])
        pipes = {fd: os.pipe() for fd in spec["pipes"]}
        # A signal writes to this pipe and so wakes select(). The handlers do nothing.
        self.wake, wake_writer = os.pipe()
        os.set_blocking(wake_writer, False)
        signal.set_wakeup_fd(wake_writer)
        for number in (signal.SIGCHLD, signal.SIGHUP):
            signal.signal(number, lambda *_: None)
        # Without this, tcsetpgrp from the background would stop this process.
        signal.signal(signal.SIGTTOU, signal.SIG_IGN)
        if self.job_control:
            fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
        self.child = os.fork()
        if self.child == 0:
            self.exec_command(spec, slave, pipes)
        if self.job_control:
            self.put_in_foreground()
        os.close(slave)
        for _, writer in pipes.values():
            os.close(writer)
        self.sources = {reader: fd for fd, (reader, _) in pipes.items()}
        self.sources[self.master] = None
        self.ended = False
        say(started=self.child)

    def exec_command(self, spec, slave, pipes):
        try:
            if self.job_control:
                # Like an interactive shell: the job gets its own group in the shell's session, in the foreground.
                os.setpgid(0, 0)
                os.tcsetpgrp(slave, os.getpid())
            else:
                os.setsid()
                fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
            for fd in (0, 1, 2):
                os.dup2(pipes[fd][1] if fd in pipes else slave, fd)
            os.closerange(3, 256)
            for number in (signal.SIGTTOU, signal.SIGPIPE, signal.SIGXFSZ):
                signal.signal(number, signal.SIG_DFL)
            os.chdir(spec["cwd"])
            os.execvpe(spec["argv"][0], spec["argv"], spec["env"])
        except OSError as error:
            os.write(2, f"{spec['argv'][0]}: {error}\n".encode())
        finally:
            os._exit(127)

    def put_in_foreground(self):
        # Parent and child both do this, because either may run first.
        try:
            os.setpgid(self.child, self.child)
            os.tcsetpgrp(self.master, self.child)
        except OSError:
            pass  # the child has exec'd already, after its own calls, or it has ended

    def resize(self, rows, columns):
        fcntl.ioctl(self.master, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))

    def group(self):
        # The command leads a group in both cases. Without job control it leads a session, which starts with a group.
        return self.child

    def execute_order(self, order):
        if "type" in order:
            text = base64.b64decode(order["type"])
            while text:
                text = text[os.write(self.master, text):]
        elif "resize" in order:
            self.resize(*order["resize"])
        elif "signal" in order:
            if not self.ended:
                os.kill(self.child, order["signal"])
        elif "hangup" in order:
            self.sources.pop(self.master, None)
            os.close(self.master)
        elif "reading" in order:
            self.sources.pop(self.master, None)
            if order["reading"]:
                self.sources[self.master] = None
        elif "foreground" in order:
            os.tcsetpgrp(self.master, self.group())
            os.killpg(self.group(), signal.SIGCONT)
        elif "background" in order:
            os.tcsetpgrp(self.master, os.getpgrp())
            os.killpg(self.group(), signal.SIGCONT)
        elif order["report"] == "modes":
            local = termios.tcgetattr(self.master)[3]
            say(modes={
                "echo": bool(local & termios.ECHO),
                "canonical": bool(local & termios.ICANON),
                "signals": bool(local & termios.ISIG),
            })
        else:
            say(foreground=os.tcgetpgrp(self.master))

    def check_child(self):
        flags = os.WNOHANG | os.WUNTRACED | os.WCONTINUED
        while not self.ended:
            pid, status = os.waitpid(self.child, flags)
            if pid == 0:
                return
            if os.WIFSTOPPED(status):
                if self.job_control:
                    try:
                        os.tcsetpgrp(self.master, os.getpgrp())
                    except OSError:
                        pass  # the terminal is gone
                say(stopped=os.WSTOPSIG(status))
            elif os.WIFCONTINUED(status):
                say(continued=True)
            else:
                self.ended = True
                by_signal = os.WIFSIGNALED(status)
                say(
                    exit=None if by_signal else os.WEXITSTATUS(status),
                    signal=os.WTERMSIG(status) if by_signal else None,
                )

    def on_signal(self, number):
        if number == signal.SIGHUP and self.job_control and not self.ended:
            # An interactive shell sends SIGHUP to its jobs and ends. The end of the session leader makes the kernel send
            # SIGHUP to the foreground group once more.
            for _ in range(2):
                os.killpg(self.group(), signal.SIGHUP)
            os.killpg(self.group(), signal.SIGCONT)

    def relay(self, source):
        try:
            data = os.read(source, 65536)
        except OSError:  # EIO: no process has the terminal open any more
            data = b""
        if not data:
            del self.sources[source]
            return
        fd = self.sources[source]
        text = base64.b64encode(data).decode()
        if fd is None:
            say(out=text)
        else:
            say(pipe=fd, data=text)

    def serve(self):
        orders = b""
        while not self.ended or self.sources:
            readable, _, _ = select.select([0, self.wake, *self.sources], [], [], SILENCE if self.ended else None)
            if not readable:
                break
            if self.wake in readable:
                for number in os.read(self.wake, 4096):
                    self.on_signal(number)
                self.check_child()
            for source in [fd for fd in readable if fd in self.sources]:
                self.relay(source)
            if 0 in readable:
                data = os.read(0, 65536)
                if not data:  # the test is over or has died: leave nothing behind
                    if not self.ended:
                        os.killpg(self.group(), signal.SIGKILL)
                    return
                *lines, orders = (orders + data).split(b"\n")
                for line in lines:
                    self.execute_order(json.loads(line))
        say(eof=True)


first = b""
while b"\n" not in first:
    data = os.read(0, 65536)
    if not data:
        sys.exit()
    first += data
# The test sends nothing more until it has read `started`, so the rest of this buffer is empty.
Terminal(json.loads(first)).serve()
