# SPDX-License-Identifier: Apache-2.0
"""Broken and hostile files of every kind, each with what the command has to say of it.

hostile_zoo.py RES2NET [--limits] [--only TEXT] [--show]

Draws every file from a formula into a temporary folder and gives it to the verb that reads such
files. Each must end with the status that the case names (never a signal), say the file's name and
the case's words on standard error, and run nothing of what the file holds (a marker file tells).
--limits also holds the time (one second) and the memory (64 MiB) of each: not for sanitizer builds
or busy machines. Needs Python's own library only. Ends with "N passed, N failed".
"""
import argparse
import multiprocessing
import os
import pickle
import subprocess
import sys
import tempfile
import time

import hostile_pictures
import hostile_texts
import hostile_weights

SECONDS, MEBIBYTES = 1.0, 64
SAMPLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "models", "sample.png")


def command_of(case, path, folder):
    """The command line that reads the case's file."""
    if case.verb == "picture":
        return ["predict", path]
    if case.verb == "weights":
        return ["predict", "-m", path, SAMPLE]
    if case.verb == "npy":
        return ["predict", "--input-npy", path]
    if case.verb == "labels":
        return ["predict", "--labels", path, SAMPLE]
    if case.verb == "transforms":
        return ["predict", "--transforms", path, SAMPLE]
    if case.verb == "list":
        return ["eval", "--list", path, "--root", folder]
    return ["eval", "-c", path]


def run(command):
    """Exit status (negative: a signal), standard error, seconds, peak mebibytes."""
    with tempfile.TemporaryFile() as words:
        begin = time.monotonic()
        child = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                 stderr=words)
        _, status, usage = os.wait4(child.pid, 0)
        seconds = time.monotonic() - begin
        child.returncode = os.waitstatus_to_exitcode(status)
        words.seek(0)
        return (child.returncode, words.read().decode("utf-8", "replace"), seconds,
                usage.ru_maxrss / 1024)


def judge(case, path, marker, result, limits):
    """What is wrong, one text each."""
    status, words, seconds, mebibytes = result
    if status not in case.statuses:
        yield f"status {status}, not {' or '.join(map(str, case.statuses))}"
    if status != 0 and os.path.basename(path) not in words:
        yield "the file is not named"
    said = words.replace(path, "").lower()  # the file's name has words of its own
    for word in case.words:
        if word.lower() not in said:
            yield f"the message lacks '{word}'"
    if os.path.exists(marker):
        yield "the file's own code was run"
    if limits and seconds > SECONDS:
        yield f"it took {seconds:.2f} s"
    if limits and mebibytes > MEBIBYTES:
        yield f"it took {mebibytes:.0f} MiB"


def draw(folder):
    """Writes the files and what is expected of each."""
    cases = [*hostile_pictures.cases(), *hostile_weights.cases(os.path.join(folder, "marker")),
             *hostile_texts.cases()]
    for case in cases:
        with open(os.path.join(folder, case.name), "wb") as file:
            file.write(case.data)
        case.data = None
    with open(os.path.join(folder, "index"), "wb") as file:
        pickle.dump(cases, file)


def judge_all(folder, options):
    """(passed, failed)"""
    marker = os.path.join(folder, "marker")
    with open(os.path.join(folder, "index"), "rb") as file:
        cases = [case for case in pickle.load(file) if options.only in case.name]
    passed = 0
    slowest = largest = 0.0
    for case in cases:
        path = os.path.join(folder, case.name)
        result = run([options.res2net, *command_of(case, path, folder)])
        faults = list(judge(case, path, marker, result, options.limits))
        slowest, largest = max(slowest, result[2]), max(largest, result[3])
        passed += not faults
        if faults or options.show:
            print(f"{'MISS' if faults else 'ok  '} {case.name}: {'; '.join(faults)}\n     "
                  f"{result[1].strip()[:400]}", flush=True)
    print(f"slowest {slowest:.2f} s, largest {largest:.0f} MiB")
    return passed, len(cases) - passed


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("res2net")
    parser.add_argument("--limits", action="store_true")
    parser.add_argument("--only", default="")
    parser.add_argument("--show", action="store_true", help="print every message")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        # In a process of its own: the peak that wait4 tells of a child begins with its parent's.
        drawer = multiprocessing.Process(target=draw, args=(folder,))
        drawer.start()
        drawer.join()
        if drawer.exitcode != 0:
            sys.exit("hostile_zoo: the files could not be drawn")
        passed, failed = judge_all(folder, options)
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed or not passed else 0)


if __name__ == "__main__":
    main()
