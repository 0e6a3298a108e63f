"""Runs a program in a terminal of its own, driven by a script on standard input: one line of JSON a step.

    terminal.py ROWS COLUMNS PROGRAM [ARGUMENTS]

Steps: {"type": TEXT} types; {"until": TEXT} reads until the program has written it (at most 40 s);
{"sleep": SECONDS}; {"signal": NUMBER} to the program; {"size": [ROWS, COLUMNS]}; {"mark": true} forgets what was read so far.
At the end: one line of JSON with what the program wrote since the mark, its wait status, and whether
the terminal's modes are those of before.
"""

import fcntl
import json
import os
import pty
import select
import signal
import struct
import sys
import termios
import time

LIMIT = 40


def resize(file, rows, columns):
    fcntl.ioctl(file, termios.TIOCSWINSZ, struct.pack("HHHH", rows, columns, 0, 0))


def main():
    rows, columns, *program = sys.argv[1:]
    master, slave = pty.openpty()
    resize(master, int(rows), int(columns))
    before = termios.tcgetattr(slave)
    pid = os.fork()
    if pid == 0:
        os.close(master)
        os.login_tty(slave) if hasattr(os, "login_tty") else login(slave)
        os.execvp(program[0], program)
    output = b""
    status = None

    def read(timeout):
        nonlocal output
        ready, _, _ = select.select([master], [], [], timeout)
        if not ready:
            return False
        try:
            chunk = os.read(master, 65536)
        except OSError:
            return False
        output += chunk
        return True

    def ended():
        nonlocal status
        if status is None:
            done, result = os.waitpid(pid, os.WNOHANG)
            if done:
                status = result
        return status is not None

    problem = None
    for line in sys.stdin:
        step = json.loads(line)
        if "type" in step:
            os.write(master, step["type"].encode())
        elif "sleep" in step:
            until = time.monotonic() + step["sleep"]
            while time.monotonic() < until:
                read(max(0, until - time.monotonic()))
        elif "signal" in step:
            os.kill(pid, step["signal"])
        elif "size" in step:
            resize(master, *step["size"])
            os.kill(pid, signal.SIGWINCH)
        elif "mark" in step:
            output = b""
        elif "until" in step:
            until = time.monotonic() + LIMIT
            while step["until"].encode() not in output:
                if time.monotonic() > until or (ended() and not read(0.2)):
                    problem = f"never wrote {step['until']!r}"
                    break
                read(0.05)
        if problem:
            break
    # After the last step the program must end by itself.
    until = time.monotonic() + LIMIT
    while not ended() and time.monotonic() < until:
        read(0.02)
    while read(0.05):
        pass
    if not ended():
        problem = problem or "did not end"
        os.kill(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
    after = termios.tcgetattr(slave)
    print(
        json.dumps(
            {
                "output": output.decode(errors="replace"),
                "code": os.waitstatus_to_exitcode(status) if status is not None else None,
                "restored": after == before,
                "problem": problem,
            }
        )
    )


def login(slave):
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for file in range(3):
        os.dup2(slave, file)
    if slave > 2:
        os.close(slave)


main()
