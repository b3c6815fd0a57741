#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gradients of training in bf16, ours and those of PyTorch's autocast, each against PyTorch's in double.

Rounded activations turn ReLUs over, in ours and in theirs, so what is compared is how far each is
from the truth: |gradient - true| / |true|, of all parameters as one vector and of every tensor, the
median over several seeds. Ours may be 1.5 times as far as theirs, and a floor. Environment `torch`.

train_gradients_bf16.py [--driver build/train_driver] [--isa avx512] [--seeds 5] [--only NAME]
"""
import argparse
import os
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import formula  # noqa: E402
import torch_reference  # noqa: E402
import train_gradients as f32  # noqa: E402

RATIO, FLOOR = 1.5, 0.01
# name, family, batch, rows x columns. The first has groups of 13, 26 and 52 channels; bf16 products
# take pairs, so the odd ones are the ones to see.
CASES = [
    (f32.CIFAR, "torch", 6, (32, 32)),
    (f32.CIFAR, "paddle", 5, (32, 32)),
    ("plain:" + f32.SMALL.format(26, 4), "torch", 4, (64, 72)),
    ("plain:" + f32.SMALL.format(26, 4), "paddle", 3, (65, 64)),
    ("plain:" + f32.SMALL.format(14, 8), "torch", 3, (67, 64)),
    ("plain:" + f32.SMALL.format(14, 8), "paddle", 4, (64, 64)),
    ("vd:" + f32.SMALL.format(26, 4), "torch", 3, (65, 71)),
    ("vd:" + f32.SMALL.format(26, 4), "paddle", 4, (66, 64)),
]
CLASSES = 10


def autocast_gradients(name, family, seed, pictures, labels):
    """As benchmarks/train.py trains with PyTorch."""
    net = torch_reference.network(name, seed, family).train().to(memory_format=torch.channels_last)
    data = torch.from_numpy(pictures).to(memory_format=torch.channels_last)
    with torch.autocast("cpu", torch.bfloat16):
        loss = torch.nn.functional.cross_entropy(net(data).float(), torch.tensor(labels))
    loss.backward()
    return {key: p.grad.numpy() for key, p in net.named_parameters()}


def distance(gradients, true, least=0.0):
    away = np.linalg.norm((gradients - true).ravel())
    return away / max(np.linalg.norm(true.ravel()), least)


def whole(tensors, keys):
    return np.concatenate([tensors[key].ravel().astype(np.float64) for key in keys])


def run_seed(case, seed, options):
    """Distances {tensor: (ours, theirs)}, with "all" for the whole gradient; and what is wrong."""
    name, family, batch, size = case
    f32.SEED = seed
    pictures = formula.picture(batch, 3, size[0], size[1], seed)
    labels = [(i * 37 + seed) % CLASSES for i in range(batch)]
    _, true = f32.torch_gradients(name, family, pictures, labels)
    theirs = autocast_gradients(name, family, seed, pictures, labels)
    with tempfile.TemporaryDirectory() as folder:
        np.save(os.path.join(folder, "pictures.npy"), pictures)
        _, ours, one = f32.our_gradients((name, family), options, folder, 1, labels)
        _, _, two = f32.our_gradients((name, family), options, folder, 2, labels)
    # A tensor whose gradient is 0 but for rounding has no distance of its own.
    least = 1e-2 * np.median([np.linalg.norm(true[key].ravel()) for key in theirs])
    found = {key: (distance(ours[key], true[key], least), distance(theirs[key], true[key], least))
             for key in theirs}
    found["all"] = (distance(whole(ours, theirs), whole(true, theirs)),
                    distance(whole(theirs, theirs), whole(true, theirs)))
    statistics = [key for key in true if "running" in key]
    problems = ["1 and 2 threads differ"] if one != two else []
    if set(ours) != set(true):
        problems.append(f"tensors {set(ours) ^ set(true)}")
    away = distance(whole(ours, statistics), whole(true, statistics))
    if not away <= FLOOR:
        problems.append(f"running statistics are {away:.1e} off")
    return found, problems


def run_case(case, options):
    rounds = [run_seed(case, seed, options) for seed in range(7, 7 + options.seeds)]
    what = f"{case[0]} {case[1]}, {options.isa}"
    for _, problems in rounds:
        f32.check(not problems, f"{what}: {problems}")
    medians = {key: np.median([found[key] for found, _ in rounds], 0) for key in rounds[0][0]}
    excess = {key: ours / (RATIO * theirs + FLOOR) for key, (ours, theirs) in medians.items()}
    for key, value in excess.items():
        f32.check(value <= 1, f"{what}: {key}: ours {medians[key][0]:.3f} away, autocast's "
                              f"{medians[key][1]:.3f}")
    ratios = [ours / max(theirs, 1e-9) for key, (ours, theirs) in medians.items() if key != "all"]
    ours, theirs = medians["all"]
    print(f"{what}: the whole gradient is {ours:.4f} away, autocast's {theirs:.4f} (medians of "
          f"{options.seeds} seeds); of its {len(ratios)} tensors ours are {np.median(ratios):.2f} "
          f"times as far in the median, {max(ratios):.2f} at most; the nearest to its limit: "
          f"{max(excess, key=excess.get)} at {max(excess.values()):.2f}", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", default="build/train_driver")
    parser.add_argument("--isa", default="avx512")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--only", default="")
    options = parser.parse_args()
    options.isa += "/bf16"
    for case in CASES:
        if options.only in " ".join(map(str, case)):
            run_case(case, options)
    print(f"{f32.passed} passed, {f32.failed} failed")
    return f32.failed > 0


if __name__ == "__main__":
    sys.exit(main())
