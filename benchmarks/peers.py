# SPDX-License-Identifier: Apache-2.0
"""Our speed beside other engines', in one run: the engines take turns, round by round, so that what
else happens on the machine hits all alike. First all must give the same logits. Runs in the
environment `onnx`."""
import argparse
import csv
import datetime
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(HERE)
sys.path[:0] = [os.path.join(ROOT, "tests", "oracle"), os.path.join(ROOT, "tests", "golden")]

import command  # noqa: E402
import formula  # noqa: E402
import names  # noqa: E402

TOLERANCE = 1e-3
SETTLE = 0.2  # seconds: the threads of the engine before have stopped spinning
FIELDS = ("date", "cpu", "isa", "engine", "version", "arch", "precision", "batch", "threads",
          "min_ms", "median_ms", "rounds")
PYTHONS = {"onnxruntime": "onnx", "openvino": "onnx", "pytorch": "torch"}


class Ours:
    """`res2net bench`, a process a turn; it times whole batches after a warm-up, as the peers."""

    name = "res2net"

    def __init__(self, options, architecture, threads):
        self.res2net, self.isa = options.res2net, options.isa
        self.model = ["--weights", os.path.join(options.models, architecture + ".safetensors"),
                      "--family", "paddle", "--threads", str(threads)]
        if options.isa:
            self.model += ["--isa", options.isa]
        self.version = command.run(self.res2net, "--version").decode().split()[-1]

    def logits(self, pictures, file):
        command.run(self.res2net, "predict", *self.model, "--input-npy", pictures,
                    "--dump-logits", file)

    def measure(self, batch, seconds):
        answer = json.loads(command.run(self.res2net, "bench", *self.model, "--batch", batch,
                                        "--precision", "f32", "--format", "json"))
        cell = answer["results"][0]
        if cell["batch"] != batch or cell["size"] != [224, 224]:
            raise ValueError(f"bench measured another cell: {cell}")
        self.isa = answer["isa"]
        return cell["min_ms"], cell["median_ms"]

    def close(self):
        pass


class Peer:
    def __init__(self, name, options, architecture, threads):
        self.name, self.isa = name, ""
        self.process = subprocess.Popen(
            [command.environment_python(PYTHONS[name]), os.path.join(HERE, "peer_worker.py"), name,
             options.models, architecture, str(threads)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.version = self.answer()["version"]

    def answer(self):
        line = self.process.stdout.readline()
        if not line:
            raise RuntimeError(f"{self.name} ended early")
        return json.loads(line)

    def ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self.answer()

    def logits(self, pictures, file):
        self.ask(logits=pictures, to=file)

    def measure(self, batch, seconds):
        times = self.ask(batch=batch, seconds=seconds)["ms"]
        return min(times), statistics.median(times)

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def check_logits(engines, folder):
    """Nobody is timed who computes something else."""
    pictures = os.path.join(folder, "pictures.npy")
    np.save(pictures, formula.picture(2, 3, 224, 224, 10))
    found = {}
    for engine in engines:
        file = os.path.join(folder, engine.name + ".npy")
        engine.logits(pictures, file)
        found[engine.name] = np.load(file)
    ours = found["res2net"]
    errors = {name: command.error(ours, theirs) for name, theirs in found.items()
              if name != "res2net"}
    for name, value in errors.items():
        if not value <= TOLERANCE:
            raise SystemExit(f"the logits of {name} are not ours: {value:.2e} of the largest")
    return errors


def measure_cell(engines, batch, options):
    """{engine: (the smallest time, the median of the rounds' medians)}"""
    least, medians = ({engine.name: [] for engine in engines} for _ in range(2))
    for turn in range(options.rounds):
        # every other round in reverse: no engine always follows the same one
        for engine in engines if turn % 2 == 0 else engines[::-1]:
            time.sleep(SETTLE)
            smallest, median = engine.measure(batch, options.seconds)
            least[engine.name].append(smallest)
            medians[engine.name].append(median)
    return {name: (min(least[name]), statistics.median(medians[name])) for name in least}


def cpu_name():
    with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
        for line in file:
            if line.startswith("model name"):
                return line.split(":", 1)[1].strip()
    return platform.processor() or "unknown"


def measure_architecture(architecture, threads, options, write):
    engines = [Ours(options, architecture, threads)]
    engines += [Peer(name, options, architecture, threads) for name in options.peers]
    try:
        with tempfile.TemporaryDirectory(prefix="res2net-bench-") as folder:
            errors = check_logits(engines, folder)
        print(f"{architecture}, {threads} threads: logits agree with " +
              ", ".join(f"{name} ({value:.1e})" for name, value in errors.items()), flush=True)
        for batch in options.batch:
            cells = measure_cell(engines, batch, options)
            best = min(cells[name][0] for name in options.peers)
            print(f"  batch {batch}: " + "  ".join(
                f"{name} {cell[0]:.2f} ({cell[1]:.2f})" for name, cell in cells.items()) +
                f"  best peer / res2net {best / cells['res2net'][0]:.3f}", flush=True)
            for engine in engines:
                smallest, median = cells[engine.name]
                write(isa=engine.isa, engine=engine.name, version=engine.version,
                      arch=architecture, batch=batch, threads=threads, rounds=options.rounds,
                      min_ms=f"{smallest:.3f}", median_ms=f"{median:.3f}")
    finally:
        for engine in engines:
            engine.close()


def parse_options():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(ROOT, "build", "res2net"))
    parser.add_argument("--models", default=os.path.join(ROOT, ".oracle", "models"))
    parser.add_argument("--arch", default="Res2Net50_26w_4s",
                        help="names with commas between, or `all`: " + ", ".join(names.PADDLE))
    parser.add_argument("--batch", default="1,4,8")
    parser.add_argument("--threads", default="1,2")
    parser.add_argument("--peers", default="onnxruntime,openvino", help="also: pytorch")
    parser.add_argument("--isa", default="", help="a ceiling for ours (the peers have none)")
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=1.0, help="of a turn of a peer")
    parser.add_argument("--csv", default=os.path.join(ROOT, ".oracle", "bench.csv"),
                        help="rows are added to it")
    options = parser.parse_args()
    options.arch = list(names.PADDLE) if options.arch == "all" else options.arch.split(",")
    options.batch = [int(n) for n in options.batch.split(",")]
    options.threads = [int(n) for n in options.threads.split(",")]
    options.peers = options.peers.split(",")
    return options


def main():
    options = parse_options()
    load = os.getloadavg()[0]
    if load > 1.0:
        print(f"the machine is busy (load {load:.1f}): these times are not to be relied on")
    os.makedirs(options.models, exist_ok=True)
    subprocess.run([command.environment_python("torch"), os.path.join(HERE, "make_models.py"),
                    options.models, *options.arch], check=True)
    date = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%MZ")
    print("smallest (median) ms of a whole batch, f32, 224x224")
    fresh = not os.path.exists(options.csv)
    with open(options.csv, "a", encoding="ascii", newline="") as file:
        table = csv.DictWriter(file, FIELDS, lineterminator="\n")
        if fresh:
            table.writeheader()

        def write(**row):
            table.writerow(dict(row, date=date, cpu=cpu_name(), precision="f32"))
            file.flush()
        for architecture in options.arch:
            for threads in options.threads:
                measure_architecture(architecture, threads, options, write)
    print(f"rows added to {os.path.relpath(options.csv)}")


if __name__ == "__main__":
    main()
