# SPDX-License-Identifier: Apache-2.0
"""From picture files to answers: `res2net predict --list` beside OpenVINO with OpenCV decoding in
threads (folder_peer.py), in turns. Ours is the whole process from its start; of the peer the
loading of libraries and model is left out. Runs in the environment `onnx`."""
import argparse
import csv
import datetime
import io
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "tests", "oracle"), os.path.join(ROOT, "tests", "golden")]

import command  # noqa: E402
import engines  # noqa: E402
import network_files  # noqa: E402
import results  # noqa: E402

COMPARED = 64  # pictures whose logits are compared first
TOLERANCE = {"f32": 1e-3, "bf16": 1e-1}  # of the largest
HINTS = ("LATENCY", "THROUGHPUT")


def short_list(options, folder):
    """A list file of the first pictures."""
    with open(options.list, encoding="utf-8") as file:
        lines = [line for line in file if line.strip()]
    path = os.path.join(folder, "first.txt")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(lines[:COMPARED])
    return path


def ours(options, names, *more):
    """(seconds, [top-1 class])"""
    begin = time.perf_counter()
    answer = command.run(options.res2net, "predict", "-m", options.model, "--list", names, "--root",
                         options.root, "--batch", options.batch, "--threads", options.threads,
                         "--precision", options.precision, "--preset", "paddle", "--topk", 1,
                         "--format", "csv", *more)
    seconds = time.perf_counter() - begin
    rows = csv.DictReader(io.StringIO(answer.decode()))
    return seconds, [int(row["class_id"]) for row in rows]


def theirs(options, names, hint, *more):
    done = subprocess.run(
        [command.environment_python("openvino"), os.path.join(HERE, "folder_peer.py"),
         os.path.join(options.models, options.arch + ".onnx"), names, options.root,
         options.precision, str(options.batch), str(options.threads), hint, *more],
        check=True, stdout=subprocess.PIPE)
    answer = json.loads(done.stdout)
    options.version = answer["version"]
    return answer["seconds"], answer["top1"]


def compare(options, folder):
    """Nobody is timed who computes something else."""
    names = short_list(options, folder)
    a, b = (os.path.join(folder, name) for name in ("ours.npy", "theirs.npy"))
    ours(options, names, "--dump-logits", a)
    theirs(options, names, HINTS[0], b)
    error = command.error(np.load(a), np.load(b))
    if error > TOLERANCE[options.precision]:
        raise SystemExit(f"the peer computes something else: {error:.1e} of the largest logit")
    return f"{error:.1e} of the largest"


def parse_options():
    data = os.environ.get("RES2NET_DATA", os.path.join(ROOT, "..", "shared", "data"))
    pictures = os.path.join(data, "imagenette")
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(ROOT, "build", "res2net"))
    parser.add_argument("--models", default=os.path.join(ROOT, ".oracle", "models"))
    parser.add_argument("--arch", default="Res2Net50_26w_4s")
    parser.add_argument("--list", default=os.path.join(pictures, "val_list.txt"))
    parser.add_argument("--root", help="default: the list's folder")
    parser.add_argument("--precision", choices=list(TOLERANCE), default="f32")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--csv", default=os.path.join(ROOT, ".oracle", "results.csv"))
    options = parser.parse_args()
    options.root = options.root or os.path.dirname(options.list)
    if not os.path.exists(options.list):
        raise SystemExit(f"folder: there is no {options.list}: name one with --list, or the folder "
                         "of the data in RES2NET_DATA")
    return options


def measure(options):
    """{engine: [(seconds, what others took of the cores)]}, how many top-1 answers are equal"""
    seconds, top1 = {}, {}
    turns = [("res2net", lambda: ours(options, options.list))]
    turns += [(f"openvino {hint}", lambda hint=hint: theirs(options, options.list, hint))
              for hint in HINTS]
    for turn in range(options.rounds):
        for name, run in turns if turn % 2 == 0 else turns[::-1]:
            others = results.Others(results.children_seconds())
            taken, top1[name] = run()
            others = others.share(results.children_seconds())
            seconds.setdefault(name, []).append((taken, others))
            print(f"  {name}: {taken:.2f} s, {len(top1[name]) / taken:.1f} pictures/s, others took "
                  f"{100 * others:.0f} %", flush=True)
    same = sum(a == b for a, b in zip(top1["res2net"], top1["openvino LATENCY"]))
    return seconds, f"top-1 {same}/{len(top1['res2net'])}"


def main():
    options = parse_options()
    options.model = network_files.r2n(options.res2net, options.models, options.arch)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    table = results.Table(options.csv, date)
    row = {"what": "folder", "arch": options.arch, "precision": options.precision,
           "batch": options.batch, "threads": options.threads}
    try:
        with tempfile.TemporaryDirectory() as folder:
            print(f"{options.list}: logits agree to {compare(options, folder)}", flush=True)
    except command.CommandFailed as reason:
        print(f"skipped: {engines.our_words(reason)}")
        table.write(**row, engine="res2net", note=engines.our_words(reason))
        return
    seconds, agreement = measure(options)
    peers = [name for name in seconds if name != "res2net"]
    best = min(peers, key=lambda name: min(seconds[name]))
    ratio = min(seconds[best])[0] / min(seconds["res2net"])[0]
    print(f"{agreement}; {best} / res2net {ratio:.2f}")
    version = command.run(options.res2net, "--version").decode().split()[-1]
    for name in ("res2net", best):
        engine, _, hint = name.partition(" ")
        table.write(**row, engine=engine, version=options.version if hint else version,
                    rounds=options.rounds, agreement=agreement,
                    min_ms=f"{1000 * min(seconds[name])[0]:.0f}",
                    median_ms=f"{1000 * statistics.median(t for t, _ in seconds[name]):.0f}",
                    others=f"{min(seconds[name])[1]:.2f}", note=hint)


if __name__ == "__main__":
    main()
