#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Hold the include rules of docs/architecture.md: who may include whom.

A file includes its own room, the rooms listed for it, and system headers. Programs include
"res2net/..." and their own folder only. Exit status 1 and a line a breach.
"""
import os
import re
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
# room -> rooms (or single headers) it may include
RULES = {
    "base": [],
    "formats": ["base"],
    "kernels": ["base"],
    "model": ["base"],
    "weights": ["base", "formats", "model/catalogue.h"],
    "image": ["base", "formats", "kernels"],
    "data": ["base", "formats", "image"],
    "plan": ["base", "kernels", "model", "weights"],
    "drawing": ["base", "formats", "model"],
    "export": ["base", "formats", "model", "weights", "kernels", "plan", "import"],
    "import": ["base", "formats", "model", "weights"],
    "predict": ["base", "formats", "image", "data", "plan", "model", "weights", "kernels",
                "export", "import", "drawing"],
    "quantize": ["base", "data", "plan", "model", "weights", "kernels", "predict"],
    "train": ["base", "formats", "image", "data", "plan", "model", "weights", "kernels", "predict",
              "quantize", "import"],
}
INCLUDE = re.compile(r'^\s*#\s*include\s+"([^"]+)"')


def allowed(room, header):
    if header.startswith("res2net/"):
        return True
    target = header.split("/")[0]
    if "/" not in header or target == room:
        return True
    return any(header == rule or target == rule for rule in RULES[room])


def check_file(path, room):
    breaches = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if match and not allowed(room, match.group(1)):
                breaches.append(f"{os.path.relpath(path, TOP)}:{number}: {room} may not include "
                                f"\"{match.group(1)}\"")
    return breaches


def check_program(path):
    breaches = []
    with open(path, encoding="utf-8") as file:
        for number, line in enumerate(file, 1):
            match = INCLUDE.match(line)
            if match and "/" in match.group(1) and not match.group(1).startswith("res2net/"):
                breaches.append(f"{os.path.relpath(path, TOP)}:{number}: programs include "
                                f"res2net/ only, not \"{match.group(1)}\"")
    return breaches


def main():
    breaches = []
    checked = 0
    for folder, _, names in os.walk(os.path.join(TOP, "src")):
        room = os.path.relpath(folder, os.path.join(TOP, "src")).split(os.sep)[0]
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                checked += 1
                if room not in RULES:
                    breaches.append(f"src/{room}: a room without a rule in tools/check_includes.py")
                    break
                breaches += check_file(os.path.join(folder, name), room)
    for folder, _, names in os.walk(os.path.join(TOP, "programs")):
        for name in sorted(names):
            if name.endswith((".c", ".h")):
                checked += 1
                breaches += check_program(os.path.join(folder, name))
    for breach in breaches:
        print(breach)
    print(f"check_includes: {checked} files, {len(breaches)} breaches")
    return 1 if breaches else 0


if __name__ == "__main__":
    sys.exit(main())
