# SPDX-License-Identifier: Apache-2.0
"""The benchmark's networks in the files of all engines, each written once, by its environment."""
import os
import subprocess
import sys

import calibration
import command

HERE = os.path.dirname(os.path.abspath(__file__))


def _python(environment, script, *arguments):
    subprocess.run([command.environment_python(environment), os.path.join(HERE, script),
                    *arguments], check=True, stdout=sys.stderr)


def weights_file(folder, arch):
    """What all begin with, for us; ARCH.onnx for the peers stands beside it."""
    os.makedirs(folder, exist_ok=True)
    _python("torch", "make_models.py", folder, arch)
    return os.path.join(folder, arch + ".safetensors")


def model_arguments(folder, arch):
    """How res2net is told of it: the Res2Nets have torch's names and the Paddle family's rules."""
    weights = ["--weights", os.path.join(folder, arch + ".safetensors")]
    return weights if arch.startswith("resnet") else [*weights, "--family", "paddle"]


def pictures(res2net, folder, arch):
    """The folder of the pictures that calibrate int8 and that all are compared on."""
    return calibration.make(res2net, os.path.join(folder, "pictures"),
                            model_arguments(folder, arch))


def r2n(res2net, folder, arch):
    """Our own format, anew with every build: it carries what that build packs."""
    weights, file = weights_file(folder, arch), os.path.join(folder, arch + ".r2n")
    if not os.path.exists(file) or os.path.getmtime(file) < os.path.getmtime(res2net):
        family = model_arguments(folder, arch)[2:]
        command.run(res2net, "convert", *family, weights, file)
    return file


def _ncnn(folder, arch):
    """pnnx reads ONNX, and leaves more than it is asked for."""
    if os.path.exists(os.path.join(folder, arch + ".ncnn.bin")):
        return
    where = ("import importlib.util as i; "
             "print(i.find_spec('pnnx').submodule_search_locations[0], end='')")
    package = subprocess.run([command.environment_python("ncnn"), "-c", where], check=True,
                             stdout=subprocess.PIPE, text=True).stdout
    subprocess.run([os.path.join(package, "pnnx"), arch + ".onnx", "inputshape=[1,3,224,224]",
                    "fp16=0"], cwd=folder, check=True, stdout=subprocess.DEVNULL,
                   stderr=subprocess.DEVNULL)
    for rest in ("_ncnn.py", "_pnnx.py", ".pnnx.bin", ".pnnx.param", ".pnnx.onnx", ".pnnxsim.onnx"):
        if os.path.exists(os.path.join(folder, arch + rest)):
            os.remove(os.path.join(folder, arch + rest))


def peers(folder, arch, engines, precisions):
    if "paddle" in engines:
        _python("paddle", "make_paddle.py", folder, arch)
    if "openvino" in engines and "int8" in precisions:
        _python("openvino", "make_int8.py", folder,
                os.path.join(folder, "pictures", "calibrate.npy"), arch)
    if "ncnn" in engines:
        _ncnn(folder, arch)
