#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Twenty steps of momentum (0.9, L2 1e-4) at learning rate 0.01 from the same weights and batches as
PyTorch: the loss of every step within 1e-3 of PyTorch's, in f32 and in double. Environment `torch`.

train_steps.py --driver build/train_driver [--isa avx512]
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
CIFAR = "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=10"
PLAIN = "plain:planes=64,depths=1-1-1-1,width=26,scale=4,classes=10"
# name, family, batch, side
CASES = [(CIFAR, "torch", 32, 32), (CIFAR, "paddle", 32, 32), (PLAIN, "paddle", 16, 64)]


def their_losses(name, family, pictures, labels, batch, double):
    import torch
    import torch_reference
    net = torch_reference.network(name, SEED, family).train()
    data = torch.from_numpy(pictures)
    if double:
        net, data = net.double(), data.double()
    optimiser = torch.optim.SGD(net.parameters(), lr=RATE, momentum=0.9, weight_decay=1e-4)
    losses = []
    for step in range(STEPS):
        part = slice(step * batch, (step + 1) * batch)
        loss = torch.nn.functional.cross_entropy(net(data[part]), torch.tensor(labels[part]))
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    return np.array(losses)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--driver", default="build/train_driver")
    parser.add_argument("--isa", default="avx512")
    options = parser.parse_args()
    passed = failed = 0
    for name, family, batch, side in CASES:
        pictures = formula.picture(STEPS * batch, 3, side, side, SEED)
        labels = [(i * 7 + i // 3) % 10 for i in range(STEPS * batch)]
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "pictures.npy")
            np.save(path, pictures)
            said = subprocess.run([options.driver, "steps", name, family, str(SEED), path,
                                   ",".join(map(str, labels)), options.isa, "2", str(STEPS),
                                   str(RATE)], check=True, capture_output=True, text=True).stdout
        ours = np.array([float(line) for line in said.split()])
        for double in (False, True):
            theirs = their_losses(name, family, pictures, labels, batch, double)
            worst = np.abs(ours - theirs).max()
            print(f"{name} {family}, batch {batch}, PyTorch in {'double' if double else 'f32'}: "
                  f"losses {theirs[0]:.4f} to {theirs[-1]:.4f}, worst difference {worst:.1e}")
            passed += worst <= LIMIT
            failed += worst > LIMIT
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
