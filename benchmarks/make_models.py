# SPDX-License-Identifier: Apache-2.0
"""One network for all engines: the same formula weights as a file that res2net reads and as ONNX.
Runs in the environment `torch`.

make_models.py OUT ARCHITECTURE...
    OUT/ARCHITECTURE.safetensors (torch names; Res2Nets are of the Paddle family) and
    OUT/ARCHITECTURE.onnx, whose batch is dynamic and whose batch norms torch's exporter has folded
"""
import os
import sys
import warnings

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "tests", "oracle"))

import torch  # noqa: E402
from safetensors.torch import save_file  # noqa: E402

import names  # noqa: E402
import torch_reference  # noqa: E402

SEED = 10


def network(architecture):
    """One of the five, or torchvision's ResNet."""
    family = "paddle" if architecture in names.PADDLE else "torch"
    return torch_reference.network(architecture, SEED, family)


def make(out, architecture):
    weights, graph = (os.path.join(out, architecture + end) for end in (".safetensors", ".onnx"))
    if os.path.exists(weights) and os.path.exists(graph):
        return
    net = network(architecture)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(net, (torch.zeros(1, 3, 224, 224),), graph, dynamo=False,
                          input_names=["x"], output_names=["logits"],
                          dynamic_axes={"x": {0: "batch"}, "logits": {0: "batch"}})
    save_file(net.state_dict(), weights)


if __name__ == "__main__":
    for name in sys.argv[2:]:
        make(sys.argv[1], name)
