# SPDX-License-Identifier: Apache-2.0
"""Weights and pictures from a formula, the same to the bit as r2n_weights_formula in C.

A value depends on the tensor's canonical (torch) name, its index in row-major canonical order and
the seed only, so golden vectors need no weights file.
"""
import numpy as np

GOLDEN_RATIO = 0x9E3779B97F4A7C15
MASK = (1 << 64) - 1


def hash_name(name, seed):
    """FNV-1a 64 of the name's bytes, mixed with the seed."""
    value = 14695981039346656037
    for byte in name.encode("utf-8"):
        value = ((value ^ byte) * 1099511628211) & MASK
    return value ^ (seed * GOLDEN_RATIO & MASK)


def uniform(name, count, seed):
    """`count` float32 numbers in [0, 1): the top 24 bits of splitmix64's finaliser."""
    with np.errstate(over="ignore"):
        x = np.arange(1, count + 1, dtype=np.uint64) * np.uint64(GOLDEN_RATIO)
        x += np.uint64(hash_name(name, seed))
        x ^= x >> np.uint64(30)
        x *= np.uint64(0xBF58476D1CE4E5B9)
        x ^= x >> np.uint64(27)
        x *= np.uint64(0x94D049BB133111EB)
        x ^= x >> np.uint64(31)
    return (x >> np.uint64(40)).astype(np.float32) * np.float32(2.0 ** -24)


def fill(name, shape, seed):
    """The tensor `name` as a float32 array in canonical layout."""
    shape = tuple(int(n) for n in shape)
    u = uniform(name, int(np.prod(shape, dtype=np.int64)), seed)
    s = np.float32(2) * u - np.float32(1)  # exact
    if len(shape) == 4:
        fan_in = shape[1] * shape[2] * shape[3]
        values = s * np.float32(np.sqrt(6.0 / fan_in))
    elif name.endswith(".running_var"):
        values = np.float32(0.5) + u
    elif name.endswith(".running_mean"):
        values = s * np.float32(0.2)
    elif name == "fc.weight":
        values = s * np.float32(1.0 / np.sqrt(float(shape[1])))
    elif name.endswith(".bias"):
        values = s * np.float32(0.1)
    elif len(shape) == 1 and name.endswith(".weight"):
        values = np.float32(0.75) + np.float32(0.5) * u
        if "bn3" in name.split("."):
            values = values * np.float32(0.25)
    else:
        raise ValueError(f"no formula for {name} {shape}")
    return values.astype(np.float32).reshape(shape)


def picture(n, c, h, w, seed):
    """A float32 batch [n, c, h, w] in [-2, 2), for the network's input."""
    u = uniform("picture", n * c * h * w, seed)
    s = np.float32(2) * u - np.float32(1)
    return (np.float32(2) * s).reshape(n, c, h, w)
