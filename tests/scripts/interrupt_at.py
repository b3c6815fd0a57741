#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Stop a command in the middle of its work, without a clock: it is made to wait for a named pipe
that this program feeds, gets the signal there, and then what it waited for.

    interrupt_at.py SIGNAL PIPE CONTENT [--after TEXT] COMMAND...

The command reads PIPE, made here, somewhere in its work; CONTENT is the file whose bytes come out
of it. With a TEXT the signal is sent once that stands in the command's output. Without one it is
sent once the command has taken more of the pipe than a pipe holds. The exit status must be 130;
output and messages are passed on."""
import os
import signal
import subprocess
import sys
import threading


def main():
    number = getattr(signal, sys.argv[1])
    pipe, content, command = sys.argv[2], sys.argv[3], sys.argv[4:]
    after = None
    if command[0] == "--after":
        after, command = command[1].encode(), command[2:]
    os.mkfifo(pipe)
    # Open at both ends: the command never finds the pipe without a writer, nor this end without a
    # reader.
    both = os.open(pipe, os.O_RDWR)
    data = open(content, "rb").read()
    process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    errors = []
    reader = threading.Thread(target=lambda: errors.append(process.stderr.read()))
    reader.start()
    out = b""
    if after is None:
        half = len(data) // 2
        assert half > 1 << 17, "the content must be larger than a pipe"
        os.write(both, data[:half])  # returns when all but a pipe's worth was taken
        data = data[half:]
    else:
        while after not in out:
            part = process.stdout.read1(65536)
            if not part:
                break
            out += part
    process.send_signal(number)
    rest = []
    printer = threading.Thread(target=lambda: rest.append(process.stdout.read()))
    printer.start()
    # The command may end without reading on: then nothing here may wait for it.
    feeder = threading.Thread(target=feed, args=(both, data), daemon=True)
    feeder.start()
    status = process.wait()
    reader.join()
    printer.join()
    os.unlink(pipe)
    sys.stdout.buffer.write(out + rest[0])
    sys.stderr.buffer.write(errors[0])
    if status != 130:
        print(f"exit status {status}, not 130", file=sys.stderr)
        return 1
    return 0


def feed(both, data):
    while data:
        data = data[os.write(both, data):]
    os.close(both)


if __name__ == "__main__":
    sys.exit(main())
