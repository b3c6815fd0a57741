#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Twenty steps of momentum (0.9, L2 1e-4) at learning rate 0.01 from the same weights and batches as
PyTorch: the loss of every step within 1e-3 of PyTorch's, in f32 and in double. In bf16 ours may be 1.5
times as far from PyTorch's f32 losses as those of its autocast are, and a floor: the root of the mean
square over all steps. Environment `torch`.

train_steps.py --driver build/train_driver [--isa avx512] [--precision f32|bf16]
"""
import argparse
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import numpy as np  # noqa: E402

import formula  # noqa: E402

STEPS, RATE, LIMIT, SEED = 20, 0.01, 1e-3, 7
BF16_SEEDS, BF16_RATIO, BF16_FLOOR = range(7, 10), 1.5, 2e-4
CIFAR = "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=10"
PLAIN = "plain:planes=64,depths=1-1-1-1,width=26,scale=4,classes=10"
# name, family, batch, side
CASES = [(CIFAR, "torch", 32, 32), (CIFAR, "paddle", 32, 32), (PLAIN, "paddle", 16, 64)]


passed = failed = 0


def check(ok, text):
    global passed, failed
    passed += ok
    failed += not ok
    print("" if ok else "FAILED ", text, sep="", flush=True)


def their_losses(case, seed, pictures, labels, precision):
    import torch
    import torch_reference
    name, family, batch, _ = case
    net = torch_reference.network(name, seed, family).train()
    data = torch.from_numpy(pictures)
    if precision == "double":
        net, data = net.double(), data.double()
    if precision == "bf16":  # as benchmarks/train.py does
        net = net.to(memory_format=torch.channels_last)
        data = data.to(memory_format=torch.channels_last)
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        part = slice(step * batch, (step + 1) * batch)
        with torch.autocast("cpu", torch.bfloat16, enabled=precision == "bf16"):
            logits = net(data[part])
        logits = logits.float() if precision == "bf16" else logits
        loss = torch.nn.functional.cross_entropy(logits, torch.tensor(labels[part]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return np.array(losses)


def our_losses(case, seed, pictures, labels, options):
    name, family, _, _ = case
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pictures.npy")
        np.save(path, pictures)
        said = subprocess.run([options.driver, "steps", name, family, str(seed), path,
                               ",".join(map(str, labels)), options.isa, "2", str(STEPS),
                               str(RATE)], check=True, capture_output=True, text=True).stdout
    return np.array([float(line) for line in said.split()])


def batches(case, seed):
    _, _, batch, side = case
    pictures = formula.picture(STEPS * batch, 3, side, side, seed)
    return pictures, [(i * seed + i // 3) % 10 for i in range(STEPS * batch)]


def compare_f32(case, options):
    pictures, labels = batches(case, SEED)
    ours = our_losses(case, SEED, pictures, labels, options)
    for precision in ("f32", "double"):
        theirs = their_losses(case, SEED, pictures, labels, precision)
        worst = np.abs(ours - theirs).max()
        check(worst <= LIMIT,
              f"{case[0]} {case[1]}, batch {case[2]}, PyTorch in {precision}: losses "
              f"{theirs[0]:.4f} to {theirs[-1]:.4f}, worst difference {worst:.1e}")


def compare_bf16(case, options):
    away = []
    for seed in BF16_SEEDS:
        pictures, labels = batches(case, seed)
        true = their_losses(case, seed, pictures, labels, "f32")
        away.append((our_losses(case, seed, pictures, labels, options) - true,
                     their_losses(case, seed, pictures, labels, "bf16") - true))
    ours, theirs = np.sqrt(np.mean(np.square(away), (0, 2)))
    check(ours <= BF16_RATIO * theirs + BF16_FLOOR,
          f"{case[0]} {case[1]}, batch {case[2]}, bf16: ours {ours:.1e} from PyTorch's f32 losses, "
          f"its autocast {theirs:.1e}, over {STEPS} steps of {len(away)} seeds; at the last step "
          f"{np.abs(away)[:, 0, -1].mean():.1e} and {np.abs(away)[:, 1, -1].mean():.1e}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", default="build/train_driver")
    parser.add_argument("--isa", default="avx512")
    parser.add_argument("--precision", choices=["f32", "bf16"], action="append")
    options = parser.parse_args()
    isa = options.isa
    for precision in options.precision or ["f32", "bf16"]:
        options.isa = isa if precision == "f32" else isa + "/bf16"
        for case in CASES:
            compare_f32(case, options) if precision == "f32" else compare_bf16(case, options)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
