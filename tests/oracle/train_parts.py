#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Learning rates, losses and optimiser steps beside the real Paddle's, many random settings each.

train_parts.py [--driver build/train_parts_driver] [--count 200] [--only schedule|loss|optimiser]

Cases and Paddle's answers are tests/golden/make_train_parts.py's; ours come from the driver
(train_parts.c), which calls the library's own functions.
"""
import argparse
import logging
import os
import subprocess
import sys

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "golden"))
import make_train_parts as parts  # noqa: E402

TOLERANCE = 1e-6  # of the largest number of the answer, or of 1


def random_schedule(random):
    kind = random.choice(["constant", "cosine", "linear", "step", "multistep", "piecewise"])
    case = dict(kind=kind, rate=float(random.choice([0.05, 0.1, 0.4, 1.0])),
                epochs=int(random.randint(2, 30)), iterations=int(random.randint(1, 40)),
                by_epoch=bool(random.rand() < 0.3))
    if kind in ("cosine", "linear"):
        case["minimum"] = float(random.choice([0.0, 1e-4, 0.01]))
    if kind == "linear":
        case["power"] = float(random.choice([0.5, 1.0, 2.0]))
    if kind == "step":
        case["step_epochs"] = int(random.randint(1, 6))
    if kind in ("step", "multistep"):
        case["gamma"] = float(random.choice([0.1, 0.5, 0.97]))
    if kind in ("multistep", "piecewise"):
        points = random.randint(1, min(6, case["epochs"]) + 1)
        case["at"] = sorted(int(at) for at in
                            random.choice(case["epochs"], points, replace=False))
    if kind == "piecewise":
        case["values"] = [float(value) for value in random.uniform(0.03, 1, len(case["at"]) + 1)]
    if random.rand() < 0.5:
        case["warmup_epochs"] = float(random.choice([0.5, 1.0, 2.0, 3.0, 5.0]))
        case["warmup_epochs"] = min(case["warmup_epochs"], float(case["epochs"]))
        case["warmup_start"] = float(random.choice([0.0, 0.01, 0.02]))
    # past the end too: a resumed run may be made longer
    case["count"] = case["epochs"] * case["iterations"] + 2 * case["iterations"]
    return case


def random_loss(random):
    options = {}
    if random.rand() < 0.6:
        options["epsilon"] = float(random.choice([0.05, 0.1, 0.3, 0.0, 1.0]))
    return parts.loss_case(random.randint(1 << 30), int(random.randint(1, 40)),
                           int(random.choice([2, 3, 10, 100, 1000], p=[.2, .2, .3, .25, .05])),
                           soft=bool(random.rand() < 0.4), weighted=bool(random.rand() < 0.4),
                           **options)


def random_optimiser(random):
    kind = random.choice(["sgd", "momentum", "adamw"])
    sizes = [int(size) for size in random.choice([1, 3, 16, 100, 999], random.randint(1, 6))]
    case = dict(kind=kind, decays=[int(random.rand() < 0.7) for _ in sizes],
                frozen=[0] + [int(random.rand() < 0.2) for _ in sizes[1:]])
    if kind == "momentum":
        case.update(momentum=float(random.choice([0.0, 0.5, 0.9, 0.99])),
                    nesterov=int(random.rand() < 0.5))
    if kind == "adamw":
        case.update(beta1=float(random.choice([0.8, 0.9])), epsilon=float(random.choice([1e-8, 1e-3])),
                    beta2=float(random.choice([0.99, 0.999])))
    if random.rand() < 0.7:
        case["decay"] = float(random.choice([1e-4, 0.01, 0.5]))
    elif kind != "adamw":
        case["l1"] = float(random.choice([1e-4, 0.01]))
    clip = random.choice(["none", "clip_norm", "clip_global_norm", "clip_value"])
    if clip != "none":
        case[clip] = float(random.choice([0.01, 0.3, 1.0, 100.0]))
    return parts.optimiser_case(random.randint(1 << 30), int(random.choice([1, 5])), sizes,
                                scale=float(random.choice([1e-3, 1.0, 100.0])), **case)


MADE = {"schedule": random_schedule, "loss": random_loss, "optimiser": random_optimiser}
FIXED = {"schedule": parts.SCHEDULES, "loss": parts.LOSSES, "optimiser": parts.OPTIMISERS}


def miss(ours, theirs):
    """The largest difference, in tolerances."""
    if len(ours) != len(theirs):
        return float("inf")
    ours, theirs = np.array(ours, "float64"), np.array(theirs, "float64")
    return float(np.max(np.abs(ours - theirs)) / max(1, np.max(np.abs(theirs)))) / TOLERANCE


def compare(word, cases, driver):
    lines = [parts.line(word, case) for case in cases]
    done = subprocess.run([driver], input="\n".join(lines) + "\n", text=True, check=True,
                          stdout=subprocess.PIPE)
    answers = [[float(number) for number in row.split()] for row in done.stdout.splitlines()]
    passed, worst = 0, 0.0
    for case, row, ours in zip(cases, lines, answers):
        far = miss(ours, parts.ANSWERS[word](case))
        worst = max(worst, far)
        passed += far <= 1
        if not far <= 1:
            print(f"MISS {far * TOLERANCE:.3g}: {row[:300]}")
    print(f"{word}: {passed} of {len(cases)}, largest difference {worst * TOLERANCE:.2g}")
    return passed, len(cases) - passed


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--driver", default="build/train_parts_driver")
    arguments.add_argument("--count", type=int, default=200)
    arguments.add_argument("--seed", type=int, default=6)
    arguments.add_argument("--only")
    options = arguments.parse_args()
    logging.disable(logging.INFO)  # Paddle tells each parameter with a regulariser of its own
    passed = failed = 0
    for word, make in MADE.items():
        if options.only in (None, word):
            random = np.random.RandomState(options.seed)
            cases = FIXED[word] + [make(random) for _ in range(options.count)]
            good, bad = compare(word, cases, options.driver)
            passed, failed = passed + good, failed + bad
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
