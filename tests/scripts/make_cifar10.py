#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small CIFAR-10 binary file that can be learnt: a class is a colour, with noise from a fixed seed.

    make_cifar10.py OUT RECORDS SEED
"""
import random
import sys


def main(out, records, seed):
    draw = random.Random(int(seed))
    with open(out, "wb") as file:
        for i in range(int(records)):
            label = i % 10
            colour = (25 * label, 250 - 25 * label, 125 if label % 2 else 40)
            planes = bytes(min(255, max(0, level + draw.randrange(-40, 41)))
                           for level in colour for _ in range(1024))
            file.write(bytes([label]) + planes)


if __name__ == "__main__":
    main(*sys.argv[1:])
