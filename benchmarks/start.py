#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From process start to printed answer: time and peak memory of `res2net predict` with a .r2n.

The file cache is warm (the first run does not count). Prints the least and the median time and the
largest peak of resident memory, of pages of the file too. Needs Python's own library only.

    benchmarks/start.py MODEL PICTURE [--runs 20] [--res2net build/res2net] [-- OPTION...]

A model of Res2Net50_26w_4s with weights of the peers' benchmark:

    build/res2net convert .oracle/models/Res2Net50_26w_4s.safetensors /tmp/net.r2n
"""
import argparse
import os
import statistics
import subprocess
import sys
import time


def run(command):
    begin = time.perf_counter()
    child = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise SystemExit(f"start: {' '.join(command)} ended with status {status}")
    return seconds, usage.ru_maxrss / 1024


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("model")
    parser.add_argument("picture")
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--res2net", default="build/res2net")
    # argparse would take predict's options behind --runs for its own.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    given = parser.parse_args(sys.argv[1:end])
    command = [given.res2net, "predict", *sys.argv[end + 1:], "-m", given.model, given.picture]
    run(command)
    results = [run(command) for _ in range(given.runs)]
    seconds = [1000 * result[0] for result in results]
    print(f"start to answer: least {min(seconds):.1f} ms, median {statistics.median(seconds):.1f} ms "
          f"of {given.runs}; peak memory {max(result[1] for result in results):.1f} MiB")


if __name__ == "__main__":
    main()
