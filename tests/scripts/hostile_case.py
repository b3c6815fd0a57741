# SPDX-License-Identifier: Apache-2.0
"""One broken or hostile file."""
from dataclasses import dataclass


@dataclass
class Case:
    verb: str  # picture, weights, npy, labels, transforms, list, config
    name: str
    data: bytes
    words: tuple  # that the message must hold
    statuses: tuple = (3,)


def case(verb, name, data, *words, statuses=(3,)):
    return Case(verb, name, bytes(data), words, statuses)
