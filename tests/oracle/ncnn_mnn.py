# SPDX-License-Identifier: Apache-2.0
"""Our ONNX files through ncnn (by pnnx) and MNN (by its converter), in f32: logits within 1e-3 of
the largest of ours, of a file for one size and of a dynamic one at several sizes and batches. Small
nets also with batch norms kept and with 16-bit weights. Runs in the environment `ncnn`; weights come
from `paddle` and `torch`.

A second run goes on where the first one ended (resume.py); --again begins anew.

ncnn_mnn.py --run ncnn|mnn MODEL OUTPUTS.npz INPUT.npy...      one process of a runtime
"""
import argparse
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import formula_weights  # noqa: E402
import resume  # noqa: E402

# Those of onnx_export.py, whose files of weights are kept: (environment, name, family, seed).
SMALL = tuple(("torch", name, family, 300 + i) for i, name in enumerate((
    "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100",
    "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10",
    "cifar:planes=16,depths=1-2-2,width=32,scale=2,classes=100",
    "vd:planes=64,depths=1-1-1-1,width=26,scale=4,classes=10")) for family in ("torch", "paddle"))
LARGE = (("paddle", "Res2Net50_26w_4s", "paddle", 100),
         ("paddle", "Res2Net50_vd_26w_4s", "paddle", 102),
         ("torch", "res2net50_14w_8s", "torch", 201),
         ("torch", "res2net50d", "torch", 202),
         ("paddle", "Res2Net101_vd_26w_4s", "paddle", 103))
SIZES = ("224x224", "225x225", "288x320")
SMALL_SIZES = ("32x32", "33x47", "64x64")
PICTURES = 3  # given together, and the first alone
TOLERANCE = 1e-3
# name: (options of export, tolerance)
FORMS = {"folded": ((), TOLERANCE), "kept": (("--batch-norm", "keep"), TOLERANCE),
         "f16": (("--store", "f16"), 4e-3), "bf16": (("--store", "bf16"), 3e-2)}


# ---- what runs in processes of its own ---------------------------------------------------------

def open_ncnn(model):
    """Has no batches: pictures follow each other."""
    import ncnn
    net = ncnn.Net()
    net.opt.num_threads = 1
    for reduced in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic",
                    "use_bf16_storage"):
        setattr(net.opt, reduced, False)
    if net.load_param(model + ".ncnn.param") or net.load_model(model + ".ncnn.bin"):
        raise SystemExit(f"ncnn does not take {model}")

    def one(picture):
        with net.create_extractor() as extractor:
            extractor.input("in0", ncnn.Mat(picture))
            status, logits = extractor.extract("out0")
            if status:
                raise SystemExit(f"ncnn: {status}")
            return np.array(logits).ravel()

    return lambda pictures: np.stack([one(picture) for picture in pictures])


def open_mnn(model):
    import MNN.expr
    import MNN.nn
    manager = MNN.nn.create_runtime_manager(
        ({"backend": "CPU", "precision": "high", "numThread": 1},))
    net = MNN.nn.load_module_from_file(model + ".mnn", ["x"], ["logits"], runtime_manager=manager)

    def run(pictures):
        values = MNN.expr.placeholder(list(pictures.shape), MNN.expr.NCHW)
        values.write(pictures)
        logits, = net.forward([values])
        logits = MNN.expr.convert(logits, MNN.expr.NCHW)
        return np.array(logits.read()).reshape(logits.shape)

    return run


def run_one(engine, model, out, *inputs):
    run = {"ncnn": open_ncnn, "mnn": open_mnn}[engine](model)
    np.savez(out, *[run(np.load(path)) for path in inputs])


def child(*words, folder=None):
    done = subprocess.run(words, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    told = done.stdout.decode("utf-8", "replace").strip().splitlines()
    if done.returncode != 0:
        raise command.CommandFailed(f"{os.path.basename(words[0])}: {done.returncode}: "
                                    f"{' / '.join(told[-3:])}")


# ---- converters --------------------------------------------------------------------------------

def convert_to_ncnn(folder, model, sizes):
    """pnnx leaves MODEL.ncnn.param and .bin beside the file. Two shapes make what differs open."""
    package, = importlib.util.find_spec("pnnx").submodule_search_locations
    shapes = [f"[1,3,{size.replace('x', ',')}]" for size in sizes[:2]]
    child(os.path.join(package, "pnnx"), model + ".onnx",
          *(f"inputshape{number}={shape}" for number, shape in zip(("", "2"), shapes)), "fp16=0",
          folder=folder)
    if not os.path.exists(os.path.join(folder, model + ".ncnn.bin")):
        raise command.CommandFailed("pnnx wrote no file for ncnn")


def convert_to_mnn(folder, model, _):
    tool = os.path.join(os.path.dirname(sys.executable), "mnnconvert")
    child(sys.executable, tool, "-f", "ONNX", "--modelFile", model + ".onnx", "--MNNModel",
          model + ".mnn", "--bizCode", "res2net", folder=folder)
    if not os.path.exists(os.path.join(folder, model + ".mnn")):
        raise command.CommandFailed("MNNConvert wrote no file")


CONVERTERS = {"ncnn": convert_to_ncnn, "mnn": convert_to_mnn}


# ---- one network -------------------------------------------------------------------------------

class Network:
    def __init__(self, options, folder, environment, name, family, seed):
        self.options, self.folder, self.name = options, folder, name
        self.flags = ("--family", family)
        self.is_small = ":" in name
        self.sizes = SMALL_SIZES if self.is_small else SIZES
        self.weights = formula_weights.file_of(environment, name, seed)
        self.inputs, self.logits = [], []
        for size in self.sizes:
            height, width = map(int, size.split("x"))
            pictures = formula.picture(PICTURES, 3, height, width, seed)
            for count in (1, PICTURES):
                path = os.path.join(folder, f"{size}_{count}.npy")
                np.save(path, pictures[:count])
                self.inputs.append(path)
                self.logits.append(command.predict_logits(options.res2net, self.weights, path,
                                                          folder, *self.flags))

    def worst(self, engine, model, sizes, used, flags):
        """Largest error of an export with `flags`, over the inputs of the slice `used`."""
        command.run(self.options.res2net, "export", "--weights", self.weights, *self.flags, "--to",
                    "onnx", "--softmax", "off", "-o", os.path.join(self.folder, model + ".onnx"),
                    *flags)
        CONVERTERS[engine](self.folder, model, sizes)
        out = os.path.join(self.folder, "out.npz")
        child(sys.executable, os.path.abspath(__file__), "--run", engine,
              os.path.join(self.folder, model), out, *self.inputs[used])
        with np.load(out) as file:
            return max(command.error(file[f"arr_{i}"], ours)
                       for i, ours in enumerate(self.logits[used]))


def check(score, text, tolerance, function, *arguments):
    try:
        worst = function(*arguments)
        score.checked(worst <= tolerance, f"  {text}: {worst:.2e}")
    except (command.CommandFailed, OSError, subprocess.SubprocessError) as reason:
        score.check(False, f"  {text}: {reason}")


def compare(score, options, environment, name, family, seed):
    score.say(f"{name} ({family})")
    with tempfile.TemporaryDirectory(prefix="res2net-ncnn-") as folder:
        net = Network(options, folder, environment, name, family, seed)
        for engine in CONVERTERS:
            check(score, f"{engine}, one size", TOLERANCE, net.worst, engine, engine + "one",
                  net.sizes[:1], slice(1), ("--batch", "1", "--size", net.sizes[0]))
            # ncnn's pictures follow each other: the batch is for MNN.
            used = slice(0, None, 2) if engine == "ncnn" and not net.is_small else slice(None)
            for form, (flags, tolerance) in FORMS.items():
                if form == "folded" or net.is_small:
                    check(score, f"{engine}, {form}, {', '.join(net.sizes)}", tolerance, net.worst,
                          engine, engine + form, net.sizes, used, flags)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "ncnn.log"))
    parser.add_argument("--work", default=os.path.join(command.ROOT, ".oracle", "ncnn-work"))
    parser.add_argument("--only", default="", help="only networks with this in their name")
    parser.add_argument("--again", action="store_true", help="forgets what is kept")
    options = parser.parse_args()
    if options.again:
        shutil.rmtree(options.work, ignore_errors=True)
    score = command.Score(options.log)
    kept = resume.Kept(score, options.work, os.path.abspath(__file__), options.res2net)
    for network in SMALL + LARGE:
        if options.only.lower() in network[1].lower():
            kept.run(repr(network), compare, score, options, *network)
    score.finish()


if __name__ == "__main__":
    if sys.argv[1:2] == ["--run"]:
        run_one(*sys.argv[2:])
    else:
        main()
