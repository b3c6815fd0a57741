# SPDX-License-Identifier: Apache-2.0
"""Hostile and broken files of every kind: each refused in time, in little memory, in its own words.

hostile_zoo.py [--program RES2NET] [--no-limits] [--only TEXT] [--seed N] [--show] [--log FILE]

Three parts, of files made here in a temporary folder:
  cases   those of tests/scripts/hostile_*.py and of hostile_more.py, each in a process of its own;
  cuts    whole files of every format, cut at many places: refused, or the same answer as the whole;
  flips   the same with some bytes changed: refused or read, never more.
A case must end with the status it names (2 or 3 for almost all; never a signal), name its file and
say its words on standard error, leave no output and no marker of executed code, use less than one
second of the CPU, and less than 64 MiB more than the same verb needs for a trivially bad input.
--no-limits leaves out the last two, for sanitizer builds; what a sanitizer says is a miss.
Needs Python's own library only. Ends with "N passed, N failed".
"""
import argparse
import importlib.util
import json
import multiprocessing
import os
import pickle
import random
import subprocess
import sys
import tempfile
import threading
import time
from collections import Counter

HERE = os.path.dirname(os.path.abspath(__file__))
TESTS = os.path.dirname(HERE)
ROOT = os.path.dirname(TESTS)
sys.path.insert(0, os.path.join(TESTS, "scripts"))

SEED = 20261125
CPU_SECONDS, MEBIBYTES, HANGING = 1.0, 64, 120
SAMPLE = os.path.join(ROOT, "models", "sample.png")
CUTS, FLIPS = 28, 40
TRUE_SIZE = {"arithmetic_bomb.jpg": 48}  # changed, it may be a true picture of this many mebibytes


def small_zoo():
    """tests/scripts/hostile_zoo.py, which has this file's name."""
    spec = importlib.util.spec_from_file_location(
        "small_zoo", os.path.join(TESTS, "scripts", "hostile_zoo.py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


SMALL_ZOO = small_zoo()


class Run:
    """Exit status (negative: a signal), output, words, and what it cost."""

    def __init__(self, command, standard_input=None):
        environment = {name: value for name, value in os.environ.items()
                       if not name.startswith("RES2NET_")}
        environment["ASAN_OPTIONS"] = "allocator_may_return_null=1"
        with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as words, \
                open(standard_input or os.devnull, "rb") as source:
            begin = time.monotonic()
            child = subprocess.Popen(command, stdin=source, stdout=output, stderr=words,
                                     env=environment)
            watch = threading.Timer(HANGING, child.kill)
            watch.start()
            _, status, usage = os.wait4(child.pid, 0)
            watch.cancel()
            self.seconds = time.monotonic() - begin
            self.status = child.returncode = os.waitstatus_to_exitcode(status)
            self.cpu_seconds = usage.ru_utime + usage.ru_stime
            self.mebibytes = usage.ru_maxrss / 1024
            for file in (output, words):
                file.seek(0)
            self.output = output.read().decode("utf-8", "replace")
            self.words = words.read().decode("utf-8", "replace")

    def sanitizer(self):
        if "Sanitizer" in self.words or "runtime error:" in self.words:
            return self.words[:1500]
        return ""


# ---- cases -------------------------------------------------------------------------------------

def command_of(verb, path, folder):
    if verb == "convert":
        return ["convert", path, os.path.join(folder, "out.r2n")]
    if verb == "stdin":
        return ["predict", "-"]
    return SMALL_ZOO.command_of(Verb(verb), path, folder)


class Verb:
    def __init__(self, verb):
        self.verb = verb


def draw(folder):
    """Writes the files of the cases and what is expected of each."""
    import hostile_more
    import hostile_pictures
    import hostile_texts
    import hostile_weights
    marker = os.path.join(folder, "marker")
    cases = [*hostile_pictures.cases(), *hostile_weights.cases(marker), *hostile_texts.cases(),
             *hostile_more.cases(marker)]
    names = Counter(case.name for case in cases)
    if max(names.values()) > 1:
        raise ValueError(f"two cases are called {names.most_common(1)[0][0]}")
    for case in cases:
        with open(os.path.join(folder, case.name), "wb") as file:
            file.write(case.data)
        case.data = None
    with open(os.path.join(folder, "index"), "wb") as file:
        pickle.dump(cases, file)


def faults_of(case, path, run, folder, floor):
    """What is wrong, one text each. `floor`: mebibytes for a trivially bad input, or None."""
    words = run.words.lower()
    if run.status not in case.statuses:
        yield f"status {run.status}, not {' or '.join(map(str, case.statuses))}"
    name = "<stdin>" if case.verb == "stdin" else os.path.basename(path).lower()
    if run.status != 0 and name not in words:
        yield "the file is not named"
    said = words.replace(path.lower(), "")  # the file's name has words of its own
    for word in case.words if run.status != 0 else ():
        if word.lower() not in said:
            yield f"the message lacks '{word}'"
    if os.path.exists(os.path.join(folder, "marker")):
        yield "THE FILE'S OWN CODE WAS RUN"
    if run.status != 0 and os.path.exists(os.path.join(folder, "out.r2n")):
        yield "it left an output"
    if run.sanitizer():
        yield run.sanitizer()
    if floor is not None and run.cpu_seconds > CPU_SECONDS:
        yield f"it took {run.cpu_seconds:.2f} s"
    if floor is not None and run.mebibytes > floor + MEBIBYTES:
        yield f"it took {run.mebibytes:.0f} MiB, {run.mebibytes - floor:.0f} more than a trivial one"


class Zoo:
    def __init__(self, options, folder, log):
        self.options, self.folder, self.log = options, folder, log
        self.passed = self.failed = 0
        self.per_kind = Counter()
        self.most_cpu = self.most_seconds = self.most_above = 0.0

    def say(self, text):
        print(text, flush=True)
        self.log.write(text + "\n")

    def check(self, kind, name, faults):
        self.passed += not faults
        self.failed += bool(faults)
        self.per_kind[kind, not faults] += 1
        if faults:
            self.say(f"MISS {kind} {name}: {'; '.join(faults)}")

    def run(self, *arguments, standard_input=None):
        return Run([self.options.program, *arguments], standard_input)

    def floor(self, verb):
        """Mebibytes of this verb's refusal of a file of one line of nonsense."""
        path = os.path.join(self.folder, "nonsense")
        with open(path, "w", encoding="ascii") as file:
            file.write("@nonsense\n")
        return self.run(*command_of(verb, path, self.folder),
                        standard_input=path if verb == "stdin" else None).mebibytes

    def cases(self):
        # In a process of its own: the peak that wait4 tells of a child begins with its parent's.
        drawer = multiprocessing.Process(target=draw, args=(self.folder,))
        drawer.start()
        drawer.join()
        if drawer.exitcode != 0:
            sys.exit("hostile_zoo: the files could not be made")
        with open(os.path.join(self.folder, "index"), "rb") as file:
            cases = pickle.load(file)
        floors = {verb: self.floor(verb) for verb in sorted({case.verb for case in cases})}
        for case in cases:
            path = os.path.join(self.folder, case.name)
            if self.options.only not in case.name:
                continue
            run = self.run(*command_of(case.verb, path, self.folder),
                           standard_input=path if case.verb == "stdin" else None)
            limits = not self.options.no_limits
            faults = list(faults_of(case, path, run, self.folder, floors[case.verb] if limits else None))
            self.most_cpu = max(self.most_cpu, run.cpu_seconds)
            self.most_seconds = max(self.most_seconds, run.seconds)
            self.most_above = max(self.most_above, run.mebibytes - floors[case.verb])
            self.check("case", case.name, faults)
            if faults or self.options.show:
                self.say(f"     {run.words.strip()[:600]}")
            for leftover in ("out.r2n", "marker"):
                if os.path.exists(os.path.join(self.folder, leftover)):
                    os.remove(os.path.join(self.folder, leftover))
        self.say(f"cases: at most {self.most_cpu:.2f} s of the CPU, {self.most_seconds:.2f} s by the "
                 f"clock, {self.most_above:.0f} MiB above a trivial bad input")

    # ---- cuts and flips ------------------------------------------------------------------------

    def tensors(self, paths, *options):
        """{path: answer of JSON} and the Run; the score stands for the picture."""
        names = os.path.join(self.folder, "names.txt")
        with open(names, "w", encoding="ascii") as file:
            file.writelines(path + "\n" for path in paths)
        run = self.run("predict", "--list", names, "--format", "jsonl", "--on-bad-image", "skip",
                       "--resize-short", "32", "--crop", "32", "--topk", "3", *options)
        return {answer["file"]: answer for answer in map(json.loads, run.output.splitlines())}, run

    def pictures(self, rng):
        source = os.path.join(TESTS, "golden", "pictures")
        floor = self.floor("picture")
        names = sorted(name for name in os.listdir(source) if not name.endswith(".h"))
        for name in names:
            if self.options.only not in name:
                continue
            with open(os.path.join(source, name), "rb") as file:
                whole = file.read()
            stem, ending = name.rsplit(".", 1)
            paths = {"whole": os.path.join(self.folder, name)}
            contents = {paths["whole"]: whole}
            for at in cut_places(len(whole), rng):
                contents[os.path.join(self.folder, f"{stem}-cut-{at}.{ending}")] = whole[:at]
            for number in range(FLIPS):
                contents[os.path.join(self.folder, f"{stem}-flip-{number}.{ending}")] = \
                    flipped(whole, rng)
            for path, data in contents.items():
                with open(path, "wb") as file:
                    file.write(data)
            for options in ((), ("--truncated", "tolerate"), ("--preset", "paddle")):
                self.judge_pictures(name, list(contents), options, floor)
            for path in contents:
                os.remove(path)

    def judge_pictures(self, name, paths, options, floor):
        answers, run = self.tensors(paths, *options)
        faults = [] if run.status in (0, 1, 3) else [f"status {run.status}"]
        faults += [run.sanitizer()] if run.sanitizer() else []
        if not self.options.no_limits and run.mebibytes > \
                floor + MEBIBYTES + TRUE_SIZE.get(name, 0):
            faults.append(f"{run.mebibytes:.0f} MiB, {run.mebibytes - floor:.0f} over a trivial one")
        if not self.options.no_limits and run.cpu_seconds > CPU_SECONDS * len(paths) / 10:
            faults.append(f"{run.cpu_seconds:.1f} s for {len(paths)} pictures")
        self.check("run", f"{name} {' '.join(options)}", faults)
        whole = answers.get(paths[0], {}).get("top")
        for path in paths[1:]:
            answer = answers.get(path)
            faults = []
            if answer is None:
                faults = ["no answer"]
            elif "error" in answer and ("byte " not in answer["error"] and "limit" not in
                                        answer["error"] and "row " not in answer["error"]):
                faults = [f"no place in: {answer['error']}"]
            elif "-cut-" in path and "tolerate" not in options and "top" in answer and \
                    whole is not None and answer["top"] != whole:
                faults = ["cut, and read as another picture"]
            elif "internal" in answer.get("error", "").lower():
                faults = [answer["error"]]
            self.check("cut" if "-cut-" in path else "flip", f"{os.path.basename(path)} "
                       f"{' '.join(options)}", faults)

    def weights(self, rng):
        source = os.path.join(TESTS, "golden", "weights")
        names = sorted(os.path.join(source, name) for name in os.listdir(source))
        native = os.path.join(self.folder, "native.r2n")
        self.run("convert", os.path.join(source, "tiny.safetensors"), native)
        floor = self.floor("convert")
        for path in [*names, native]:
            name = os.path.basename(path)
            if self.options.only not in name:
                continue
            with open(path, "rb") as file:
                whole = file.read()
            changed = [(f"cut{at}_{name}", whole[:at], (3,))
                       for at in cut_places(len(whole), rng)]
            # Where bytes may change unnoticed is the format's affair: only a checksum tells.
            changed += [(f"flip{i}_{name}", flipped(whole, rng), (0, 3)) for i in range(FLIPS)]
            for new, data, statuses in changed:
                self.judge_weights(new, data, statuses, floor)

    def judge_weights(self, name, data, statuses, floor):
        path, out = os.path.join(self.folder, name), os.path.join(self.folder, "out.r2n")
        with open(path, "wb") as file:
            file.write(data)
        run = self.run("convert", path, out)
        faults = [] if run.status in statuses else [f"status {run.status}"]
        if run.status != 0 and name not in run.words:
            faults.append("the file is not named")
        if (run.status == 0) != os.path.exists(out):
            faults.append(f"status {run.status} and the output do not agree")
        if run.sanitizer():
            faults.append(run.sanitizer())
        if not self.options.no_limits and run.cpu_seconds > CPU_SECONDS:
            faults.append(f"{run.cpu_seconds:.2f} s")
        if not self.options.no_limits and run.mebibytes > floor + MEBIBYTES:
            faults.append(f"{run.mebibytes:.0f} MiB, {run.mebibytes - floor:.0f} over a trivial one")
        self.check("weights", name, faults)
        if faults or self.options.show:
            self.say(f"     {run.words.strip()[:400]}")
        for leftover in (path, out):
            if os.path.exists(leftover):
                os.remove(leftover)


def cut_places(size, rng):
    """Ends of all kinds: near the start, the halves and tenths, 4 bytes and 1 byte short, by lot."""
    places = {1, 2, 3, 8, 16, 30, size // 2, size * 9 // 10, size - 4, size - 2, size - 1}
    while len(places) < min(CUTS, size - 1):
        places.add(rng.randrange(1, size))
    return sorted(place for place in places if 0 < place < size)


def flipped(whole, rng):
    """One to four bytes changed; half of the time near the start, where headers are."""
    data = bytearray(whole)
    for _ in range(rng.choice((1, 1, 2, 4))):
        at = rng.randrange(min(len(data), 200) if rng.random() < 0.5 else len(data))
        data[at] = rng.choice((data[at] ^ 1 << rng.randrange(8), 0, 255, rng.randrange(256)))
    return bytes(data)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--program", default=os.path.join(ROOT, "build", "res2net"))
    parser.add_argument("--no-limits", action="store_true")
    parser.add_argument("--only", default="", help="files with this in their names")
    parser.add_argument("--parts", default="cases,pictures,weights")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--show", action="store_true", help="print every message")
    parser.add_argument("--log", default=os.path.join(ROOT, ".oracle", "hostile.log"))
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder, open(options.log, "w", encoding="utf-8") as log:
        zoo = Zoo(options, folder, log)
        zoo.say(f"seed {options.seed}")
        if "cases" in options.parts:
            zoo.cases()
        for part, sweep in (("pictures", zoo.pictures), ("weights", zoo.weights)):
            if part in options.parts:
                sweep(random.Random(f"{options.seed} {part}"))
        for (kind, good), count in sorted(zoo.per_kind.items()):
            zoo.say(f"  {kind}: {count} {'passed' if good else 'failed'}")
        zoo.say(f"{zoo.passed} passed, {zoo.failed} failed")
    sys.exit(1 if zoo.failed or not zoo.passed else 0)


if __name__ == "__main__":
    main()
