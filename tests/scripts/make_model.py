#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Write a .safetensors of random weights for the network that `res2net summary --format json` tells
of on standard input. Only Python's own library, so that the tests of the command need nothing else.

    res2net summary NAME --format json | make_model.py OUT.safetensors [SEED]
"""
import array
import json
import random
import struct
import sys


def tensors(layers, rng):
    """(name, shape, values) of every layer that has parameters."""
    for layer in layers:
        name, kind, channels = layer["name"], layer["kind"], layer["shape"][0]
        if kind.startswith("convolution"):
            side = int(kind.split()[1].split("x")[0])
            inputs = layer["parameters"] // (channels * side * side)
            shape = [channels, inputs, side, side]
            scale = (6.0 / (inputs * side * side)) ** 0.5
            yield name + ".weight", shape, uniform(rng, layer["parameters"], -scale, scale)
        elif kind == "batch norm":
            yield name + ".weight", [channels], uniform(rng, channels, 0.5, 1.5)
            yield name + ".bias", [channels], uniform(rng, channels, -0.1, 0.1)
            yield name + ".running_mean", [channels], uniform(rng, channels, -0.1, 0.1)
            yield name + ".running_var", [channels], uniform(rng, channels, 0.5, 1.5)
        elif kind == "linear":
            inputs = layer["parameters"] // channels - 1
            yield name + ".weight", [channels, inputs], uniform(rng, channels * inputs, -0.1, 0.1)
            yield name + ".bias", [channels], uniform(rng, channels, -0.1, 0.1)


def uniform(rng, count, low, high):
    return array.array("f", (rng.uniform(low, high) for _ in range(count)))


def main():
    path = sys.argv[1]
    rng = random.Random(int(sys.argv[2]) if len(sys.argv) > 2 else 1)
    header, data = {}, bytearray()
    for name, shape, values in tensors(json.load(sys.stdin)["layers"], rng):
        if sys.byteorder == "big":
            values.byteswap()
        start = len(data)
        data += values.tobytes()
        header[name] = {"dtype": "F32", "shape": shape, "data_offsets": [start, len(data)]}
    text = json.dumps(header).encode()
    text += b" " * (-len(text) % 8)
    with open(path, "wb") as file:
        file.write(struct.pack("<Q", len(text)) + text + bytes(data))


if __name__ == "__main__":
    main()
