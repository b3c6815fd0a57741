# SPDX-License-Identifier: Apache-2.0
"""Runs the res2net command for the comparisons, and keeps their score."""
import os
import subprocess
import sys
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
TOLERANCE = 1e-4  # of the largest logit of the same picture

# What each --isa needs of the CPU, in the words of /proc/cpuinfo.
_ISA_FLAGS = {"avx2": {"avx2", "fma"},
              "avx512": {"avx512f", "avx512bw", "avx512dq", "avx512vl"}}


class CommandFailed(Exception):
    pass


def environment_python(name):
    python = os.path.join(ROOT, ".oracle", name, "bin", "python")
    if not os.path.exists(python):
        raise SystemExit(f"no environment '{name}': run tests/oracle/environments.sh {name}")
    return python


def fast_isas():
    """The ISAs of kernels.h that this CPU has, `reference` left out."""
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        flags = next((set(line.split()) for line in file if line.startswith("flags")), set())
    return [isa for isa, needs in _ISA_FLAGS.items() if needs <= flags]


def run(res2net, *arguments, expect=0, standard_input=None):
    """Standard output of the command as bytes; CommandFailed with its words on another status."""
    environment = {name: value for name, value in os.environ.items()
                   if not name.startswith("RES2NET_")}
    command = [res2net, *map(str, arguments)]
    done = subprocess.run(command, env=environment, timeout=1800, input=standard_input,
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if done.returncode != expect:
        words = done.stderr.decode("utf-8", "replace").strip()
        raise CommandFailed(f"{' '.join(command)}\n  exit status {done.returncode}, "
                            f"not {expect}: {words}")
    return done.stdout


def predict_logits(res2net, weights, pictures, folder, *flags):
    """Our logits of a file of ready pictures (.npy)."""
    logits = os.path.join(folder, "ours.npy")
    if os.path.exists(logits):
        os.remove(logits)
    run(res2net, "predict", "--weights", weights, "--input-npy", pictures,
        "--dump-logits", logits, *flags)
    return np.load(logits)


def error(ours, theirs):
    """Largest difference, as a part of the largest logit, over the pictures."""
    if ours.shape != theirs.shape:
        raise CommandFailed(f"logits of shape {ours.shape}, not {theirs.shape}")
    if not np.isfinite(ours).all():
        return float("inf")
    ours = ours.astype(np.float64)
    return float((np.abs(ours - theirs).max(1) / np.abs(theirs).max(1)).max())


def same_bits(a, b):
    return a.shape == b.shape and a.dtype == b.dtype and a.tobytes() == b.tobytes()


class Score:
    """Counts, prints each line as it comes, and keeps them in a log."""

    def __init__(self, log):
        os.makedirs(os.path.dirname(os.path.abspath(log)), exist_ok=True)
        self.log = open(log, "w", encoding="utf-8")
        self.passed = self.failed = 0
        self.said = []
        self.started = time.monotonic()

    def say(self, text):
        print(text, flush=True)
        self.said.append(text)
        self.log.write(text + "\n")
        self.log.flush()

    def check(self, holds, text):
        """One check; only a miss is printed."""
        self.passed += bool(holds)
        self.failed += not holds
        if not holds:
            self.say(f"MISS {text}")
        return bool(holds)

    def checked(self, holds, text):
        """One check, printed either way."""
        if self.check(holds, text):
            self.say(f"ok   {text}")

    def attempt(self, text, function, *arguments):
        """function() holds, or says why it does not; a failed command is a miss, not the end."""
        try:
            self.checked(function(*arguments), text)
        except (CommandFailed, OSError, ValueError, KeyError, subprocess.SubprocessError) as reason:
            self.check(False, f"{text}: {reason}")

    def finish(self):
        self.say(f"{time.monotonic() - self.started:.0f} s")
        self.say(f"{self.passed} passed, {self.failed} failed")
        self.log.close()
        sys.exit(1 if self.failed or not self.passed else 0)
