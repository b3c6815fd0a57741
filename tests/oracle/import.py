# SPDX-License-Identifier: Apache-2.0
"""Networks that others exported, read back: Paddle's inference models (.pdmodel and .json), what
paddle2onnx makes of them, and PyTorch's two ONNX exporters. Runs in the environment `torch`; Paddle
runs in its own, with the exporters of `import` beside it.

Our logits of the file must be within 1e-5 of the largest logit of our own loading of the same
weights (.pdparams, .safetensors); where nothing is folded, the same bits. Networks that are no
Res2Net must be refused with the operation that says so.
"""
import argparse
import glob
import os
import subprocess
import sys
import tarfile
import tempfile

import numpy as np
import torch
from safetensors.torch import save_file

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import command  # noqa: E402
import formula  # noqa: E402
import torch_reference  # noqa: E402

TOLERANCE = 1e-5
PICTURES = 2
PADDLE = ("Res2Net50_vd_26w_4s", "Res2Net50_14w_8s")
SMALL = "cifar:planes=32,depths=2-1-2,width=26,scale=4,classes=100"
TORCH = ((SMALL, "torch", 32), (SMALL, "paddle", 32),
         ("vd:planes=64,depths=1-2-1-1,width=14,scale=8,classes=10", "paddle", 65),
         ("res2net50d", "torch", 64), ("res2net50_48w_2s", "torch", 64), ("resnet50", "torch", 64))


def exporters():
    found = glob.glob(os.path.join(command.ROOT, ".oracle", "import", "lib", "*", "site-packages"))
    if not found:
        raise SystemExit("no environment 'import': run tests/oracle/environments.sh import")
    return found[0]


def write_pictures(folder, size, seed):
    path = os.path.join(folder, f"pictures_{size}.npy")
    np.save(path, formula.picture(PICTURES, 3, size, size, seed))
    return path


class Comparison:
    """One network: what our own loading of its weights answers, and files that must answer so."""

    def __init__(self, score, res2net, folder, weights, pictures, flags=()):
        self.score, self.res2net, self.folder, self.pictures = score, res2net, folder, pictures
        self.expected = command.predict_logits(res2net, weights, pictures, folder, *flags)

    def check(self, name, path, same_bits=False, tolerance=TOLERANCE):
        try:
            ours = command.predict_logits(self.res2net, path, self.pictures, self.folder)
            found = command.error(ours, self.expected)
        except (command.CommandFailed, OSError) as reason:
            self.score.check(False, f"{name}: {reason}")
            return
        equal = command.same_bits(ours, self.expected)
        self.score.checked(found <= tolerance and (equal or not same_bits),
                           f"{name}: {found:.1e}{', equal bits' if equal else ''}")


# ---- Paddle ----

def paddle(*arguments, pir=1, extra=""):
    script = os.path.join(HERE, "paddle_reference.py")
    environment = dict(os.environ, FLAGS_enable_pir_api=str(pir), PYTHONPATH=extra)
    done = subprocess.run([command.environment_python("paddle"), script, *map(str, arguments)],
                          env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
    if done.returncode != 0:
        raise command.CommandFailed(done.stdout.decode("utf-8", "replace")[-2000:])


def check_tars(comparison, folder, name):
    """The archive as Python's three forms and GNU tar write it, its names as _infer.tar has them."""
    for number, form in enumerate((tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT)):
        path = os.path.join(folder, f"{number}_infer.tar")
        # A name beyond what ustar's one field holds makes each form show what it has for that.
        inside = "x" * (90 if number == 0 else 190) + "_infer"
        with tarfile.open(path, "w", format=form) as tar:
            for file in ("inference.pdmodel", "inference.pdiparams"):
                tar.add(os.path.join(folder, file), os.path.join(inside, file))
        comparison.check(f"{name} .tar {number}", path, same_bits=True)
        os.remove(path)
    path = os.path.join(folder, "gnu.tar")
    subprocess.run(["tar", "-cf", path, "-C", os.path.dirname(folder), os.path.basename(folder)],
                   check=True)
    comparison.check(f"{name} .tar of GNU tar", path, same_bits=True)


def check_paddle(score, res2net, architecture, seed, softmax):
    with tempfile.TemporaryDirectory(prefix="res2net-import-") as top:
        old, new = os.path.join(top, "old"), os.path.join(top, "new")
        for folder, pir in ((old, 0), (new, 1)):
            os.mkdir(folder)
            paddle("--export", folder, architecture, seed, 37, softmax, pir=pir)
        comparison = Comparison(score, res2net, top, os.path.join(old, "weights.pdparams"),
                                write_pictures(top, 97, seed))
        for folder in (old, new):
            os.remove(os.path.join(folder, "weights.pdparams"))
        comparison.check(f"{architecture} .pdmodel", os.path.join(old, "inference.pdmodel"), True)
        comparison.check(f"{architecture} folder", old, True)
        comparison.check(f"{architecture} .json", os.path.join(new, "inference.json"), True)
        comparison.check(f"{architecture} folder of a .json", new, True)
        check_tars(comparison, old, architecture)
        for folder, program, opset in ((old, "inference.pdmodel", 11), (new, "inference.json", 17)):
            path = os.path.join(top, "network.onnx")
            paddle("--to-onnx", os.path.join(folder, program),
                   os.path.join(folder, "inference.pdiparams"), path, opset, extra=exporters())
            comparison.check(f"{architecture} {program} by paddle2onnx {opset}", path, True)


# ---- PyTorch ----

def export_torch(net, path, size, **options):
    torch.onnx.export(net, (torch.zeros(2, 3, size, size),), path, **options)


def check_torch(score, res2net, architecture, family, size, seed):
    net = torch_reference.network(architecture, seed, family)
    short = f"{architecture.replace(',classes', ' ').split(' ')[0]} {family}"
    batch = torch.export.Dim("batch")
    forms = (
        ("folded 13", 1e-5, dict(dynamo=False, opset_version=13)),
        ("folded 9", 1e-5, dict(dynamo=False, opset_version=9)),
        ("kept 17", 0, dict(dynamo=False, opset_version=17, do_constant_folding=False,
                            training=torch.onnx.TrainingMode.PRESERVE,
                            dynamic_axes={"picture": {0: "n", 2: "h", 3: "w"}},
                            input_names=["picture"])),
        ("dynamo", 1e-5, dict(dynamo=True)),
        ("dynamo, any batch", 1e-5, dict(dynamo=True, dynamic_shapes=({0: batch},),
                                         external_data=False)),
    )
    with tempfile.TemporaryDirectory(prefix="res2net-import-") as top:
        weights = os.path.join(top, "weights.safetensors")
        save_file(net.state_dict(), weights)
        comparison = Comparison(score, res2net, top, weights, write_pictures(top, size, seed),
                                ("--family", family))
        for name, tolerance, options in forms:
            path = os.path.join(top, "network.onnx")
            try:
                export_torch(net, path, size, **options)
            except Exception as reason:  # what an exporter does not offer is no fault of ours
                score.say(f"--   {short} {name}: not exported: {str(reason)[:100]!r}")
                continue
            comparison.check(f"{short} {name}", path, same_bits=tolerance == 0)
        half = os.path.join(top, "half.onnx")
        export_torch(net.float(), half, size, dynamo=False, opset_version=17)
        convert_to_half(half)
        comparison.check(f"{short} f16 weights", half, tolerance=2e-2)


def convert_to_half(path):
    """Weights in half floats, each with a Cast behind it."""
    import onnx
    from onnx import TensorProto, helper, numpy_helper
    model = onnx.load(path)
    casts = []
    for tensor in model.graph.initializer:
        if tensor.data_type != TensorProto.FLOAT:
            continue
        name = tensor.name
        half = numpy_helper.from_array(numpy_helper.to_array(tensor).astype(np.float16),
                                       name + "_half")
        tensor.CopyFrom(half)
        casts.append(helper.make_node("Cast", [name + "_half"], [name], to=TensorProto.FLOAT))
    for node in reversed(casts):
        model.graph.node.insert(0, node)
    onnx.checker.check_model(model)
    onnx.save(model, path)


def others():
    """Networks that are no Res2Net, and what the refusal has to speak of."""
    import timm
    import torchvision
    models = torchvision.models
    yield "resnet18", models.resnet18(), "sum"
    yield "resnext50_32x4d", models.resnext50_32x4d(), "groups"
    yield "mobilenet_v2", models.mobilenet_v2(), "Clip"
    yield "densenet121", models.densenet121(), "joins"
    yield "res2next50", timm.create_model("res2next50", pretrained=False), "groups"
    yield "seresnet50", timm.create_model("seresnet50", pretrained=False), "Sigmoid"
    yield "vgg11", models.vgg11(), "25088 features"


def check_others(score, res2net):
    with tempfile.TemporaryDirectory(prefix="res2net-import-") as top:
        for name, net, word in others():
            path = os.path.join(top, "network.onnx")
            export_torch(net.eval(), path, 224, dynamo=False, opset_version=17)
            done = subprocess.run([res2net, "summary", "-m", path], stdout=subprocess.PIPE,
                                  stderr=subprocess.PIPE)
            words = done.stderr.decode("utf-8", "replace").strip()
            score.checked(done.returncode == 3 and word in words, f"{name} is refused: {words}")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "import.log"))
    parser.add_argument("--only", default="", help="only architectures with this in their name")
    options = parser.parse_args()
    sys.path.append(exporters())
    score = command.Score(options.log)
    for i, architecture in enumerate(PADDLE):
        if options.only.lower() in architecture.lower():
            check_paddle(score, options.res2net, architecture, 500 + i, i % 2)
    for i, (architecture, family, size) in enumerate(TORCH):
        if options.only.lower() in architecture.lower():
            check_torch(score, options.res2net, architecture, family, size, 510 + i)
    if options.only in ("", "others"):
        check_others(score, options.res2net)
    score.finish()


if __name__ == "__main__":
    main()
