# SPDX-License-Identifier: Apache-2.0
"""Pictures for calibrating int8 and for comparing logits: smooth colours with some noise, of a
fixed seed, so that the benchmark needs no data set. All engines get what we prepare of them."""
import os

import numpy as np

import command

SIDE, CALIBRATE, COMPARE = 256, 64, 32


def _picture(random):
    """An 8x8 grid of colours, drawn large, and noise on it."""
    grid = random.random_sample((9, 9, 3)) * 255
    at = np.linspace(0, 7.999, SIDE)
    low, part = at.astype(int), (at % 1)[:, None]
    rows = grid[low] * (1 - part[..., None]) + grid[low + 1] * part[..., None]
    both = rows[:, low] * (1 - part) + rows[:, low + 1] * part
    noise = random.normal(0, random.uniform(0, 25), both.shape)
    return np.clip(both + noise, 0, 255).astype(np.uint8)


def _write(folder, name, count, seed):
    random = np.random.RandomState(seed)
    lines = []
    for i in range(count):
        file = f"{name}{i:03d}.ppm"
        with open(os.path.join(folder, file), "wb") as out:
            out.write(b"P6 %d %d 255\n" % (SIDE, SIDE) + _picture(random).tobytes())
        lines.append(f"{file} 0\n")
    with open(os.path.join(folder, name + ".txt"), "w", encoding="ascii") as out:
        out.writelines(lines)


def make(res2net, folder, model):
    """folder/calibrate.txt and compare.txt with their pictures, and the same as tensors, .npy."""
    for name, count, seed in (("calibrate", CALIBRATE, 1), ("compare", COMPARE, 2)):
        tensors = os.path.join(folder, name + ".npy")
        if os.path.exists(tensors):
            continue
        os.makedirs(folder, exist_ok=True)
        _write(folder, name, count, seed)
        command.run(res2net, "predict", *model, "--preset", "paddle", "--list",
                    os.path.join(folder, name + ".txt"), "--dump-input", tensors)
    return folder
