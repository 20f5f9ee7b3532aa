# Runs a command, reads its stdout as a stream, and says of each line how long it is: for lines that are too long to be kept by
# a test. Python 3.
#
# measure.py [slow] -- COMMAND…
# Out: a line of JSON for each line: [its first 120 characters, its length, how many of its bytes are x], and at last
# {"status", "maxrss"}: the command's status, and the most memory, in KiB, that it or anything it waited for had.
import json
import os
import resource
import subprocess
import sys
import time

slow = sys.argv[1] == "slow"
command = sys.argv[sys.argv.index("--") + 1:]
child = subprocess.Popen(command, stdout=subprocess.PIPE)
head, length, count = b"", 0, 0
while True:
    data = os.read(child.stdout.fileno(), 65536)
    if not data:
        break
    if slow:
        time.sleep(0.001)
    *lines, rest = data.split(b"\n")
    for index, piece in enumerate(lines + [rest]):
        head = head if len(head) >= 120 else (head + piece[:120])[:120]
        length += len(piece)
        count += piece.count(b"x")
        if index < len(lines):
            print(json.dumps([head.decode("latin1"), length, count]), flush=True)
            head, length, count = b"", 0, 0
if length:
    print(json.dumps([head.decode("latin1"), length, count]))
status = child.wait()
print(json.dumps({"status": status, "maxrss": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss}))
