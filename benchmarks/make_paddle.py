# SPDX-License-Identifier: Apache-2.0
"""The benchmark's networks as Paddle inference models: the network of PaddleClas itself (Paddle's
own for a ResNet), with the weights of make_models.py. Runs in the environment `paddle`.

make_paddle.py OUT ARCHITECTURE...
    OUT/ARCHITECTURE.paddle/net.json and net.pdiparams, whose batch is dynamic
"""
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path[:0] = [os.path.join(HERE, "..", "tests", name) for name in ("oracle", "golden")]

import numpy as np  # noqa: E402
import paddle  # noqa: E402

import formula  # noqa: E402
import names  # noqa: E402
import paddle_reference  # noqa: E402

SEED = 10
_THEIRS = {"_mean": "running_mean", "_variance": "running_var"}


def resnet(architecture):
    """Paddle's ResNets have torchvision's tensor names but for a batch norm's statistics."""
    net = getattr(paddle.vision.models, architecture)(pretrained=False)
    for name, tensor in net.state_dict().items():
        module, _, last = name.rpartition(".")
        name = f"{module}.{_THEIRS.get(last, last)}"
        if name == "fc.weight":
            value = np.ascontiguousarray(formula.fill(name, tensor.shape[::-1], SEED).T)
        else:
            value = formula.fill(name, tensor.shape, SEED)
        tensor.set_value(value)
    net.eval()
    return net


def make(out, architecture):
    path = os.path.join(out, architecture + ".paddle", "net")
    if os.path.exists(path + ".pdiparams"):
        return
    own = architecture in names.PADDLE
    net = paddle_reference.network(architecture, SEED) if own else resnet(architecture)
    shape = paddle.static.InputSpec([-1, 3, 224, 224], "float32", "x")
    paddle.jit.save(net, path, input_spec=[shape])


if __name__ == "__main__":
    for name in sys.argv[2:]:
        make(sys.argv[1], name)
