"""hung-folder.py FOLDER COMMAND...: becomes COMMAND, for which FOLDER is a file system that never answers (FUSE without a server).
Needs a mount namespace of its own (unshare -m)."""
import ctypes
import os
import struct
import sys

folder, *command = sys.argv[1:]
libc = ctypes.CDLL(None, use_errno=True)
fd = os.open("/dev/fuse", os.O_RDWR)
options = f"fd={fd},rootmode=40000,user_id=0,group_id=0"
if libc.mount(b"fuse", folder.encode(), b"fuse", 0, options.encode()) != 0:
    raise OSError(ctypes.get_errno(), "mount")
# The kernel waits for the answer to FUSE_INIT in a way that no signal ends. So answer that one, and nothing after it.
unique = struct.unpack_from("<Q", os.read(fd, 1 << 17), 8)[0]
answer = struct.pack("<IIIIHHIIHHI7I", 7, 31, 0, 0, 0, 0, 65536, 1, 0, 0, 0, *[0] * 7)
os.write(fd, struct.pack("<IiQ", 16 + len(answer), 0, unique) + answer)
# The connection ends when its last descriptor is closed, and then each lookup fails at once.
os.set_inheritable(fd, True)
os.execvp(command[0], command)
