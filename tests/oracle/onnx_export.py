# SPDX-License-Identifier: Apache-2.0
"""What `res2net export --to onnx` writes, checked by onnx and run by onnxruntime, OpenVINO and, for
the small nets, onnx.reference: logits within 1e-4 of ours. Runs in the environment `onnx`; weights
come from the environments `paddle` and `torch`.

The runtimes' logits are kept in .oracle/onnx-work under the exported file's checksum, and so are the
weights, so that a second run goes on where the first one ended; --again forgets them.
(The file is not called onnx.py: it would hide the package.)
"""
import argparse
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections import namedtuple

import numpy as np
import onnx
import onnx.reference
import onnxruntime
import openvino

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import formula_weights  # noqa: E402
import names  # noqa: E402

TORCH = ("res2net50_26w_4s", "res2net50_14w_8s", "res2net50d", "res2net101d", "resnet50")
SMALL = ("cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100",
         "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10",
         "cifar:planes=16,depths=1-2-2,width=32,scale=2,classes=100",
         "vd:planes=64,depths=1-1-1-1,width=26,scale=4,classes=10")
SIZES = ("224x224", "225x225", "288x320")
SMALL_SIZES = ("32x32", "33x47", "64x64")
ONE_SIZE, ONE_SMALL_SIZE = "225x225", "33x47"
BATCHES = (1, 3)
OPSETS = (11, 13, 17, 28)
TOLERANCES = {"f32": command.TOLERANCE, "f16": 4e-3, "bf16": 3e-2}
MOST_SECONDS, MOST_TIMES_THE_WEIGHTS = 5, 3  # of an export
THREADS = 2

# A process has the peak memory of the one that started it, and this one is large.
MEASURED = """import resource, subprocess, sys
status = subprocess.run(sys.argv[1:], check=False).returncode
used = resource.getrusage(resource.RUSAGE_CHILDREN)
print(used.ru_utime + used.ru_stime, used.ru_maxrss)
sys.exit(status)"""

Network = namedtuple("Network", "environment name family seed sizes one_size is_small")
Variant = namedtuple("Variant", "opset batch_norm store sizes batches")


def all_networks():
    yield from (Network("torch", name, family, 300 + i, SMALL_SIZES, ONE_SMALL_SIZE, True)
                for i, name in enumerate(SMALL) for family in ("torch", "paddle"))
    yield from (Network("paddle", name, "paddle", 100 + i, SIZES, ONE_SIZE, False)
                for i, name in enumerate(names.PADDLE))
    yield from (Network("torch", name, "torch", 200 + i, SIZES, ONE_SIZE, False)
                for i, name in enumerate(TORCH))


def variants(network):
    """All sizes and batches of every variant of a small net and of the default of a large one; one
    picture of an odd size for the rest."""
    for opset in OPSETS:
        for batch_norm in ("fold", "keep"):
            whole = network.is_small or (opset, batch_norm) == (17, "fold")
            yield Variant(opset, batch_norm, "f32", network.sizes if whole else (network.one_size,),
                          BATCHES if whole else (1,))
    for store in ("f16", "bf16"):
        yield Variant(17, "fold", store, (network.one_size,), (1,))
    yield Variant(28, "keep", "bf16", (network.one_size,), (1,))
    yield Variant(11, "keep", "f16", (network.one_size,), (1,))


# ---- the runtimes ------------------------------------------------------------------------------


class OnnxRuntime:
    name = "onnxruntime"

    def __init__(self, path):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = THREADS
        self.session = onnxruntime.InferenceSession(path, options,
                                                    providers=["CPUExecutionProvider"])

    def run(self, pictures):
        return self.session.run(None, {"x": pictures})[0]


class OpenVino:
    name = "openvino"

    def __init__(self, path):
        # Its own choice on such CPUs would be bf16.
        self.model = openvino.Core().compile_model(
            path, "CPU", {"INFERENCE_PRECISION_HINT": "f32", "INFERENCE_NUM_THREADS": THREADS})

    def run(self, pictures):
        return self.model({"x": pictures})[0]


class Reference:
    name = "onnx.reference"

    def __init__(self, path):
        self.evaluator = onnx.reference.ReferenceEvaluator(path)

    def run(self, pictures):
        return self.evaluator.run(None, {"x": pictures})[0]


class Kept:
    """A runtime that is asked only for what is not kept yet."""

    def __init__(self, runtime, path, folder):
        with open(path, "rb") as file:
            checksum = hashlib.file_digest(file, "sha256").hexdigest()
        self.runtime, self.path, self.instance = runtime, path, None
        self.stem = os.path.join(folder, f"{checksum[:32]}-{runtime.name}")

    def run(self, pictures, label):
        kept = f"{self.stem}-{label}.npy"
        if not os.path.exists(kept):
            self.instance = self.instance or self.runtime(self.path)
            logits = self.instance.run(pictures)
            np.save(kept + ".part.npy", logits)
            os.replace(kept + ".part.npy", kept)
        return np.load(kept)


# ---- files -------------------------------------------------------------------------------------


def weights_of(network, folder):
    return formula_weights.file_of(network.environment, network.name, network.seed, folder)


def export(options, network, weights, path, *flags):
    """Seconds of the processor and peak memory of the export."""
    if os.path.exists(path):
        os.remove(path)
    words = [options.res2net, "export", "--weights", weights, "--family", network.family, "--to",
             "onnx", "-o", path, *flags]
    done = subprocess.run([sys.executable, "-c", MEASURED, *words], capture_output=True, text=True,
                          check=False)
    if done.returncode != 0:
        raise command.CommandFailed(f"{' '.join(words)}: {done.stderr.strip()}")
    seconds, kilobytes = done.stdout.split()
    return float(seconds), int(kilobytes) * 1024


def check_file(score, label, path, network, opset, is_static=False):
    """onnx's own checks, metadata, and that every size that a runtime could want follows."""
    try:
        onnx.checker.check_model(path, full_check=True)
        model = onnx.load(path)
        inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True,
                                                     data_prop=True)
    except (onnx.checker.ValidationError, onnx.shape_inference.InferenceError) as reason:
        score.check(False, f"{label}: {reason}")
        return
    score.check(model.opset_import[0].version == opset, f"{label}: another opset")
    values = {value.name: value for value in inferred.graph.value_info}
    outputs = {name for node in model.graph.node for name in node.output}
    outputs -= {value.name for value in model.graph.output}
    score.check(outputs <= set(values), f"{label}: no shape for {sorted(outputs - set(values))[:3]}")
    if is_static:
        open_ones = [name for name, value in values.items()
                     if not all(d.HasField("dim_value")
                                for d in value.type.tensor_type.shape.dim)]
        score.check(not open_ones, f"{label}: open sizes of {open_ones[:3]}")
    told = {entry.key: entry.value for entry in model.metadata_props}
    score.check(told.get("res2net.family") == network.family, f"{label}: family {told}")
    score.check("res2net.architecture" in told and model.producer_name == "res2net"
                and model.producer_version, f"{label}: metadata {told.keys()}")
    if not network.is_small:
        score.check(len(told.get("res2net.labels", "").split("\n")) == 1000, f"{label}: labels")
        score.check("resize_short" in told.get("res2net.recipe", ""), f"{label}: recipe")


# ---- comparisons -------------------------------------------------------------------------------


class Ours:
    """Our logits by size, of three pictures; those of one are the first of them to the bit."""

    def __init__(self, options, network, weights, folder):
        self.options, self.network, self.weights = options, network, weights
        self.folder, self.known = folder, {}

    def __call__(self, size):
        if size not in self.known:
            height, width = map(int, size.split("x"))
            pictures = formula.picture(max(BATCHES), 3, height, width, self.network.seed)
            path = os.path.join(self.folder, "pictures.npy")
            np.save(path, pictures)
            logits = command.predict_logits(self.options.res2net, self.weights, path, self.folder,
                                            "--family", self.network.family)
            self.known[size] = pictures, logits
        return self.known[size]


def run_variant(options, score, network, ours, path, variant, label):
    runtimes = [OnnxRuntime, OpenVino] + ([Reference] if network.is_small else [])
    worst = {}
    for runtime in runtimes:
        kept = Kept(runtime, path, options.work)
        for size in variant.sizes if runtime is not Reference else (network.one_size,):
            pictures, logits = ours(size)
            for batch in variant.batches:
                what = f"{label}, {runtime.name}, {size}, batch {batch}"
                try:
                    theirs = kept.run(pictures[:batch], f"{size}-{batch}")
                    found = command.error(logits[:batch], theirs)
                except Exception as reason:  # each runtime has exceptions of its own
                    score.check(False, f"{what}: {str(reason).strip().splitlines()[0]}")
                    continue
                worst[runtime.name] = max(worst.get(runtime.name, 0), found)
                score.check(found <= TOLERANCES[variant.store], f"{what}: {found:.2e}")
    return "  ".join(f"{name} {error:.1e}" for name, error in worst.items())


def softmax(logits):
    powers = np.exp(logits.astype(np.float64) - logits.max(1, keepdims=True))
    return powers / powers.sum(1, keepdims=True)


def check_softmax_and_static(options, score, network, weights, ours, folder, label):
    """A file of fixed sizes that ends in a softmax."""
    path = os.path.join(folder, "static.onnx")
    size, batch = network.one_size, max(BATCHES)
    export(options, network, weights, path, "--batch", str(batch), "--size", size)
    check_file(score, f"{label}, static", path, network, 17, is_static=True)
    pictures, logits = ours(size)
    for runtime in (OnnxRuntime, OpenVino):
        scores = Kept(runtime, path, options.work).run(pictures, f"{size}-{batch}")
        found = np.abs(scores - softmax(logits)).max()
        score.check(found <= 1e-5, f"{label}, static, {runtime.name}: scores differ by {found:.1e}")
    os.remove(path)


def compare_network(options, score, network):
    label = f"{network.name.replace('cifar:', '')} ({network.family})"
    weights = weights_of(network, options.work)
    with tempfile.TemporaryDirectory(prefix="res2net-onnx-") as folder:
        ours = Ours(options, network, weights, folder)
        for variant in variants(network):
            title = f"{label}, opset {variant.opset}, {variant.batch_norm}, {variant.store}"
            if options.variant not in title:
                continue
            path = os.path.join(folder, "net.onnx")
            started = time.monotonic()
            seconds, peak = export(options, network, weights, path, "--opset", str(variant.opset),
                                   "--batch-norm", variant.batch_norm, "--store", variant.store,
                                   "--softmax", "off")
            wall = time.monotonic() - started
            share = peak / os.path.getsize(weights)
            score.check(seconds <= MOST_SECONDS, f"{title}: the export took {seconds:.1f} s")
            # Of Res2Net200; what an export takes besides weights tells in smaller ones.
            score.check("Res2Net200" not in label or share < MOST_TIMES_THE_WEIGHTS,
                        f"{title}: the export took {share:.1f} times the weights' memory")
            check_file(score, title, path, network, variant.opset)
            errors = run_variant(options, score, network, ours, path, variant, title)
            score.say(f"{title}: {errors}  (export {wall:.2f} s, {seconds:.2f} s CPU"
                      + ("" if network.is_small else f", {share:.2f} times the weights") + ")")
        if not options.variant:
            check_softmax_and_static(options, score, network, weights, ours, folder, label)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "onnx_export.log"))
    parser.add_argument("--work", default=os.path.join(command.ROOT, ".oracle", "onnx-work"))
    parser.add_argument("--only", default="", help="only networks with this in their name")
    parser.add_argument("--variant", default="", help='only variants with this: "opset 11, keep"')
    parser.add_argument("--small", action="store_true", help="only the small nets")
    parser.add_argument("--again", action="store_true", help="forgets what is kept")
    options = parser.parse_args()
    if options.again:
        shutil.rmtree(options.work, ignore_errors=True)
    os.makedirs(options.work, exist_ok=True)
    score = command.Score(options.log)
    score.say(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, "
              f"openvino {openvino.__version__}")
    for network in all_networks():
        if options.only.lower() in network.name.lower() and (network.is_small or not options.small):
            try:
                compare_network(options, score, network)
            except (command.CommandFailed, OSError, subprocess.SubprocessError) as reason:
                score.check(False, f"{network.name}: {reason}")
    score.finish()


if __name__ == "__main__":
    main()
