# Runs a command, reads its stdout as a stream and reports the length of each line, for lines that are too long for a test to
# keep. Python 3.
#
# measure.py [slow] -- COMMAND…
# Output: for each line a line of JSON, [its first 120 bytes, its length in bytes, its number of bytes `x`]. The last line is
# {"status", "maxrss"}: the command's status, and the largest resident memory, in KiB, of it or of a child that it reaped.
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
