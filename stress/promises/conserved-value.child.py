"""Posts and waits without undo, as a peer in Python does, until the shared memory says stop; prints how often."""

import sys
import time

import sysv_ipc


def key_of(name):
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


name = sys.argv[1]
semaphore = sysv_ipc.Semaphore(key_of(name))
memory = open(f"/dev/shm{name}", "rb", buffering=0)
posts = waits = 0
while True:
    memory.seek(12)
    if memory.read(4) != b"\0\0\0\0":
        break
    if semaphore.value < 16:
        semaphore.release()
        posts += 1
    else:
        try:
            semaphore.acquire(0)
            waits += 1
        except sysv_ipc.BusyError:
            pass
    time.sleep(0.002)
print(posts, waits)
