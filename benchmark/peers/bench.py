"""The scenes in Python, with sysv_ipc and posix_ipc: `bench.py SCENE ... OBJECT`, then a count a line on stdin."""

import ctypes
import json
import mmap
import os
import signal
import sys
import time

import posix_ipc
import sysv_ipc

BYTES = 146_000


def key_of(name):
    """FNV-1a 32, as a signed number."""
    value = 0x811C9DC5
    for byte in name.encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def sysv(name, initial=0):
    try:
        return sysv_ipc.Semaphore(key_of(name), sysv_ipc.IPC_CREX, mode=0o600, initial_value=initial)
    except sysv_ipc.ExistentialError:
        return sysv_ipc.Semaphore(key_of(name))


def posix(name, initial=0):
    return posix_ipc.Semaphore(name, posix_ipc.O_CREAT, mode=0o600, initial_value=initial)


def fork(child):
    """A second process that ends with this one."""
    parent = os.getpid()
    pid = os.fork()
    if pid:
        return pid
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() == parent:
        child()
    os._exit(0)


def pair(semaphore):
    semaphore.block = False

    def work(count):
        for _ in range(count):
            semaphore.acquire()
            semaphore.release()

    return work


def posix_pair(semaphore):
    def work(count):
        for _ in range(count):
            semaphore.acquire(0)
            semaphore.release()

    return work


def contended(semaphore):
    def work(count):
        for _ in range(count):
            semaphore.acquire()
            semaphore.release()

    return work


def hand_over(make, name):
    there, back = make(name + "-a"), make(name + "-b")

    def echo():
        while True:
            there.acquire()
            back.release()

    child = fork(echo)

    def work(count):
        for _ in range(count):
            there.release()
            back.acquire()

    return work, lambda: (os.kill(child, signal.SIGKILL), os.waitpid(child, 0), remove(there), remove(back))


def segment(kind, name):
    """A writable view of `BYTES` bytes, and how it is removed."""
    if kind == "sysv":
        memory = sysv_ipc.SharedMemory(key_of(name), sysv_ipc.IPC_CREX, mode=0o600, size=BYTES)
        return memoryview(memory), memory.remove
    memory = posix_ipc.SharedMemory(name, posix_ipc.O_CREX, mode=0o600, size=BYTES)
    view = memoryview(mmap.mmap(memory.fd, BYTES))
    memory.close_fd()
    return view, lambda: posix_ipc.unlink_shared_memory(name)


def copy(kind, direction, name):
    shared, cleanup = segment(kind, name)
    own = memoryview(bytearray(BYTES))

    def work(count):
        if direction == "read":
            for _ in range(count):
                own[:] = shared
        else:
            for _ in range(count):
                shared[:] = own

    return work, cleanup


def message(kind, name):
    make = sysv if kind == "sysv" else posix
    full, empty = make(name + "-a"), make(name + "-b")
    shared, cleanup = segment(kind, name)
    own = memoryview(bytearray(BYTES))

    def receive():
        while True:
            full.acquire()
            own[:] = shared
            empty.release()

    child = fork(receive)

    def work(count):
        for _ in range(count):
            shared[:] = own
            full.release()
            empty.acquire()

    def end():
        os.kill(child, signal.SIGKILL)
        os.waitpid(child, 0)
        remove(full)
        remove(empty)
        cleanup()

    return work, end


def opening(what, name):
    match what:
        case "sysv-semaphore":
            made = sysv(name)
            return lambda: sysv_ipc.Semaphore(key_of(name)), made.remove
        case "posix-semaphore":
            posix(name)
            return lambda: posix_ipc.Semaphore(name).close(), lambda: posix_ipc.unlink_semaphore(name)
        case "sysv-memory":
            made = sysv_ipc.SharedMemory(key_of(name), sysv_ipc.IPC_CREX, mode=0o600, size=BYTES)
            return lambda: sysv_ipc.SharedMemory(key_of(name)).detach(), made.remove
        case "posix-memory":
            posix_ipc.SharedMemory(name, posix_ipc.O_CREX, mode=0o600, size=BYTES).close_fd()

            def open_and_close():
                memory = posix_ipc.SharedMemory(name)
                mmap.mmap(memory.fd, memory.size).close()
                memory.close_fd()

            return open_and_close, lambda: posix_ipc.unlink_shared_memory(name)
    raise LookupError(what)


def remove(semaphore):
    try:
        if isinstance(semaphore, posix_ipc.Semaphore):
            semaphore.unlink()
        else:
            semaphore.remove()
    except (posix_ipc.ExistentialError, sysv_ipc.ExistentialError):
        pass  # another of the crowd was quicker


def repeat(act):
    def work(count):
        for _ in range(count):
            act()

    return work


def scene(words):
    match words:
        case ["sysv-pair", name]:
            semaphore = sysv(name, 1)
            return pair(semaphore), lambda: remove(semaphore)
        case ["sysv-permit", name]:
            semaphore = sysv(name, 1)
            semaphore.undo = True
            return pair(semaphore), lambda: remove(semaphore)
        case ["posix-pair", name]:
            semaphore = posix(name, 1)
            return posix_pair(semaphore), lambda: remove(semaphore)
        case ["contention", kind, name]:
            semaphore = sysv(name, 1) if kind == "sysv" else posix(name, 1)
            return contended(semaphore), lambda: remove(semaphore)
        case ["hand-over", kind, name]:
            return hand_over(sysv if kind == "sysv" else posix, name)
        case ["copy", kind, direction, name]:
            return copy(kind, direction, name)
        case ["message", kind, name]:
            return message(kind, name)
        case ["open", what, name]:
            act, cleanup = opening(what, name)
            return repeat(act), cleanup
    raise LookupError(words)


def main(words):
    work, cleanup = scene(words)
    moves = BYTES if words[0] in ("copy", "message") or "memory" in words[1] else 1
    print("ready", flush=True)
    for line in sys.stdin:
        count = int(line)
        start = time.perf_counter_ns()
        work(count)
        nanoseconds = time.perf_counter_ns() - start
        print(json.dumps({"operations": count, "nanoseconds": nanoseconds, "work": count * moves}), flush=True)
    cleanup()


if __name__ == "__main__":
    main(sys.argv[1:])
