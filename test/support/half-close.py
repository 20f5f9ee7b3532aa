"""half-close.py [--stdin] COMMAND...: runs COMMAND with a socket as stdout and copies what it prints. Ends with its status.
Without --stdin it closes its sending half of the socket at once. With --stdin the socket is stdin too, and gets what comes on ours."""
import os
import socket
import subprocess
import sys
import threading

command = sys.argv[1:]
both = command[0] == "--stdin"
if both:
    command = command[1:]
ours, theirs = socket.socketpair()
child = subprocess.Popen(command, stdin=theirs if both else subprocess.DEVNULL, stdout=theirs)
theirs.close()


def send():
    while data := os.read(0, 4096):
        ours.sendall(data)


if both:
    threading.Thread(target=send, daemon=True).start()
else:
    ours.shutdown(socket.SHUT_WR)
while data := ours.recv(65536):
    os.write(1, data)
os._exit(child.wait())
