# Starts a command with a stdout of the given kind, reads that stdout, copies it to its own stdout and ends with the command's
# status (128+n for a signal). Python 3.
#
# reader.py KIND [PACE] -- COMMAND…
# KIND: pipe, pipe-nonblocking, fifo, socketpair, unix-socket, pty, pty-nonblocking; with `+err` its stderr goes there too.
# PACE: `slow` reads in varying sizes with pauses between; `leave=N` closes its end after N bytes;
#       `late` reads nothing until the command has ended or half a second is over; no PACE: as fast as it can.
import os
import random
import socket
import subprocess
import sys
import tempfile
import time
import tty


def open_ends(kind):
    """Returns two file descriptors: the read end for us, the write end for the command."""
    if kind.startswith("pipe"):
        return os.pipe()
    if kind == "fifo":
        path = os.path.join(tempfile.mkdtemp(dir="."), "fifo")
        os.mkfifo(path)
        reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        writer = os.open(path, os.O_WRONLY)
        os.set_blocking(reader, True)
        return reader, writer
    if kind == "socketpair":
        return [end.detach() for end in socket.socketpair()]
    if kind == "unix-socket":
        path = os.path.join(tempfile.mkdtemp(dir="."), "s")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            listener.listen()
            client = socket.socket(socket.AF_UNIX)
            client.connect(path)
            return listener.accept()[0].detach(), client.detach()
    master, slave = os.openpty()
    # Raw mode: the terminal does not change the bytes.
    tty.setraw(slave)
    return master, slave


def read(reader, pace, child):
    try:
        relay(reader, pace, child)
    finally:
        os.close(reader)


def relay(reader, pace, child):
    numbers = random.Random(1)
    left = int(pace[len("leave="):]) if pace.startswith("leave=") else None
    if pace == "late":
        deadline = time.monotonic() + 0.5
        while child.poll() is None and time.monotonic() < deadline:
            time.sleep(0.01)
    while left is None or left > 0:
        size = 65536 if left is None else min(left, 65536)
        if pace == "slow":
            size = numbers.choice([100, 5000, 65536])
            if numbers.random() < 0.3:
                time.sleep(0.002)
        try:
            data = os.read(reader, size)
        except OSError:  # EIO: no process has the terminal open any more
            return
        if not data:
            return
        if left is not None:
            left -= len(data)
        while data:
            data = data[os.write(1, data):]


kind, pace, *command = sys.argv[1:]
if command and command[0] == "--":
    command = command[1:]
elif pace == "--":
    pace = ""
kind, _, also = kind.partition("+")
reader, writer = open_ends(kind)
if kind.endswith("nonblocking"):
    os.set_blocking(writer, False)
child = subprocess.Popen(command, stdout=writer, stderr=writer if also == "err" else None)
if not kind.startswith("pty"):
    os.close(writer)
    read(reader, pace, child)
else:
    # The last close of the slave end discards unread bytes, so keep it open until the command has ended.
    import threading

    thread = threading.Thread(target=read, args=(reader, pace, child))
    thread.start()
    child.wait()
    os.close(writer)
    thread.join()
status = child.wait()
sys.exit(128 - status if status < 0 else status)
