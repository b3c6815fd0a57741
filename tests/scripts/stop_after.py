#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Send a signal to a command once it wrote so many lines with a text to its standard error.

    stop_after.py SIGNAL LINES TEXT COMMAND...
Exits as the command did; killed by a signal: 128 and its number.
"""
import signal
import subprocess
import sys


def main(name, lines, text, *command):
    left = int(lines)
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE) as process:
        for line in process.stderr:
            sys.stderr.buffer.write(line)
            if text.encode() in line:
                left -= 1
                if left == 0:
                    process.send_signal(getattr(signal, name))
        status = process.wait()
    return 128 - status if status < 0 else status


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
