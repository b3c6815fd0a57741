#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""From process start to printed answer: time and peak memory of `res2net predict` with a .r2n.

The file cache is warm (the first run does not count). Prints the least and the median time and the
largest peak of resident memory, of pages of the file too. Without --model and --picture these are
the network of the peers' benchmark and a made JPEG of 500x375. Options of predict may follow --."""
import argparse
import datetime
import os
import statistics
import subprocess
import sys
import time

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "tests", "oracle"), os.path.join(ROOT, "tests", "golden")]

import command  # noqa: E402
import engines  # noqa: E402
import network_files  # noqa: E402
import results  # noqa: E402

ARCHITECTURE = "Res2Net50_26w_4s"
_MAKE_JPEG = ("import sys; from PIL import Image; "
              "Image.open(sys.argv[1]).resize((500, 375)).save(sys.argv[2], quality=90)")


def make_picture(folder):
    jpeg = os.path.join(folder, "500x375.jpg")
    if not os.path.exists(jpeg):
        subprocess.run([command.environment_python("torch"), "-c", _MAKE_JPEG,
                        os.path.join(folder, "compare000.ppm"), jpeg], check=True)
    return jpeg


def run(arguments):
    others = results.Others(results.children_seconds())
    begin = time.perf_counter()
    child = subprocess.Popen(arguments, stdout=subprocess.DEVNULL)
    _, status, usage = os.wait4(child.pid, 0)
    seconds = time.perf_counter() - begin
    if status != 0:
        raise SystemExit(f"start: {' '.join(arguments)} ended with status {status}")
    return seconds, usage.ru_maxrss / 1024, others.share(results.children_seconds())


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--model", help="a .r2n file")
    parser.add_argument("--picture")
    parser.add_argument("--precision", default="f32")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--patience", type=float, default=60.0,
                        help="seconds, in all, of waiting until other programs are quiet")
    parser.add_argument("--res2net", default=os.path.join(ROOT, "build", "res2net"))
    parser.add_argument("--models", default=os.path.join(ROOT, ".oracle", "models"))
    parser.add_argument("--csv", default=os.path.join(ROOT, ".oracle", "results.csv"))
    # argparse would take predict's options for its own.
    end = sys.argv.index("--") if "--" in sys.argv else len(sys.argv)
    options = parser.parse_args(sys.argv[1:end])
    options.more = sys.argv[end + 1:]
    if not options.model:
        options.model = network_files.r2n(options.res2net, options.models, ARCHITECTURE)
    if not options.picture:
        network_files.weights_file(options.models, ARCHITECTURE)
        options.picture = make_picture(
            network_files.pictures(options.res2net, options.models, ARCHITECTURE))
    return options


def main():
    options = parse_options()
    arguments = [options.res2net, "predict", "-m", options.model, "--precision", options.precision,
                 "--threads", str(options.threads), *options.more, options.picture]
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    table = results.Table(options.csv, date)
    row = {"what": "start", "engine": "res2net", "arch": ARCHITECTURE, "batch": 1,
           "precision": options.precision, "threads": options.threads}
    try:
        command.run(*arguments)
    except command.CommandFailed as reason:
        print(f"start to answer, {options.precision}: skipped: {engines.our_words(reason)}")
        table.write(**row, note=engines.our_words(reason))
        return
    answers, end = [], time.monotonic() + options.patience
    for _ in range(options.runs):
        results.wait_for_quiet(end, 0.05)
        answers.append(run(arguments))
    times = [1000 * answer[0] for answer in answers]
    peak = max(answer[1] for answer in answers)
    print(f"start to answer, {options.precision}: least {min(times):.1f} ms, median "
          f"{statistics.median(times):.1f} ms of {options.runs}; peak memory {peak:.1f} MiB; "
          f"others took {100 * min(answers)[2]:.0f} % of the cores")
    version = command.run(options.res2net, "--version").decode().split()[-1]
    table.write(**row, version=version, rounds=options.runs, peak_mib=f"{peak:.1f}",
                others=f"{min(answers)[2]:.2f}",
                min_ms=f"{min(times):.2f}", median_ms=f"{statistics.median(times):.2f}")


if __name__ == "__main__":
    main()
