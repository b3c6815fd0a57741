#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Count files and functions; with --check, fail on a file over 600 lines or too many long functions.

Budgets: no C file over 600 lines; at most 3 % of functions over 100 lines.
"""
import os
import re
import subprocess
import sys

TOP = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
FILE_LINES = 600
FUNCTION_LINES = 100
LONG_SHARE = 0.03
SUFFIXES = (".c", ".h")


def source_files():
    for top in ("include", "src", "programs", "tests", "examples"):
        for folder, _, names in os.walk(os.path.join(TOP, top)):
            for name in sorted(names):
                if name.endswith(SUFFIXES):
                    yield os.path.join(folder, name)


def functions(lines):
    """(name, length) of each function: a brace in the first column closes it (.clang-format)."""
    start = None
    for number, line in enumerate(lines):
        if line.startswith("{"):
            start = number
        elif line.startswith("}") and start is not None:
            head = " ".join(lines[max(0, start - 4):start])
            match = re.findall(r"(\w+)\s*\(", head)
            yield (match[-1] if match else "?"), number - start + 1
            start = None


def main():
    check = "--check" in sys.argv[1:]
    sizes, lengths, failures = [], [], []
    for path in source_files():
        with open(path, encoding="utf-8") as file:
            lines = file.read().splitlines()
        name = os.path.relpath(path, TOP)
        sizes.append((len(lines), name))
        if len(lines) > FILE_LINES:
            failures.append(f"{name}: {len(lines)} lines, the budget is {FILE_LINES}")
        for function, length in functions(lines):
            lengths.append((length, f"{name}: {function}"))
    lengths.sort(reverse=True)
    sizes.sort(reverse=True)
    over = [item for item in lengths if item[0] > FUNCTION_LINES]
    if lengths and len(over) > LONG_SHARE * len(lengths):
        failures.append(f"{len(over)} of {len(lengths)} functions are over {FUNCTION_LINES} lines")
    if sizes:
        print(f"{len(sizes)} files, {sum(s for s, _ in sizes)} lines; longest: {sizes[0]}")
    if lengths:
        middle = lengths[len(lengths) // 2][0]
        print(f"{len(lengths)} functions, median {middle} lines, {len(over)} over {FUNCTION_LINES}")
        for length, name in lengths[:3]:
            print(f"  {length} {name}")
    for failure in failures:
        print(failure)
    return 1 if check and failures else 0


if __name__ == "__main__":
    sys.exit(main())
