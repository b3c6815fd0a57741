#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Send SIGINT to a command once it waits for its standard input, which stays open and empty; the
command must end by itself with status 130. Prints its output; its messages go to standard error.

    interrupt.py COMMAND...
"""
import select
import signal
import subprocess
import sys


def waits_for_input(process):
    """Whether the process sleeps in read() of descriptor 0 (Linux: system call number first)."""
    with open(f"/proc/{process.pid}/syscall", encoding="ascii") as file:
        words = file.read().split()
    return words[0] in ("0", "63") and int(words[1], 16) == 0 if len(words) > 1 else False


def main():
    with subprocess.Popen(sys.argv[1:], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE) as process:
        try:
            while process.poll() is None and not waits_for_input(process):
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
    if status != 130:
        print(f"exit status {status}, not 130", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
