#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Saves from the real Paddle, through ours, and back: PaddleClas' networks trained a few steps,
saved as PaddleClas saves them, read and written again by our library, and loaded by Paddle, which
must then go on to the bit as if nothing had happened.

train_saves.py [--driver build/train_parts_driver] [--only NAME]
"""
import argparse
import os
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "golden"))
sys.path.insert(0, HERE)
import make_train_parts as parts  # noqa: E402
import paddle  # noqa: E402
import paddle_reference  # noqa: E402

CLASSES = 10
COSINE = dict(kind="cosine", rate=0.01, epochs=4, iterations=5)
WARM = dict(COSINE, warmup_epochs=1)
ADAMW = dict(kind="adamw", beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.05)
MOMENTUM = dict(kind="momentum", momentum=0.9, decay=1e-4)
# name: (architecture, optimiser, schedule, steps, options)
CASES = {
    "momentum": ("Res2Net50_26w_4s", MOMENTUM, COSINE, 3, {}),
    "in a warm-up": ("Res2Net50_vd_26w_4s", MOMENTUM, WARM, 2, {}),
    "after a warm-up": ("Res2Net50_14w_8s", MOMENTUM, WARM, 7, {}),
    "whole run warms up": ("Res2Net50_26w_4s", MOMENTUM, dict(WARM, warmup_epochs=4), 2, {}),
    "adamw": ("Res2Net50_26w_4s", ADAMW, dict(WARM, kind="linear", power=2.0), 6, {}),
    "sgd": ("Res2Net50_26w_4s", dict(kind="sgd", decay=0.01),
            dict(kind="piecewise", rate=0.0, epochs=4, iterations=2, at=[1, 2],
                 values=[0.02, 0.01, 0.005]), 3, {}),
    "by epoch": ("Res2Net50_26w_4s", MOMENTUM,
                 dict(kind="step", rate=0.01, epochs=4, iterations=2, step_epochs=1, gamma=0.5,
                      by_epoch=True), 4, {}),
    "frozen stem": ("Res2Net50_26w_4s", MOMENTUM, COSINE, 2, {"frozen": True}),
    "averages": ("Res2Net50_26w_4s", MOMENTUM, COSINE, 1, {"averages": True}),
    "one optimiser, no list": ("Res2Net50_26w_4s", MOMENTUM, COSINE, 1, {"bare": True}),
    "the second of a process": ("Res2Net50_26w_4s", MOMENTUM, COSINE, 1, {"second": True}),
}


class Run:
    """A network in training. Names of accumulators count from 0 in each run, as in a process."""

    def __init__(self, case):
        self.architecture, self.how, self.schedule, _, self.options = case
        with paddle.utils.unique_name.guard():
            self.net = paddle_reference.network(self.architecture, 1, CLASSES)
            self.rate = parts.scheduler(self.schedule)
            self.net.train()
            for name, p in self.net.named_parameters():
                if self.options.get("frozen") and name.startswith("conv1."):
                    p.stop_gradient = True
            self.optimiser = parts.optimiser(self.how, self.net.parameters(), self.rate)
        self.done = 0

    def step(self):
        with paddle.utils.unique_name.guard():
            random = np.random.RandomState(self.done)
            x = paddle.to_tensor(random.standard_normal((2, 3, 32, 32)).astype("float32"))
            loss = paddle.nn.functional.cross_entropy(
                self.net(x), paddle.to_tensor(random.randint(0, CLASSES, 2)))
            loss.backward()
            self.optimiser.step()
            self.optimiser.clear_grad()
        self.done += 1
        if not self.schedule.get("by_epoch") or self.done % self.schedule["iterations"] == 0:
            self.rate.step()

    def save(self, prefix):
        state = self.optimiser.state_dict()
        if self.options.get("second"):  # as names are where two optimisers were made
            state = {key[:-1] + "1" if key.endswith("_velocity_0") else key: value
                     for key, value in state.items()}
        paddle.save(self.net.state_dict(), prefix + ".pdparams")
        paddle.save(state if self.options.get("bare") else [state], prefix + ".pdopt")
        paddle.save({"metric": 0.625, "epoch": 3}, prefix + ".pdstates")
        if self.options.get("averages"):
            paddle.save({key: value * 0.5 for key, value in self.net.state_dict().items()},
                        prefix + ".ema.pdparams")

    def load(self, prefix, done):
        self.net.set_state_dict(paddle.load(prefix + ".pdparams"))
        with paddle.utils.unique_name.guard():
            self.optimiser.set_state_dict(paddle.load(prefix + ".pdopt")[0])
        self.done = done

    def arrays(self):
        held = {"net." + key: value.numpy() for key, value in self.net.state_dict().items()}
        for key, value in self.optimiser.state_dict().items():
            if key not in ("LR_Scheduler", "master_weights"):
                held["optimiser." + key] = value.numpy()
        return held


def differences(a, b):
    """What of two dicts of arrays is not equal to the bit."""
    if a.keys() != b.keys():
        return sorted(a.keys() ^ b.keys())[:5]
    return [key for key in a if a[key].shape != b[key].shape or not np.array_equal(a[key], b[key])]


def flat(state):
    for key, value in sorted(state.items()):
        if isinstance(value, dict):
            yield from ((f"{key}.{inner}", number) for inner, number in flat(value))
        else:
            yield key, value


def close(a, b):
    a, b = list(flat(a)), list(flat(b))
    return [key for key, _ in a] == [key for key, _ in b] and all(
        abs(x - y) <= 1e-9 for (_, x), (_, y) in zip(a, b))


class Score:
    def __init__(self):
        self.passed = self.failed = 0

    def tell(self, case, what, good, words=""):
        self.passed += bool(good)
        self.failed += not good
        if not good:
            print(f"MISS {case}: {what} {words}")


def resave(driver, line):
    done = subprocess.run([driver], input=line + "\n", text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.PIPE, check=True)
    return [float(number) for number in done.stdout.split()], done.stderr.strip()


def powers(run):
    """Paddle's, of any parameter that is trained."""
    state = run.optimiser.state_dict()
    found = [[float(value.numpy()[0]) for key, value in state.items() if f"_{kind}_pow_acc_" in key]
             for kind in ("beta1", "beta2")]
    return [values[0] if values else 1.0 for values in found]


def compare(name, case, driver, folder, score):
    theirs, ours = os.path.join(folder, "theirs"), os.path.join(folder, "ours")
    run = Run(case)
    for _ in range(case[3]):
        run.step()
    run.save(theirs)
    answer, words = resave(driver, parts.line(f"resave from={theirs} to={ours}", case[2]))
    place = run.rate.state_dict()
    states = {"sgd": 0, "momentum": 1, "adamw": 2}[case[1]["kind"]]
    expected = [0, 0, 3, 0.625, place["last_epoch"], *powers(run), place["last_lr"],
                place["last_epoch"], states]
    score.tell(name, "what is read", np.allclose(answer, expected, rtol=1e-9, atol=0),
               f"{answer} {expected} {words}")
    if answer[0] != 0:
        return
    score.tell(name, "a note for frozen parameters",
               ("begins at zero" in words) == bool(case[4].get("frozen")), words)
    again = Run((case[0], case[1], case[2], 0, dict(case[4])))
    again.load(ours, run.done)
    saved = paddle.load(ours + ".pdopt")[0]["LR_Scheduler"]
    score.tell(name, "the scheduler's state", close(saved, place), f"{saved} {place}")
    states = paddle.load(ours + ".pdstates")
    score.tell(name, ".pdstates", states["metric"] == 0.625 and states["epoch"] == 3)
    if case[4].get("averages"):
        half = paddle.load(ours + ".ema.pdparams")
        score.tell(name, "averages", all(np.array_equal(half[key].numpy(), value.numpy() * 0.5)
                                         for key, value in run.net.state_dict().items()))
    for what in ("one step on", "two steps on"):
        run.step()
        again.step()
        wrong = differences(run.arrays(), again.arrays())
        score.tell(name, what, not wrong, str(wrong[:5]))
    score.tell(name, "the rate", abs(run.rate() - again.rate()) <= 1e-12)
    answer, words = resave(driver, parts.line(f"resave from={ours} to={ours}", case[2]))
    score.tell(name, "our own read again", answer[:4] == [0, 1, 3, 0.625], f"{answer} {words}")


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--driver", default="build/train_parts_driver")
    arguments.add_argument("--only")
    options = arguments.parse_args()
    score = Score()
    for name, case in CASES.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                compare(name, case, options.driver, folder, score)
            print(f"{name}: done", flush=True)
    print(f"{score.passed} passed, {score.failed} failed")
    return 1 if score.failed else 0


if __name__ == "__main__":
    sys.exit(main())
