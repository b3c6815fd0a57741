# SPDX-License-Identifier: Apache-2.0
"""The int8 files of `res2net export --to onnx --precision int8`: onnxruntime and OpenVINO give the
answers of our int8 runs for at least 98 % of real pictures, and near logits for networks of every
kind with weights from the formula. CIFAR-100's test pictures with the bootstrap network (and another, --cifar), Imagenette's validation pictures with a Res2Net50_26w_4s
that was trained on them (--large; left out with a message where there is none). Runs in the
environment `onnx`; the environment `torch` unpacks CIFAR-100."""
import argparse
import os
import subprocess
import tempfile
from collections import Counter

import numpy as np
import onnx
import onnx.reference
import onnxruntime
import openvino

import command
import onnx_export

PICTURES = 2000       # of CIFAR-100
RECORD = 3074         # bytes of a picture there
SAMPLES, LARGE_SAMPLES = 512, 64
LEAST_SAME = 0.98     # of the answers
MOST_MEAN = 0.03      # of the largest logit: what f32 and int8 differ by themselves
BATCH, THREADS = 50, 2
REFERENCE_OPSET, REFERENCE_PICTURES = 21, 16  # of the slow one; it knows QuantizeLinear from 19 on
OPSETS = (13, 27)     # the first and the last
# Small nets of both families; timm's network of torch's, and one without groups.
STRUCTURES = (*((name, family) for name in onnx_export.SMALL for family in ("torch", "paddle")),
              ("res2net50_26w_4s", "torch"), ("resnet50", "torch"))
STRUCTURE_PICTURES, STRUCTURE_SAMPLES = 100, 64
TRAINED = os.path.join(command.ROOT, ".oracle", "trained")


# ---- the runtimes ------------------------------------------------------------------------------


def onnx_runtime(path, without=()):
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = THREADS
    session = onnxruntime.InferenceSession(path, options, providers=["CPUExecutionProvider"],
                                           disabled_optimizers=list(without))
    return lambda pictures: session.run(None, {"x": pictures})[0]


def open_vino(path, **settings):
    model = openvino.Core().compile_model(path, "CPU",
                                          {"INFERENCE_NUM_THREADS": THREADS, **settings})
    return model, lambda pictures: model({"x": pictures})[0]


def convolutions(model):
    """How many of an OpenVINO model's convolutions run in which type."""
    return Counter(info["runtimePrecision"].astype(str)
                   for info in (node.get_rt_info() for node in model.get_runtime_model().get_ops())
                   if info["layerType"].astype(str) == "Convolution")


# ---- the file ----------------------------------------------------------------------------------


def maker(makers, value):
    node = makers[value]
    while node.op_type in ("MaxPool", "Flatten"):
        node = makers[node.input[0]]
    return node


def is_whole(path):
    """onnx's own checks, and that every product has int8 on both sides."""
    onnx.checker.check_model(path, full_check=True)
    model = onnx.load(path)
    inferred = onnx.shape_inference.infer_shapes(model, check_type=True, strict_mode=True,
                                                 data_prop=True)
    shapes = {value.name for value in inferred.graph.value_info}
    makers = {name: node for node in model.graph.node for name in node.output}
    tensors = {tensor.name: tensor for tensor in model.graph.initializer}
    lost = set(makers) - shapes - {value.name for value in model.graph.output}
    if lost:
        raise ValueError(f"no shape for {sorted(lost)[:3]}")
    for node in model.graph.node:
        if node.op_type not in ("Conv", "Gemm"):
            continue
        sides = [maker(makers, name) for name in node.input[:2]]
        if any(side.op_type != "DequantizeLinear" for side in sides):
            raise ValueError(f"{node.name} multiplies in {[side.op_type for side in sides]}")
        levels, scales = (tensors[name] for name in sides[1].input)
        if levels.data_type != onnx.TensorProto.INT8 or list(scales.dims) != [levels.dims[0]]:
            raise ValueError(f"{node.name}'s weights have no int8 and a scale a channel")
    return True


def other_opsets(options, score, label, calibrated, ours, inputs, folder):
    """The first and the last opset in both runtimes, and a few pictures in onnx.reference."""
    path = os.path.join(folder, "other.onnx")
    few, expected = inputs[:4 * BATCH], ours[:4 * BATCH]
    for opset in (*OPSETS, REFERENCE_OPSET):
        command.run(options.res2net, "export", "-m", calibrated, "--to", "onnx", "--precision",
                    "int8", "--softmax", "off", "--opset", opset, "-o", path)
        score.attempt(f"{label}, opset {opset}: the file is whole", is_whole, path)
        runs = [onnx_runtime(path), open_vino(path, INFERENCE_PRECISION_HINT="f32")[1]]
        if opset == REFERENCE_OPSET:
            evaluator = onnx.reference.ReferenceEvaluator(path)
            runs = [lambda pictures, run=evaluator.run: run(None, {"x": pictures})[0]]
            few, expected = inputs[:REFERENCE_PICTURES], ours[:REFERENCE_PICTURES]
        for run in runs:
            found = differences(expected, run(few)).mean()
            score.check(found <= MOST_MEAN, f"{label}, opset {opset}: logits differ by {found:.3f}")


# ---- comparisons -------------------------------------------------------------------------------


def differences(ours, theirs):
    """Of a picture's logits, by the largest."""
    return np.abs(ours - theirs).max(1) / np.abs(ours).max(1)


def logits_agree(score, label, ours, theirs):
    same = float((ours.argmax(1) == theirs.argmax(1)).mean())
    off = differences(ours, theirs)
    score.say(f"     {label}: top-1 as ours for {100 * same:.2f} % of {len(ours)}; logits differ by "
              f"{100 * off.mean():.2f} % of the largest in the mean, {100 * off.max():.1f} % at most")
    score.check(same >= LEAST_SAME, f"{label}: only {100 * same:.2f} % have our top-1")
    score.check(off.mean() <= MOST_MEAN, f"{label}: logits differ by {off.mean():.3f} in the mean")


def answers_agree(score, label, ours, run, pictures):
    theirs = [run(pictures[i:i + BATCH]) for i in range(0, len(pictures), BATCH)]
    logits_agree(score, label, ours, np.concatenate(theirs))


def compare(options, score, label, model, calibration, pictures, folder, is_small=False):
    """`model` and `pictures` are arguments of the command; `calibration` goes to quantize."""
    calibrated, path, inputs, logits = (os.path.join(folder, name) for name in
                                        ("int8.r2n", "int8.onnx", "inputs.npy", "logits.npy"))
    command.run(options.res2net, "quantize", *model, *calibration, "-o", calibrated)
    command.run(options.res2net, "export", "-m", calibrated, "--to", "onnx", "--precision", "int8",
                "--softmax", "off", "-o", path)
    score.attempt(f"{label}: the file is whole", is_whole, path)
    command.run(options.res2net, "predict", "-m", calibrated, "--precision", "int8", *pictures,
                "--format", "jsonl", "--dump-input", inputs, "--dump-logits", logits)
    ours, inputs = np.load(logits), np.load(inputs)
    command.run(options.res2net, "predict", "-m", path, "--precision", "int8", *pictures,
                "--format", "jsonl", "--dump-logits", logits)
    logits_agree(score, f"{label}, read back by us", ours, np.load(logits))
    answers_agree(score, f"{label}, onnxruntime", ours, onnx_runtime(path), inputs)
    # Its own choice for what is not int8 is bf16 on CPUs that have it.
    compiled, run = open_vino(path, INFERENCE_PRECISION_HINT="f32")
    answers_agree(score, f"{label}, OpenVINO f32", ours, run, inputs)
    types = convolutions(compiled)
    score.check(set(types) <= {"i8", "u8"}, f"{label}: OpenVINO's convolutions run in {types}")
    _, run = open_vino(path)
    answers_agree(score, f"{label}, OpenVINO", ours, run, inputs)
    if is_small:
        other_opsets(options, score, label, calibrated, ours, inputs, folder)


def unlabelled(source, count, path):
    """Some of a CIFAR-100 binary's pictures for networks of fewer classes: all are of class 0."""
    records = np.fromfile(source, np.uint8, count * RECORD).reshape(-1, RECORD)
    records[:, :2] = 0
    records.tofile(path)


def try_structures(options, score, folder):
    """Networks that have learnt nothing give no answers to compare, but logits."""
    train, few = (os.path.join(folder, name) for name in ("train.bin", "few.bin"))
    unlabelled(os.path.join(options.unpacked, "train.bin"), STRUCTURE_SAMPLES, train)
    unlabelled(os.path.join(options.unpacked, "test.bin"), STRUCTURE_PICTURES, few)
    calibrated, path, inputs, logits = (os.path.join(folder, name) for name in
                                        ("int8.r2n", "int8.onnx", "inputs.npy", "logits.npy"))
    for i, (name, family) in enumerate(STRUCTURES):
        network = onnx_export.Network("torch", name, family, 300 + i, (), "", True)
        label = f"{name.replace('cifar:', '')} ({family})"
        command.run(options.res2net, "quantize", "--weights",
                    onnx_export.weights_of(network, options.work), "--family", family,
                    "--transforms",
                    os.path.join(options.shared, "bootstrap", "transforms.yaml"),
                    "--calibrate", train, "-o", calibrated)
        command.run(options.res2net, "export", "-m", calibrated, "--to", "onnx",
                    "--precision", "int8", "--softmax", "off", "-o", path)
        score.attempt(f"{label}: the file is whole", is_whole, path)
        command.run(options.res2net, "predict", "-m", calibrated, "--precision", "int8",
                    "--list", few, "--format", "jsonl", "--dump-input", inputs,
                    "--dump-logits", logits)
        ours, pictures = np.load(logits), np.load(inputs)
        compiled, vino = open_vino(path, INFERENCE_PRECISION_HINT="f32")
        types = convolutions(compiled)
        score.check(set(types) <= {"i8", "u8"}, f"{label}: OpenVINO's run in {types}")
        # Formula weights spread a change of one level far, and its rounding of biases is one.
        runs = onnx_runtime(path, ["WeightBiasQuantization"]), vino
        found = [differences(ours, run(pictures)).mean() for run in runs]
        score.say(f"     {label}: logits differ by {100 * found[0]:.2f} % (onnxruntime) and "
                  f"{100 * found[1]:.2f} % (OpenVINO) in the mean")
        score.check(max(found) <= MOST_MEAN, f"{label}: logits differ by {max(found):.3f}")


def try_cifar(options, score, folder):
    few = os.path.join(folder, "few.bin")
    with open(os.path.join(options.unpacked, "test.bin"), "rb") as whole, open(few, "wb") as file:
        file.write(whole.read(options.pictures * RECORD))
    bootstrap = os.path.join(options.shared, "bootstrap")
    networks = [("bootstrap", ("--weights",
                               os.path.join(bootstrap, "res2net20_26w_4s_cifar.safetensors"),
                               "--transforms", os.path.join(bootstrap, "transforms.yaml")))]
    if os.path.exists(options.cifar):
        networks.append((os.path.basename(options.cifar), ("-m", options.cifar)))
    for label, model in networks:
        compare(options, score, label, model,
                ("--calibrate", os.path.join(options.unpacked, "train.bin"), "--samples", SAMPLES),
                ("--list", few), folder, is_small=True)


def try_large(options, score, folder):
    if not os.path.exists(options.large):
        score.say(f"left out: {options.large} is absent")
        return
    photos = os.path.join(options.shared, "data", "imagenette")
    train, test = (os.path.join(photos, name) for name in ("train_list.txt", "val_list.txt"))
    compare(options, score, "Res2Net50_26w_4s, Imagenette", ("-m", options.large),
            ("--calibrate", train, "--samples", LARGE_SAMPLES),
            ("--list", test, "--root", photos), folder)


PARTS = {"structures": try_structures, "cifar": try_cifar, "large": try_large}


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"),
                        help="the folder with data/ and bootstrap/")
    parser.add_argument("--pictures", type=int, default=PICTURES, help="of CIFAR-100")
    parser.add_argument("--cifar", default=os.path.join(TRAINED, "latest.r2n"),
                        help="a second network for CIFAR-100")
    parser.add_argument("--large", help="a Res2Net50_26w_4s trained on Imagenette",
                        default=os.path.join(TRAINED, "imagenette1", "best_model.r2n"))
    parser.add_argument("--only", default="", help="only parts with this in their name: "
                        + ", ".join(PARTS))
    parser.add_argument("--work", default=os.path.join(command.ROOT, ".oracle", "onnx-work"),
                        help="keeps weights, as onnx_export.py does")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "onnx_quantized.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    score.say(f"onnx {onnx.__version__}, onnxruntime {onnxruntime.__version__}, "
              f"openvino {openvino.__version__}")
    os.makedirs(options.work, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="res2net-cifar100-") as unpacked:
        options.unpacked = unpacked
        subprocess.run([command.environment_python("torch"),
                        os.path.join(options.shared, "data", "unpack_cifar100.py"), unpacked],
                       check=True)
        for name, part in PARTS.items():
            with tempfile.TemporaryDirectory(prefix="res2net-quantized-") as folder:
                try:
                    if options.only in name:
                        part(options, score, folder)
                except (command.CommandFailed, OSError, subprocess.SubprocessError) as reason:
                    score.check(False, str(reason)[:1000])
    score.finish()


if __name__ == "__main__":
    main()
