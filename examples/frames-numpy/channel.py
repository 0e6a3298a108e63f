"""Messages through a channel of os-ipc, by the layout of docs/interop.md. Linux, Python 3.9 or later, no packages.

    frames = Channel("/frames")
    for kind, message in frames: ...
    frames.send(b"...")
"""

import ctypes
import ctypes.util
import errno
import mmap
import os
import select
import struct

BYTES, JSON, STRUCTURED, TEXT, UINT8_ARRAY, ASCII_TEXT, ASCII_JSON = 1, 2, 3, 4, 5, 6, 7

HEADER, SLOTS = 8192, 255
END, SEND_LOCK, SENT = 64, 68, 72
BEGIN, RECEIVE_LOCK, RECEIVED = 128, 132, 136
RECEIVERS_ASLEEP, SENDERS_ASLEEP, STATE = 192, 196, 200
NAME, FIRST_SLOT = 256, 4096
ENDED, REMOVED, CORRUPT = 1, 2, 4
RECHECK = 100_000_000  # nanoseconds of one sleep: a process may die before it wakes another

# Python has no atomic operations; the library of GCC and Clang for them has (Debian: apt-get install libatomic1).
_atomic = ctypes.CDLL(ctypes.util.find_library("atomic") or "libatomic.so.1")
_libc = ctypes.CDLL(None, use_errno=True)
_SEQ_CST = 5
_LATER = object()


class ChannelEnded(Exception):
    """Nothing can be sent any more, or everything was received."""


class ChannelError(Exception):
    """The channel was removed, or is corrupt."""


class _Operation(ctypes.Structure):
    _fields_ = [("number", ctypes.c_ushort), ("operation", ctypes.c_short), ("flags", ctypes.c_short)]


class _Time(ctypes.Structure):
    _fields_ = [("seconds", ctypes.c_long), ("nanoseconds", ctypes.c_long)]


def _function(name, result, *arguments):
    function = getattr(_atomic, name)
    function.restype, function.argtypes = result, arguments
    return function


class _Atomics:
    """The atomic operations on numbers of one size."""

    def __init__(self, size, kind):
        pointer = ctypes.c_void_p
        self._kind = kind
        self._load = _function(f"__atomic_load_{size}", kind, pointer, ctypes.c_int)
        self._store = _function(f"__atomic_store_{size}", None, pointer, kind, ctypes.c_int)
        self._add = _function(f"__atomic_fetch_add_{size}", kind, pointer, kind, ctypes.c_int)
        self._or = _function(f"__atomic_fetch_or_{size}", kind, pointer, kind, ctypes.c_int)
        swap = f"__atomic_compare_exchange_{size}"
        self._swap = _function(swap, ctypes.c_bool, pointer, pointer, kind, ctypes.c_int, ctypes.c_int)

    def load(self, address):
        return self._load(address, _SEQ_CST)

    def store(self, address, value):
        self._store(address, value, _SEQ_CST)

    def add(self, address, value):
        return self._add(address, value, _SEQ_CST)

    def set_bits(self, address, bits):
        return self._or(address, bits, _SEQ_CST)

    def swap(self, address, expected, value):
        """Stores `value` if `expected` is there."""
        found = self._kind(expected)
        return self._swap(address, ctypes.byref(found), value, _SEQ_CST, _SEQ_CST)


_u32, _u64 = _Atomics(4, ctypes.c_uint32), _Atomics(8, ctypes.c_uint64)


def _fnv(data, value, prime, bits):
    for byte in data:
        value = (value ^ byte) * prime & ((1 << bits) - 1)
    return value


def _semaphore(side, digits):
    name = f"/os-ipc.{side}.{digits:016x}"
    key = _fnv(name.encode(), 0x811C9DC5, 0x01000193, 32)
    return _check(_libc.semget(ctypes.c_int32(key), 0, 0))


def _check(result):
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
    return result


def _stat(pid):
    """The state of a process, and the low half of its start time."""
    with open(f"/proc/{pid}/stat", "rb") as file:
        # The second field is a name that may contain anything.
        fields = file.read().rpartition(b")")[2].split()
    return fields[0], int(fields[19]) & 0xFFFFFFFF


def _is_dead(identity):
    """Whether the kernel proves that a process is dead. If in doubt, it is alive."""
    pid, started = identity >> 32, identity & 0xFFFFFFFF
    try:
        state, found = _stat(pid)
        if found != started:
            return True
        if state not in (b"Z", b"X"):
            return False
        process = os.pidfd_open(pid)  # its first thread has ended; others may run
    except (FileNotFoundError, ProcessLookupError):
        return True
    except OSError:
        return False
    try:
        poll = select.poll()
        poll.register(process, select.POLLIN)
        return bool(poll.poll(0))
    finally:
        os.close(process)


class _Side:
    """The lock of a side, the number of its sleepers, and the set that wakes them."""

    def __init__(self, lock, asleep, semaphore):
        self.lock, self.asleep, self.semaphore = lock, asleep, semaphore
        self.counted = False  # this process is in the number of sleepers

    def wait(self, attempt):
        """Tries until the result is another one than `_LATER`."""
        try:
            while (result := attempt()) is _LATER:
                self._sleep()
            return result
        finally:
            if self.counted:
                self._count_down()
            self.counted = False

    def _sleep(self):
        if not self.counted:
            # Counted first and tried again: what came in between woke nobody.
            _u32.add(self.asleep, 1)
            self.counted = True
            return
        take, limit = _Operation(0, -1, 0), _Time(0, RECHECK)
        if _libc.semtimedop(self.semaphore, ctypes.byref(take), ctypes.c_size_t(1), ctypes.byref(limit)) == 0:
            self.counted = False  # the process that posted has counted down
        elif ctypes.get_errno() in (errno.EIDRM, errno.EINVAL):
            raise ChannelError("the channel was removed")
        elif ctypes.get_errno() not in (errno.EAGAIN, errno.EINTR):
            _check(-1)

    def wake(self):
        """Wakes one sleeper; false if there is none."""
        if not self._count_down():
            return False
        post = _Operation(0, 1, 0)
        return _libc.semop(self.semaphore, ctypes.byref(post), ctypes.c_size_t(1)) == 0

    def _count_down(self):
        while (number := _u32.load(self.asleep)) != 0:
            if _u32.swap(self.asleep, number, number - 1):
                return True
        return False


class Channel:
    """One open handle; one thread at a time may use it. `for kind, message in channel` ends with the channel."""

    def __init__(self, name):
        name = "/" + name.removeprefix("/")
        digits = _fnv(name.encode(), 0xCBF29CE484222325, 0x100000001B3, 64)
        file = os.open(f"/dev/shm/os-ipc.ch.{digits:016x}", os.O_RDWR | os.O_NOFOLLOW | os.O_CLOEXEC)
        try:
            self._memory = mmap.mmap(file, 0)
        finally:
            os.close(file)
        self._base = ctypes.addressof(ctypes.c_char.from_buffer(self._memory))
        instance = self._check_header(name)
        digits = _fnv(struct.pack("<Q", instance), digits, 0x100000001B3, 64)
        at = self._base
        self._senders = _Side(at + SEND_LOCK, at + SENDERS_ASLEEP, _semaphore("cs", digits))
        self._receivers = _Side(at + RECEIVE_LOCK, at + RECEIVERS_ASLEEP, _semaphore("cr", digits))
        self._join()

    def _check_header(self, name):
        memory = self._memory
        if len(memory) < HEADER or _u32.load(self._base) != 0x6E68436F:
            raise ChannelError("the channel is not finished")
        version, header, capacity, slots = struct.unpack_from("<4I", memory, 4)
        (instance,) = struct.unpack_from("<Q", memory, 24)
        namespace, length, _mode, backend = struct.unpack_from("<4I", memory, 40)
        if version != 1 or backend != 1:
            raise ChannelError(f"the channel has layout {version} and backend {backend}")
        power = 64 <= capacity <= 1 << 30 and capacity & (capacity - 1) == 0
        if header != HEADER or slots != SLOTS or not power or len(memory) < HEADER + capacity:
            raise ChannelError("the channel is corrupt")
        if memory[NAME : NAME + length] != name.encode():
            raise ChannelError("another channel has the same hash")
        if namespace != os.stat("/proc/self/ns/pid").st_ino & 0xFFFFFFFF:
            raise ChannelError("the channel belongs to another PID namespace")
        self.capacity, self._units = capacity, capacity // 8
        self.max_message = capacity // 2 - 8
        return instance

    def _join(self):
        own = os.getpid() << 32 | _stat(os.getpid())[1]
        for take_dead in (False, True):
            for number in range(1, SLOTS + 1):
                slot = self._base + FIRST_SLOT + 16 * (number - 1)
                found = _u64.load(slot)
                if found != 0 and not (take_dead and _is_dead(found)):
                    continue
                if not _u64.swap(slot, found, own):
                    continue
                self._slot = slot
                self._word = (_u32.add(slot + 8, 1) + 1 & 0xFFFFFF) << 8 | number
                for side in (self._senders, self._receivers):
                    # The former owner of the slot may have left a lock.
                    word = _u32.load(side.lock)
                    if word & 255 == number and word != self._word:
                        _u32.swap(side.lock, word, 0)
                return
        raise ChannelError("the channel is open 255 times")

    def close(self):
        """Gives the slot back. The channel and its messages stay."""
        _u32.store(self._slot + 12, 0)
        _u64.store(self._slot, 0)
        self._memory.close()

    def send(self, message, kind=BYTES):
        """Sends bytes, or a str or anything else that is a buffer; waits while the channel is full."""
        if isinstance(message, str):
            message, kind = message.encode(), TEXT
        message = memoryview(message).cast("B")
        if len(message) > self.max_message:
            raise ValueError(f"a message has at most {self.max_message} bytes, and this one has {len(message)}")
        self._senders.wait(lambda: self._try_send(message, kind))

    def receive(self):
        """The next message, as its kind and its bytes; waits for one."""
        return self.visit(lambda kind, view: (kind, bytes(view)))

    def visit(self, visit):
        """Calls `visit(kind, view)` with the next message in its place, without a copy; the view is good until it returns."""
        return self._receivers.wait(lambda: self._try_receive(visit))

    def __iter__(self):
        while True:
            try:
                message = self.receive()
            except ChannelEnded:
                return
            yield message

    def end(self):
        """Ends the channel for everybody: sends fail, and receivers get what is left."""
        _u32.set_bits(self._base + STATE, ENDED)
        while self._senders.wake() or self._receivers.wake():
            pass

    def _try_send(self, message, kind):
        if not self._lock(self._senders):
            return _LATER
        try:
            self._check_state(ENDED | REMOVED | CORRUPT)
            used, end = self._used(), _u32.load(self._base + END)
            need, tail = (len(message) + 15) // 8, self._units - end % self._units
            skipped = tail if need > tail else 0
            if need + skipped > self._units - used:
                return _LATER
            if skipped:
                struct.pack_into("<i", self._memory, self._at(end), -1)
            at = self._at(end + skipped)
            struct.pack_into("<iI", self._memory, at, len(message), kind)
            self._memory[at + 8 : at + 8 + len(message)] = message
            self._count(SENT)
            _u32.set_bits(self._slot + 12, 1)
            _u32.store(self._base + END, end + skipped + need & 0xFFFFFFFF)
        finally:
            _u32.store(self._senders.lock, 0)
        self._receivers.wake()
        if self._units - used - skipped - need >= self._units // 2:
            self._senders.wake()
        return None

    def _try_receive(self, visit):
        if not self._lock(self._receivers):
            return _LATER
        try:
            self._check_state(CORRUPT)
            used, begin = self._used(), _u32.load(self._base + BEGIN)
            result, taken = _LATER, 0
            if used > 0:
                at, skipped = self._at(begin), 0
                length, kind = struct.unpack_from("<iI", self._memory, at)
                if length == -1:
                    at, skipped = HEADER, self._units - begin % self._units
                    length, kind = struct.unpack_from("<iI", self._memory, at)
                taken = skipped + (length + 15) // 8
                if not 0 <= length <= self.max_message or taken > used or kind == 0:
                    self._corrupt()
                with memoryview(self._memory)[at + 8 : at + 8 + length] as view:
                    result = visit(kind, view)
                self._count(RECEIVED)
                _u32.set_bits(self._slot + 12, 2)
                _u32.store(self._base + BEGIN, begin + taken & 0xFFFFFFFF)
        finally:
            _u32.store(self._receivers.lock, 0)
        if used - taken <= self._units // 2:
            self._senders.wake()
        if self._used() > 0:
            self._receivers.wake()
        if taken == 0:
            self._check_drained()
        return result

    def _check_drained(self):
        state = _u32.load(self._base + STATE)
        # In this order: a sender that has the lock may have looked at the state before the end.
        if state & ENDED and self._lock(self._senders):
            _u32.store(self._senders.lock, 0)
            if self._used() == 0:
                raise ChannelEnded
        elif state & REMOVED:
            raise ChannelError("the channel was removed")

    def _check_state(self, bits):
        state = _u32.load(self._base + STATE) & bits
        if state & CORRUPT:
            raise ChannelError("the channel is corrupt")
        if state & REMOVED:
            raise ChannelError("the channel was removed")
        if state:
            raise ChannelEnded

    def _used(self):
        used = _u32.load(self._base + END) - _u32.load(self._base + BEGIN) & 0xFFFFFFFF
        if used > self._units:
            self._corrupt()
        return used

    def _corrupt(self):
        _u32.set_bits(self._base + STATE, CORRUPT)
        raise ChannelError("the channel is corrupt")

    def _at(self, position):
        return HEADER + 8 * (position % self._units)

    def _count(self, field):
        (number,) = struct.unpack_from("<I", self._memory, field)
        struct.pack_into("<I", self._memory, field, number + 1 & 0xFFFFFFFF)

    def _lock(self, side):
        """Takes a lock; false if a living process has it."""
        for _ in range(10):
            if _u32.swap(side.lock, 0, self._word):
                return True
        owner = _u32.load(side.lock)
        if number := owner & 255:
            slot = self._base + FIRST_SLOT + 16 * (number - 1)
            identity, generation = _u64.load(slot), _u32.load(slot + 8) & 0xFFFFFF
            if generation == owner >> 8 and identity != 0 and not _is_dead(identity):
                return False
        return _u32.swap(side.lock, owner, self._word)
