"""Posts without undo, as a peer in Python does, until the shared memory says stop; prints how many units it gave."""

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
posts = 0
while True:
    memory.seek(12)
    if memory.read(4) != b"\0\0\0\0":
        break
    if semaphore.value < 100:
        semaphore.release()
        posts += 1
    time.sleep(0.002)
print(posts)
