# SPDX-License-Identifier: Apache-2.0
"""The table of results (results.csv): its columns, who measured where, and which rows count."""
import csv
import os
import resource
import subprocess
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# what: batch (a batch of tensors to logits), start (process start to answer) or folder (pictures of
# a folder to answers). held: the ISA that all were held to. agreement: with our float32 logits.
# others: the part of all cores that other programs took during the quietest turn, 0 to 1.
# note: why there is no time.
FIELDS = ("date", "commit", "cpu", "what", "arch", "precision", "batch", "threads", "engine",
          "version", "isa", "held", "min_ms", "median_ms", "rounds", "others", "peak_mib",
          "agreement", "note")

_FEATURES = (("amx_tile", "AMX"), ("avx512_bf16", "AVX512_BF16"), ("avx512_vnni", "AVX512_VNNI"),
             ("avx512f", "AVX512"), ("avx2", "AVX2"))


def _cpuinfo():
    facts = {}
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            key, _, value = line.partition(":")
            facts.setdefault(key.strip(), value.strip())
    return facts


def cpu_flags():
    return set(_cpuinfo().get("flags", "").split())


def cpu_name():
    """With its best feature: virtual machines tell one name for CPUs of several years."""
    facts, flags = _cpuinfo(), cpu_flags()
    best = next((words for flag, words in _FEATURES if flag in flags), "no AVX2")
    return f"{facts.get('model name', 'unknown')} (model {facts.get('model', '?')}, {best})"


def processor_seconds():
    """(busy, all) of all cores since the machine's start."""
    with open("/proc/stat", encoding="ascii") as file:
        ticks = [int(word) for word in file.readline().split()[1:9]]
    second = os.sysconf("SC_CLK_TCK")
    return (sum(ticks) - ticks[3] - ticks[4]) / second, sum(ticks) / second


SETTLE = 0.2  # seconds between turns
QUIET = 0.08  # of all cores: what other programs may take during a turn

DISTURBED = 0.25  # with others taking more than that, a time does not count


class Others:
    """What part of all cores other programs take, from here on to `share`."""

    def __init__(self, own=0.0):
        self.busy, self.total = processor_seconds()
        self.own = own

    def share(self, own=0.0):
        busy, total = processor_seconds()
        theirs = busy - self.busy - (own - self.own)
        return max(theirs, 0) / max(total - self.total, 0.01)


def children_seconds():
    """Processor time of the processes that this one has waited for."""
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


def wait_for_quiet(end, seconds=SETTLE):
    """Waits, so that the engine before has stopped spinning; then, until `end` at most, for other
    programs to be quiet."""
    while True:
        others = Others()
        time.sleep(seconds)
        if others.share() < QUIET or time.monotonic() >= end:
            return


def _git(*arguments):
    done = subprocess.run(["git", "-C", ROOT, *arguments], stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, text=True)
    return done.stdout.strip()


def commit():
    """With a mark where what is built differs from it. The table itself changes with each run."""
    changed = _git("status", "--porcelain", "--", "src", "include", "programs", "cmake", "models")
    return _git("rev-parse", "--short=9", "HEAD") + ("-dirty" if changed else "")


class Table:
    """Adds rows; each is on the disk at once, so that a run may be stopped."""

    def __init__(self, path, date):
        fresh = not os.path.exists(path) or os.path.getsize(path) == 0
        if not fresh:
            with open(path, encoding="ascii") as file:
                if file.readline().strip() != ",".join(FIELDS):
                    raise SystemExit(f"{path} has other columns; name another file")
        self.file = open(path, "a", encoding="ascii", newline="")
        self.table = csv.DictWriter(self.file, FIELDS, lineterminator="\n")
        if fresh:
            self.table.writeheader()
        self.common = {"date": date, "commit": commit(), "cpu": cpu_name(), "what": "batch"}

    def write(self, **row):
        self.table.writerow({**self.common, **row})
        self.file.flush()


def read(path):
    """All rows of the CPU that was measured last: no ratio mixes two machines. Times of engines
    that others disturbed all the while tell nothing and do not count."""
    with open(path, encoding="ascii", newline="") as file:
        rows = [row for row in csv.DictReader(file) if float(row["others"] or 0) <= DISTURBED]
    if not rows:
        raise SystemExit(f"{path}: no rows")
    return [row for row in rows if row["cpu"] == rows[-1]["cpu"]]


def matching(rows, **wanted):
    return [row for row in rows
            if all(row[key] == str(value) for key, value in wanted.items())]


def newest(rows):
    """The rows of the last run among them."""
    return [row for row in rows if row["date"] == max(row["date"] for row in rows)]
