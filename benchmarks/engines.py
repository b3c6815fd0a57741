# SPDX-License-Identifier: Apache-2.0
"""Ours and the peers as things that give logits and times; what each can do, and how each is held
to an older CPU's instructions."""
import json
import os
import statistics
import subprocess

import command
import network_files
import results

HERE = os.path.dirname(os.path.abspath(__file__))

PRECISIONS = {"res2net": ("f32", "bf16", "bf16x3", "int8"), "openvino": ("f32", "bf16", "int8"),
              "onnxruntime": ("f32",), "pytorch": ("f32", "bf16"), "paddle": ("f32", "bf16"),
              "ncnn": ("f32",)}
ENVIRONMENTS = {"onnxruntime": "onnx", "openvino": "openvino", "pytorch": "torch",
                "paddle": "paddle", "ncnn": "ncnn"}


def _held(onednn, aten):
    return {"ONEDNN_MAX_CPU_ISA": onednn, "DNNL_MAX_CPU_ISA": onednn, "ATEN_CPU_CAPABILITY": aten,
            "MKL_ENABLE_INSTRUCTIONS": aten.upper()}


# name: (our --isa, the peers' environment, precisions that make sense). onnxruntime and ncnn choose
# by the CPU alone and cannot be held.
HOLDS = {"": ("", {}, ("f32", "bf16", "bf16x3", "int8")),
         "avx2": ("avx2", _held("AVX2", "avx2"), ("f32", "int8")),
         "avx512": ("avx512", _held("AVX512_CORE", "avx512"), ("f32",)),
         "vnni": ("avx512", _held("AVX512_CORE_VNNI", "avx512"), ("f32", "int8"))}
HOLDABLE = ("res2net", "openvino", "pytorch", "paddle")


class Skipped(Exception):
    """There is no number; the words say why."""


def our_words(reason):
    """Of what res2net said, the line that tells the fault."""
    lines = [line.partition("not 0: ")[2] or line for line in str(reason).splitlines()]
    lines = [line.strip() for line in lines if "res2net: " in line and ": note: " not in line]
    return lines[0] if lines else str(reason).splitlines()[-1]


def supports(engine, precision, hold):
    return (precision in PRECISIONS[engine] and precision in HOLDS[hold][2] and
            (not hold or engine in HOLDABLE))


class Ours:
    """`res2net bench`, a process a turn; it times whole batches after a warm-up, as the peers."""

    engine = "res2net"

    def __init__(self, options, arch, precision, threads, hold):
        self.arch, self.precision, self.isa = arch, precision, ""
        self.res2net = options.res2net
        self.version = command.run(self.res2net, "--version").decode().split()[-1]
        self.model = network_files.model_arguments(options.models, arch)
        if precision == "int8":
            self.model = ["-m", self._quantise(options)]
        self.model += ["--threads", threads, "--precision", precision]
        if HOLDS[hold][0]:
            self.model += ["--isa", HOLDS[hold][0]]

    def _run(self, *arguments):
        try:
            return command.run(self.res2net, *arguments)
        except command.CommandFailed as reason:
            raise Skipped(our_words(reason)) from reason

    def _quantise(self, options):
        """Anew with every build: the file belongs to what wrote it."""
        file = os.path.join(options.models, self.arch + ".int8.r2n")
        if not os.path.exists(file) or os.path.getmtime(file) < os.path.getmtime(self.res2net):
            self._run("quantize", *self.model, "--calibrate",
                      os.path.join(options.pictures, "calibrate.txt"), "--root", options.pictures,
                      "-o", file)
        return file

    def logits(self, pictures, file):
        self._run("predict", *self.model, "--input-npy", pictures, "--dump-logits", file)

    def measure(self, batch, seconds):
        answer = json.loads(self._run("bench", *self.model, "--batch", batch, "--format", "json"))
        cell = answer["results"][0]
        if (cell["batch"], cell["size"], cell["precision"]) != (batch, [224, 224], self.precision):
            raise SystemExit(f"bench measured another cell: {cell}")
        self.isa = answer["isa"]
        return cell["min_ms"], cell["median_ms"]

    def processor_seconds(self):
        return results.children_seconds()

    def close(self):
        pass


class Peer:
    def __init__(self, engine, options, arch, precision, threads, hold):
        self.engine, self.arch, self.precision, self.isa = engine, arch, precision, ""
        if precision == "bf16" and not {"amx_bf16", "avx512_bf16"} & results.cpu_flags():
            raise Skipped("this CPU has neither AMX nor AVX512_BF16: bf16 would be emulated")
        self.process = subprocess.Popen(
            [command.environment_python(ENVIRONMENTS[engine]),
             os.path.join(HERE, "peer_worker.py"), engine, options.models, arch, precision,
             str(threads)], env={**os.environ, **HOLDS[hold][1]}, text=True,
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._log(options))
        self.version = self._answer()["version"]

    def _log(self, options):
        """What the engines say of themselves is not for the reader of a table."""
        return open(os.path.join(options.models, f"{self.engine}.log"), "a", encoding="utf-8")

    def _answer(self):
        line = self.process.stdout.readline()
        answer = json.loads(line) if line else {"failed": "it ended early"}
        if "failed" in answer:
            raise Skipped(f"{self.engine}: {answer['failed']}")
        return answer

    def _ask(self, **request):
        self.process.stdin.write(json.dumps(request) + "\n")
        self.process.stdin.flush()
        return self._answer()

    def logits(self, pictures, file):
        self.isa = self._ask(logits=pictures, to=file)["isa"]

    def measure(self, batch, seconds):
        times = self._ask(batch=batch, seconds=seconds)["ms"]
        return min(times), statistics.median(times)

    def processor_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="ascii", errors="replace") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def start(engine, *arguments):
    return Ours(*arguments) if engine == "res2net" else Peer(engine, *arguments)
