# SPDX-License-Identifier: Apache-2.0
"""Our speed beside other engines', in one run: the engines take turns, round by round, so that what
else happens on the machine hits all alike. First all must give the same logits. Runs in the
environment `onnx`."""
import argparse
import datetime
import os
import statistics
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "tests", "oracle"), os.path.join(ROOT, "tests", "golden")]

import command  # noqa: E402
import engines  # noqa: E402
import names  # noqa: E402
import network_files  # noqa: E402
import results  # noqa: E402

# Largest difference of a logit, as a part of the largest; and for precisions that are coarse, the
# least correlation with ours in float32.
LARGEST_ERROR = {"f32": 1e-3, "bf16x3": 1e-4}
LEAST_CORRELATION = {"bf16": 0.98, "int8": 0.9}
ARCHITECTURES = [*names.PADDLE, "resnet50"]


def agreement(precision, exact, found):
    """(is it the same network, in words). The correlation is that of what differs between pictures:
    all logits of a random network have much in common."""
    error = command.error(found, exact)
    if precision in LARGEST_ERROR:
        return error <= LARGEST_ERROR[precision], f"{error:.1e} of the largest"
    common = exact.mean(0)
    correlation = np.corrcoef((exact - common).ravel(), (found - common).ravel())[0, 1]
    same = int((exact.argmax(1) == found.argmax(1)).sum())
    return (correlation >= LEAST_CORRELATION[precision],
            f"correlation {correlation:.4f}; top-1 {same}/{len(exact)}")


def exact_logits(options, arch, folder):
    ours = engines.Ours(options, arch, "f32", 1, "")
    file = os.path.join(folder, "exact.npy")
    ours.logits(os.path.join(options.pictures, "compare.npy"), file)
    return np.load(file)


def enter(options, threads, folder, skip):
    """The engines that run, each of whom computes what we do; the others' reasons are told."""
    entered = []
    for arch in options.arch_together:
        exact = exact_logits(options, arch, folder)
        for precision in options.precision:
            for name in options.engines:
                if not engines.supports(name, precision, options.hold):
                    continue
                try:
                    engine = engines.start(name, options, arch, precision, threads, options.hold)
                    file = os.path.join(folder, "found.npy")
                    engine.logits(os.path.join(options.pictures, "compare.npy"), file)
                except engines.Skipped as reason:
                    skip(name, arch, precision, threads, str(reason))
                    continue
                same, engine.agreement = agreement(precision, exact, np.load(file))
                print(f"  {arch} {name} {precision} {engine.isa}: {engine.agreement}", flush=True)
                if not same:
                    raise SystemExit(f"{name} computes something else; nobody is timed")
                entered.append(engine)
    return entered


def take_turn(engine, batch, options):
    """[(what others took of the cores, smallest time, median)]: once more while others disturb it
    and patience lasts."""
    end, turns = time.monotonic() + options.patience, []
    while True:
        results.wait_for_quiet(end)
        others = results.Others(engine.processor_seconds())
        smallest, median = engine.measure(batch, options.seconds)
        turns.append((others.share(engine.processor_seconds()), smallest, median))
        if turns[-1][0] < results.QUIET or time.monotonic() >= end:
            return turns


def measure_cell(entered, batch, options):
    """[(engine, what others took during the quietest turn, smallest time of all, median of the
    rounds' medians)]"""
    rounds = [[] for _ in entered]
    order = list(range(len(entered)))
    for turn in range(options.rounds):
        # every other one in reverse: no engine always follows the same one
        for i in order if turn % 2 == 0 else order[::-1]:
            rounds[i].append(take_turn(entered[i], batch, options))
    cells = []
    for engine, turns in zip(entered, rounds):
        others = min(turn[0] for again in turns for turn in again)
        smallest = min(turn[1] for again in turns for turn in again)
        cells.append((engine, others, smallest,
                      statistics.median(min(again)[2] for again in turns)))
    return cells


def print_cell(batch, cells):
    print(f"  batch {batch}")
    for engine, others, smallest, median in cells:
        ours = [cell[2] for cell in cells if cell[0].engine == "res2net" and
                (cell[0].arch, cell[0].precision) == (engine.arch, engine.precision)]
        ratio = f"{smallest / ours[0]:8.2f}" if ours else " " * 8
        print(f"    {engine.arch:22s} {engine.precision:6s} {engine.engine:12s}"
              f"{smallest:9.2f} {median:9.2f}{ratio}  {100 * others:3.0f} %", flush=True)


def measure(threads, options, table):
    plural = "" if threads == 1 else "s"
    print(f"{', '.join(options.arch_together)}, {threads} thread{plural}" +
          (f", held to {options.hold}" if options.hold else ""), flush=True)

    def skip(name, arch, precision, threads, reason):
        print(f"  {arch} {name} {precision}: skipped: {reason}", flush=True)
        for batch in options.batch:
            table.write(engine=name, arch=arch, precision=precision, batch=batch, threads=threads,
                        held=options.hold, note=reason.encode("ascii", "replace").decode())
    entered = []
    try:
        with tempfile.TemporaryDirectory() as folder:
            entered = enter(options, threads, folder, skip)
        for batch in options.batch:
            cells = measure_cell(entered, batch, options)
            print_cell(batch, cells)
            for engine, others, smallest, median in cells:
                table.write(engine=engine.engine, version=engine.version, isa=engine.isa,
                            arch=engine.arch, precision=engine.precision, batch=batch,
                            threads=threads, held=options.hold, rounds=options.rounds,
                            agreement=engine.agreement, others=f"{others:.2f}",
                            min_ms=f"{smallest:.3f}", median_ms=f"{median:.3f}")
    finally:
        for engine in entered:
            engine.close()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(ROOT, "build", "res2net"))
    parser.add_argument("--models", default=os.path.join(ROOT, ".oracle", "models"))
    parser.add_argument("--arch", default="Res2Net50_26w_4s",
                        help="names with commas between, or `all`: " + ", ".join(ARCHITECTURES))
    parser.add_argument("--together", action="store_true",
                        help="the networks take turns too, for ratios between networks")
    parser.add_argument("--batch", default="1,4,8")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--precision", default="f32,bf16,bf16x3,int8")
    parser.add_argument("--engines", default=",".join(engines.PRECISIONS))
    parser.add_argument("--hold", choices=list(engines.HOLDS), default="",
                        help="all use the instructions of an older CPU only")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn of a peer")
    parser.add_argument("--patience", type=float, default=5.0,
                        help="seconds for waiting until other programs are quiet, and for trying a "
                        "turn again that they disturbed")
    parser.add_argument("--csv", default=os.path.join(ROOT, ".oracle", "results.csv"),
                        help="rows are added to it")
    options = parser.parse_args()
    for field in ("arch", "batch", "threads", "precision", "engines"):
        setattr(options, field, getattr(options, field).split(","))
    if options.arch == ["all"]:
        options.arch = ARCHITECTURES
    for field, known in (("arch", ARCHITECTURES), ("engines", engines.PRECISIONS),
                         ("precision", engines.PRECISIONS["res2net"])):
        for name in getattr(options, field):
            if name not in known:
                parser.error(f"--{field}: {name} is none of {', '.join(known)}")
    options.batch = [int(n) for n in options.batch]
    options.threads = [int(n) for n in options.threads]
    return options


def main():
    options = parse_options()
    load = os.getloadavg()[0]
    if load > 1.0:
        print(f"the machine is busy (load {load:.1f}): read ratios of the smallest times only")
    for arch in options.arch:
        network_files.weights_file(options.models, arch)
        options.pictures = network_files.pictures(options.res2net, options.models, arch)
        network_files.peers(options.models, arch, options.engines, options.precision)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    table = results.Table(options.csv, date)
    print(f"{results.cpu_name()}\nms of a whole batch, 224x224: smallest, median, and how many "
          "times ours the smallest is; what part of the cores others took", flush=True)
    for together in [options.arch] if options.together else [[arch] for arch in options.arch]:
        options.arch_together = together
        for threads in options.threads:
            measure(threads, options, table)
    print(f"rows added to {os.path.relpath(options.csv)}")


if __name__ == "__main__":
    main()
