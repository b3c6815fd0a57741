#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Send SIGINT to a command once it waits for its standard input, or for a named pipe; both stay open
and empty. The command must end by itself with status 130. Prints its output; its messages go to
standard error.

    interrupt.py [--pipe PATH] COMMAND...
"""
import os
import select
import signal
import subprocess
import sys


def waits_for(process, place):
    """Whether the process sleeps in read() of this file (Linux: the number of the call first)."""
    with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
        words = file.read().split()
    if len(words) < 2 or words[0] not in ("0", "63"):
        return False
    return os.readlink(f"/proc/{process.pid}/fd/{int(words[1], 16)}") == place


def main():
    command = sys.argv[1:]
    pipe = None
    if command[0] == "--pipe":
        pipe = os.path.realpath(command[1])
        os.mkfifo(pipe)
        writer = os.open(pipe, os.O_RDWR)
        command = command[2:]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            place = pipe or os.readlink(f"/proc/{process.pid}/fd/0")
            while process.poll() is None and not waits_for(process, place):
                select.select([], [], [], 0.01)
        except OSError as error:
            process.kill()
            print(f"/proc tells nothing of system calls: {error}", file=sys.stderr)
            return 77
        process.send_signal(signal.SIGINT)
        # Not communicate(): it would close standard input, which also ends the waiting.
        status = process.wait(timeout=60)
        sys.stdout.buffer.write(process.stdout.read())
        sys.stderr.buffer.write(process.stderr.read())
    if pipe:
        os.close(writer)
    if status != 130:
        print(f"exit status {status}, not 130", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
