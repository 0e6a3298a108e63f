# Runs a program under a seccomp filter that refuses system calls: seccomp.py ERRNO CALL,CALL... PROGRAM ARGUMENT...
# The numbers are those of Linux, seccomp(2) and prctl(2).

import ctypes
import errno
import os
import platform
import struct
import sys

X86_64 = dict(shmget=29, shmat=30, shmctl=31, semget=64, semop=65, semctl=66, semtimedop=220)
AARCH64 = dict(semget=190, semctl=191, semtimedop=192, semop=193, shmget=194, shmctl=195, shmat=196)
NUMBERS = {"x86_64": X86_64, "aarch64": AARCH64}[platform.machine()]

code = getattr(errno, sys.argv[1])
calls = [NUMBERS[name] for name in sys.argv[2].split(",")]

LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
ALLOW, ERRNO = 0x7FFF0000, 0x00050000


def instruction(code, k, yes=0, no=0):
    return struct.pack("HBBI", code, yes, no, k)


# The number of the call is the first word of struct seccomp_data.
program = instruction(LOAD, 0)
for number in calls:
    program += instruction(EQUAL, number, 0, 1) + instruction(RETURN, ERRNO | code)
program += instruction(RETURN, ALLOW)

buffer = ctypes.create_string_buffer(program, len(program))


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
NO_NEW_PRIVS, SECCOMP, MODE_FILTER = 38, 22, 2
attached = Filter(len(program) // 8, ctypes.addressof(buffer))
for arguments in [(NO_NEW_PRIVS, 1, 0, 0, 0), (SECCOMP, MODE_FILTER, ctypes.byref(attached), 0, 0)]:
    if libc.prctl(*arguments) != 0:
        sys.exit("prctl: " + os.strerror(ctypes.get_errno()))
os.execvp(sys.argv[3], sys.argv[3:])
