#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""docs/user-reports.md has a row for every entry, and every test that it names exists."""
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
ENTRIES = [*map(str, [*range(1, 10), 11, 14, 15, 16, 18, *range(20, 24)]), "23a", "23b", "23c",
           *map(str, [*range(24, 28), *range(29, 34), 34, *range(36, 40), *range(41, 45),
                      *range(46, 54), 56, 58, 59, 60, 61, 83, 84,
                      *range(86, 92)])]


def read(*path):
    with open(os.path.join(ROOT, *path), encoding="utf-8") as file:
        return file.read()


def exists(test):
    name, _, function = test.partition(": ")
    folder = "unit" if name.endswith(".c") else "scripts"
    if not os.path.exists(os.path.join(ROOT, "tests", folder, name)):
        return False
    pattern = (rf"^static void {re.escape(function)}\(void" if folder == "unit"
               else rf"^{re.escape(function)}\(\) ")
    return not function or re.search(pattern, read("tests", folder, name), re.M) is not None


def main():
    rows = re.findall(r"^\| (\d+[a-c]?) \|(.*)\|$", read("docs", "user-reports.md"), re.M)
    faults = []
    if [number for number, _ in rows] != ENTRIES:
        faults.append(f"entries are {[number for number, _ in rows]}, expected {ENTRIES}")
    named = 0
    for number, row in rows:
        tests = re.findall(r"`(test_[a-z_0-9]+\.(?:c|sh)(?:: [a-z_0-9]+)?)`", row)
        named += len(tests)
        faults += [] if tests else [f"entry {number} names no test"]
        faults += [f"entry {number}: no test is called {test}" for test in tests if not exists(test)]
    for fault in faults:
        print(f"docs/user-reports.md: {fault}", file=sys.stderr)
    print(f"{len(rows)} entries, {named} tests named")
    sys.exit(1 if faults else 0)


if __name__ == "__main__":
    main()
