#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Long fuzzing, in slices that may be stopped and taken up again at any time.

    tests/fuzz/run.py [TARGET...]        all targets when none is named

Builds the targets (preset fuzz: clang, libFuzzer, ASan, UBSan), then gives each in turn a slice of
executions until each has had its total. A slice's seed is its number. What is known lies in a
state folder outside the tree of sources: STATE/TARGET/corpus (the inputs found so far), findings/
(what crashed), progress.json; STATE/slices.csv has a row a slice. The table in tests/fuzz/log.md
is written anew from it after each round.

A finding stops its target, the others go on; the exit status is then 1. Once it is mended, the
next start replays it: it joins the corpus when it passes. A changed parser starts from zero again
with --restart TARGET, which keeps its corpus.
"""
import argparse
import csv
import json
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SEEDS = ROOT / "tests/fuzz/corpus"
COLUMNS = ["target", "slice", "seed", "commit", "executions", "seconds", "coverage", "features",
           "corpus", "result"]
SLICES_BETWEEN_MERGES = 6
INTERRUPTED = 72
# Stacks of every allocation and a long quarantine double the time; a finding is replayed with both.
ENVIRONMENT = dict(os.environ, ASAN_OPTIONS="malloc_context_size=0:quarantine_size_mb=4")


def say(*words):
    print(time.strftime("%H:%M:%S"), *words, flush=True)


class Target:
    def __init__(self, name, options):
        self.name = name
        self.program = options.build / f"fuzz_{name}"
        self.folder = options.state / name
        self.corpus = self.folder / "corpus"
        self.findings = self.folder / "findings"
        self.file = self.folder / "progress.json"
        for folder in (self.corpus, self.findings):
            folder.mkdir(parents=True, exist_ok=True)
        fresh = {"executions": 0, "seconds": 0.0, "slices": 0, "coverage": 0, "features": 0,
                 "first_commit": "", "commit": ""}
        self.state = json.loads(self.file.read_text()) if self.file.exists() else fresh
        if name in options.restart:
            self.state = dict(fresh, slices=self.state["slices"])
            self.save()
        seeds = [f.stat().st_size for f in (SEEDS / name).iterdir()]
        # Longer inputs are slower and reach nothing more; of a larger seed the beginning is taken.
        self.most_bytes = min(max([1024, *seeds]), 6144)

    def save(self):
        part = self.file.with_suffix(".part")
        part.write_text(json.dumps(self.state, indent=1))
        part.replace(self.file)

    def run(self, *arguments):
        command = [self.program, *arguments, f"-max_len={self.most_bytes}", "-timeout=10",
                   "-rss_limit_mb=512", f"-artifact_prefix={self.findings}/"]
        return subprocess.run([str(word) for word in command], stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              env=ENVIRONMENT, check=False)

    def broken(self):
        """Replays the findings: those that pass now join the corpus; is one left?"""
        for file in sorted(self.findings.iterdir()):
            if file.suffix == ".txt":
                continue
            if self.run(file).returncode != 0:
                say(f"{self.name}: {file} still fails")
                return True
            say(f"{self.name}: {file.name} passes now")
            file.replace(self.corpus / file.name)
        return False

    def merge(self):
        """Keeps the smallest inputs that together reach all that the corpus reaches."""
        small = self.folder / "merged"
        shutil.rmtree(small, ignore_errors=True)
        small.mkdir()
        if self.run("-merge=1", small, self.corpus).returncode == 0:
            shutil.rmtree(self.corpus)
            small.rename(self.corpus)

    def slice(self, runs, commit):
        """One slice; a row for slices.csv."""
        number = self.state["slices"] + 1
        started = time.monotonic()
        done = self.run(self.corpus, SEEDS / self.name, f"-runs={runs}", f"-seed={number}",
                        "-print_final_stats=1")
        seconds = time.monotonic() - started
        text = done.stdout.decode(errors="replace")
        executed = re.search(r"stat::number_of_executed_units:\s*(\d+)", text)
        reached = re.findall(r"cov: (\d+) ft: (\d+)", text)
        state = self.state
        executed = int(executed[1]) if executed else 0
        state["executions"] += executed
        state["seconds"] += seconds
        state["slices"] = number
        state["commit"] = commit
        state["first_commit"] = state["first_commit"] or commit
        if reached:
            state["coverage"], state["features"] = (int(n) for n in reached[-1])
        # libFuzzer ends with 72, or by a signal, where somebody stopped it.
        result = "none" if done.returncode == 0 else "FINDING"
        if done.returncode == INTERRUPTED or done.returncode < 0:
            result = "stopped"
        if result == "FINDING":
            (self.findings / f"slice{number}.txt").write_text(text[-60000:])
        elif number % SLICES_BETWEEN_MERGES == 0:
            self.merge()
        self.save()
        say(f"{self.name}: slice {number}, {state['executions']:,} executions, "
            f"{executed / max(seconds, 0.001):,.0f}/s, features {state['features']}"
            + {"none": "", "stopped": ": stopped"}.get(result, f": FINDING, see {self.findings}"))
        return {"target": self.name, "slice": number, "seed": number, "commit": commit,
                "executions": executed, "seconds": f"{seconds:.1f}",
                "coverage": state["coverage"], "features": state["features"],
                "corpus": sum(1 for _ in self.corpus.iterdir()),
                "result": result}


def write_log(path, targets, broken):
    lines = ["# Fuzzing", "",
             "Written by tests/fuzz/run.py: libFuzzer with ASan and UBSan, one process. Coverage is",
             "libFuzzer's count of edges, features its count of edges with how often they ran; both",
             "of the target's last slice. Open findings are inputs that fail with the last commit.",
             "", "| target | commits | executions | seconds | coverage | features | open findings |",
             "|---|---|---:|---:|---:|---:|---:|"]
    for target in targets:
        state = target.state
        if state["executions"] == 0:
            continue
        commits = state["first_commit"]
        if state["commit"] != commits:
            commits += " to " + state["commit"]
        lines.append(f"| {target.name} | {commits} | {state['executions']:,} | "
                     f"{state['seconds']:,.0f} | {state['coverage']} | {state['features']} | "
                     f"{int(target.name in broken)} |")
    path.write_text("\n".join(lines) + "\n")


def build(folder):
    say(f"building into {folder}")
    configure = ["cmake", "--preset", "fuzz", "-B", str(folder)]
    compile_all = ["cmake", "--build", str(folder)]
    for command in (configure, compile_all):
        done = subprocess.run(command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              check=False)
        if done.returncode != 0:
            sys.stdout.write(done.stdout.decode(errors="replace"))
            sys.exit(3)


def commit_of_tree():
    done = subprocess.run(["git", "describe", "--always", "--dirty", "--exclude=*"], cwd=ROOT,
                          stdout=subprocess.PIPE, check=False)
    return done.stdout.decode().strip() or "unknown"


def read_options():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    parser.add_argument("--total", type=int, default=10_000_000, help="executions a target")
    parser.add_argument("--slice", type=int, default=500_000, help="executions a slice")
    parser.add_argument("--build", type=Path, default=ROOT / "build-fuzz")
    parser.add_argument("--no-build", action="store_true", help="the targets are built already")
    parser.add_argument("--state", type=Path, default=None, help="default: BUILD/state")
    parser.add_argument("--log", type=Path, default=ROOT / "tests/fuzz/log.md")
    parser.add_argument("--restart", action="append", default=[], metavar="TARGET",
                        help="count this target from zero; its corpus stays")
    options = parser.parse_args()
    options.build = options.build.resolve()
    options.state = (options.state or options.build / "state").resolve()
    known = sorted(f.stem.removeprefix("fuzz_") for f in (ROOT / "tests/fuzz").glob("fuzz_*.c"))
    for name in [*options.targets, *options.restart]:
        if name not in known:
            parser.error(f"no target {name}; there are: {' '.join(known)}")
    return options, known


def main():
    options, known = read_options()
    os.nice(19)
    if not options.no_build:
        build(options.build)
    options.state.mkdir(parents=True, exist_ok=True)
    commit = commit_of_tree()
    targets = [Target(name, options) for name in known]
    wanted = [t for t in targets if not options.targets or t.name in options.targets]
    broken = {t.name for t in wanted if t.broken()}
    rows = options.state / "slices.csv"
    if not rows.exists():
        rows.write_text(",".join(COLUMNS) + "\n")
    while True:
        left = [t for t in wanted
                if t.name not in broken and t.state["executions"] < options.total]
        for target in left:
            row = target.slice(min(options.slice, options.total - target.state["executions"]),
                               commit)
            if row["result"] == "FINDING":
                broken.add(target.name)
            with rows.open("a", newline="") as file:
                csv.DictWriter(file, COLUMNS).writerow(row)
        write_log(options.log, targets, broken)
        if not left:
            break
    say("done;", f"findings in: {' '.join(sorted(broken))}" if broken else "no finding is open")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
