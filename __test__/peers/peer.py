"""The Python peer of the interop tests; README.md has its commands."""

import errno
import mmap
import os
import sys
import time
from multiprocessing import resource_tracker, shared_memory

import posix_ipc
import sysv_ipc

# What posix_ipc and sysv_ipc raise says no errno.
POSIX_ERRORS = {posix_ipc.ExistentialError: "ENOENT", posix_ipc.PermissionsError: "EACCES"}
SYSV_ERRORS = {sysv_ipc.ExistentialError: "ENOENT", sysv_ipc.PermissionsError: "EACCES"}


def key_of(name):
    """FNV-1a 32 over the name with its slash, as a signed number."""
    value = 0x811C9DC5
    for byte in ("/" + name.removeprefix("/")).encode():
        value = ((value ^ byte) * 0x01000193) & 0xFFFFFFFF
    return value - (1 << 32) if value & 0x80000000 else value


def sysv_semaphore(verb, key, *args):
    if verb in ("create", "ensure"):
        # With IPC_CREAT alone sysv_ipc would set the value of a semaphore that is there already.
        try:
            sysv_ipc.Semaphore(key, sysv_ipc.IPC_CREX, mode=0o600, initial_value=int(args[0]))
        except sysv_ipc.ExistentialError:
            if verb == "create":
                raise
            sysv_ipc.Semaphore(key)
        return "ok"
    semaphore = sysv_ipc.Semaphore(key)
    match verb:
        case "open":
            return "ok"
        case "post":
            semaphore.release(int(args[0]) if args else 1)
            return "ok"
        case "try":
            return sysv_wait(semaphore, 0)
        case "wait":
            return sysv_wait(semaphore, int(args[0]) / 1000 if args else None)
        case "value":
            return semaphore.value
        case "waiters":
            return semaphore.waiting_for_nonzero
        case "unlink":
            semaphore.remove()
            return "ok"
    raise LookupError(verb)


def sysv_wait(semaphore, timeout):
    """A wait with a limit tries again and again: the wheels of sysv_ipc are built without semtimedop."""
    if timeout is None:
        return taken(semaphore.acquire, sysv_ipc.BusyError)
    semaphore.block = False
    until = time.monotonic() + timeout
    while (answer := taken(semaphore.acquire, sysv_ipc.BusyError)) == "false" and time.monotonic() < until:
        time.sleep(0.005)
    return answer


def posix_semaphore(verb, name, *args):
    if verb == "unlink":
        posix_ipc.unlink_semaphore(name)
        return "ok"
    if verb == "create":
        posix_ipc.Semaphore(name, posix_ipc.O_CREX, mode=0o600, initial_value=int(args[0]))
        return "ok"
    if verb == "ensure":
        posix_ipc.Semaphore(name, posix_ipc.O_CREAT, mode=0o600, initial_value=int(args[0]))
        return "ok"
    semaphore = posix_ipc.Semaphore(name)
    match verb:
        case "open":
            return "ok"
        case "post":
            for _ in range(int(args[0]) if args else 1):
                semaphore.release()
            return "ok"
        case "try":
            return taken(lambda: semaphore.acquire(0), posix_ipc.BusyError)
        case "wait":
            timeout = int(args[0]) / 1000 if args else None
            return taken(lambda: semaphore.acquire(timeout), posix_ipc.BusyError)
        case "guarded":
            return posix_guarded(semaphore, name, int(args[0]))
        case "value":
            return semaphore.value
    raise LookupError(verb)


def posix_guarded(semaphore, name, count):
    """Adds 1 to the number at the start of the memory of the same name, each time between a wait and a post."""
    memory = posix_ipc.SharedMemory(name)
    with mmap.mmap(memory.fd, memory.size) as view, memoryview(view) as whole, whole.cast("i") as numbers:
        for index in range(count):
            semaphore.acquire()
            number = numbers[0]
            numbers[1] = index
            numbers[0] = number + 1
            semaphore.release()
    return "ok"


def taken(acquire, busy):
    try:
        acquire()
    except busy:
        return "false"
    return "ok"


def posix_memory(verb, name, *args):
    if verb == "unlink":
        posix_ipc.unlink_shared_memory(name)
        return "ok"
    if verb == "create":
        posix_ipc.SharedMemory(name, posix_ipc.O_CREX, mode=0o600, size=int(args[0]))
        return "ok"
    memory = posix_ipc.SharedMemory(name)
    match verb:
        case "open":
            return "ok"
        case "size":
            return memory.size
        case "truncate":
            os.ftruncate(memory.fd, int(args[0]))
            return "ok"
    with mmap.mmap(memory.fd, memory.size) as view:
        return copy(verb, view, memory.size, *args)


def sysv_memory(verb, key, *args):
    if verb == "create":
        sysv_ipc.SharedMemory(key, sysv_ipc.IPC_CREX, mode=0o600, size=int(args[0]), init_character=b"\0").detach()
        return "ok"
    memory = sysv_ipc.SharedMemory(key)
    match verb:
        case "open":
            return "ok"
        case "id":
            return memory.id
        case "size":
            return memory.size
        case "unlink":
            memory.remove()
            return "ok"
    with memoryview(memory) as view:
        return copy(verb, view, memory.size, *args)


def python_memory(verb, name, *args):
    if verb == "create":
        memory = shared_memory.SharedMemory(name, create=True, size=int(args[0]))
    else:
        memory = shared_memory.SharedMemory(name)
    try:
        match verb:
            case "create" | "open":
                return "ok"
            case "size":
                return memory.size
            case "unlink":
                memory.unlink()
                return "ok"
        return copy(verb, memory.buf, memory.size, *args)
    finally:
        memory.close()
        if verb != "unlink":
            # Before 3.13 Python removes at its end whatever it has opened.
            resource_tracker.unregister(memory._name, "shared_memory")


def copy(verb, view, size, offset, what):
    offset = int(offset)
    if verb == "write":
        data = bytes.fromhex(what)
        if offset + len(data) > size:
            raise OSError(errno.EFBIG, "beyond the end")
        view[offset : offset + len(data)] = data
        return "ok"
    if verb == "read":
        if offset + int(what) > size:
            raise OSError(errno.EFBIG, "beyond the end")
        return bytes(view[offset : offset + int(what)]).hex()
    raise LookupError(verb)


def answer(facility, *args):
    match facility:
        case "key":
            return key_of(args[0])
        case "ftok":
            return sysv_ipc.ftok(args[0], int(args[1]), silence_warning=True)
    verb, name, *rest = args
    match facility:
        case "sem-sysv":
            return sysv_semaphore(verb, key_of(name), *rest)
        case "sem-key":
            return sysv_semaphore(verb, int(name), *rest)
        case "sem-posix":
            return posix_semaphore(verb, name, *rest)
        case "shm-sysv":
            return sysv_memory(verb, int(name), *rest)
        case "shm-posix":
            return posix_memory(verb, name, *rest)
        case "shm-python":
            return python_memory(verb, name, *rest)
        case "channel":
            from channel_peer import channel_command

            return channel_command(verb, name, *rest)
    raise LookupError(facility)


def errno_of(error, verb):
    for kind, name in (POSIX_ERRORS | SYSV_ERRORS).items():
        if isinstance(error, kind):
            return "EEXIST" if name == "ENOENT" and verb == "create" else name
    if isinstance(error, OSError) and error.errno:
        return errno.errorcode[error.errno]
    # posix_ipc raises a plain Error or ValueError; its text is all there is.
    return f"{type(error).__name__}: {error}"


def main(args):
    try:
        line = answer(*args)
        print(f"errno {line}" if str(line).startswith("ERR_") else line)
        return 1 if str(line).startswith("ERR_") else 0
    except (LookupError, TypeError, IndexError) as error:
        print(f"usage: peer FACILITY VERB NAME [ARGUMENTS]; see README.md ({error!r})", file=sys.stderr)
        return 2
    except (OSError, ValueError, posix_ipc.Error, sysv_ipc.Error) as error:
        print(f"errno {errno_of(error, args[1])}")
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
