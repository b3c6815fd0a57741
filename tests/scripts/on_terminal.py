#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Run a command with its standard output (out), error (err) or both (all) on a terminal of so many
columns, the other one in a pipe. What reaches the terminal goes to standard output here, the rest
to standard error. The exit status is the command's; 77 where the system gives no terminal.

With a TEXT, the command gets SIGINT once that stands on the terminal.

    on_terminal.py out|err|all COLUMNS [--interrupt-at TEXT] COMMAND...
"""
import fcntl
import os
import pty
import signal
import struct
import subprocess
import sys
import termios
import threading


def main():
    which, columns, command = sys.argv[1], int(sys.argv[2]), sys.argv[3:]
    wanted = None
    if command[0] == "--interrupt-at":
        wanted, command = command[1].encode(), command[2:]
    try:
        terminal, inner = pty.openpty()
    except OSError as error:
        print(f"no terminal: {error}", file=sys.stderr)
        return 77
    fcntl.ioctl(inner, termios.TIOCSWINSZ, struct.pack("HHHH", 24, columns, 0, 0))
    mode = termios.tcgetattr(inner)
    mode[1] &= ~termios.OPOST  # \n stays \n
    termios.tcsetattr(inner, termios.TCSANOW, mode)
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL,
                               stdout=subprocess.PIPE if which == "err" else inner,
                               stderr=subprocess.PIPE if which == "out" else inner)
    os.close(inner)
    other = process.stdout if which == "err" else process.stderr
    rest = []
    reader = threading.Thread(target=lambda: rest.append(other.read() if other else b""))
    reader.start()
    shown = b""
    while True:
        try:
            part = os.read(terminal, 65536)
        except OSError:  # how Linux tells the end
            break
        if not part:
            break
        shown += part
        if wanted is not None and wanted in shown:
            process.send_signal(signal.SIGINT)
            wanted = None
    status = process.wait()
    reader.join()
    sys.stdout.buffer.write(shown)
    sys.stderr.buffer.write(rest[0])
    if wanted is not None:
        print("the text never stood there", file=sys.stderr)
        return 1
    return status


if __name__ == "__main__":
    sys.exit(main())
