# SPDX-License-Identifier: Apache-2.0
"""timm, torchvision and our torch networks with formula weights. Runs in the environment `torch`.

torch_reference.py OUT ARCHITECTURE SEED BATCH HEIGHTxWIDTH...
    writes OUT/weights.pth, OUT/weights.safetensors and OUT/logits_HEIGHTxWIDTH.npy
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import numpy as np  # noqa: E402
import torch  # noqa: E402

import formula  # noqa: E402
import networks  # noqa: E402


def set_formula_weights(net, seed):
    """All tensors from the formula; timm's zero bn3 among them. Evaluation mode."""
    state = net.state_dict()
    for name, value in state.items():
        if not name.endswith("num_batches_tracked"):
            state[name] = torch.from_numpy(formula.fill(name, value.shape, seed))
    net.load_state_dict(state)
    return net.eval()


def parse_cifar(specification):
    """"cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100" as keyword arguments."""
    fields = dict(field.split("=") for field in specification.split(":", 1)[1].split(","))
    depths = tuple(int(n) for n in fields.pop("depths").split("-"))
    return dict(depths=depths, **{name: int(value) for name, value in fields.items()})


def network(architecture, seed, family="torch"):
    """`architecture` is timm's or torchvision's name (family torch: the library's own network), a
    "cifar:..." specification, or a PaddleClas name (family paddle: our definition of it)."""
    if architecture.startswith("cifar:"):
        net = networks.cifar(family=family, **parse_cifar(architecture))
    elif architecture.startswith(("plain:", "vd:")):
        fields = parse_cifar(architecture)
        stem = "deep" if architecture.startswith("vd:") else "7x7"
        net = networks.Res2Net(fields["depths"], fields["width"], fields["scale"], family, stem,
                               fields["planes"], fields["classes"])
    elif family == "paddle":
        net = networks.paddle_family(architecture)
    elif architecture.startswith("resnet"):
        import torchvision
        net = getattr(torchvision.models, architecture)(weights=None)
    else:
        import timm
        net = timm.create_model(architecture, pretrained=False)
    return set_formula_weights(net, seed)


@torch.no_grad()
def run(net, pictures):
    return net(torch.from_numpy(pictures)).numpy()


def versions():
    from importlib.metadata import version
    return {name: version(name) for name in ("torch", "torchvision", "timm")}


def main(out, architecture, seed, batch, *sizes):
    from safetensors.torch import save_file
    net = network(architecture, int(seed))
    torch.save(net.state_dict(), os.path.join(out, "weights.pth"))
    save_file(net.state_dict(), os.path.join(out, "weights.safetensors"))
    for size in sizes:
        height, width = map(int, size.split("x"))
        logits = run(net, formula.picture(int(batch), 3, height, width, int(seed)))
        np.save(os.path.join(out, f"logits_{size}.npy"), logits)


if __name__ == "__main__":
    main(*sys.argv[1:])
