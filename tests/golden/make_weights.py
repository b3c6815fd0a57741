#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Make tests/golden/weights: one tiny net, saved by the real Paddle, PyTorch and safetensors.

    python make_weights.py paddle    (paddlepaddle==3.3.1, numpy 2.4.6; tiny_wrapped, tiny_odd and
                                      tiny_pieces.pdparams with numpy 1.24.4, of other module names)
    python make_weights.py torch     (torch==2.15.0, numpy 1.26.4, safetensors; tiny_legacy_half.pth and
                                      tiny_big_endian.pth with numpy 2.4.6)

The net is "cifar:planes=4,depths=1-1-1,width=32,scale=2,classes=3"; its numbers are formula.py's
with seed 11. In the "half" files tensors number 0, 3, 6, ... are f16, 1, 4, ... are bf16, 2, 5, ...
are f64, each rounded from the formula's. tiny_big_endian.pth is tiny_half.pth as a big-endian machine
writes it: every storage swapped by the format's definition, and read back by the real torch.load. The
arrays of tiny_pieces.pdparams are split as paddle.save splits them beyond 1 GiB; paddle.load reads it.
"""
import argparse
import collections
import os
import pickle
import sys
import zipfile

import numpy as np

import formula

FOLDER = os.path.join(os.path.dirname(os.path.abspath(__file__)), "weights")
PLANES, WIDTH, CLASSES, SEED = 4, 2, 3, 11
FIELDS = [("weight", "weight"), ("bias", "bias"), ("running_mean", "_mean"),
          ("running_var", "_variance")]


def units():
    """(torch convolution, torch batch norm, Paddle unit, outputs, inputs, kernel)"""
    yield "conv1", "bn1", "conv1", PLANES, 3, 3
    inputs = PLANES
    for stage in range(3):
        torch, paddle = f"layer{stage + 1}.0", f"bb_{stage}_0"
        width, outputs = WIDTH << stage, 4 * PLANES << stage
        yield f"{torch}.conv1", f"{torch}.bn1", f"{paddle}.conv0", 2 * width, inputs, 1
        yield (f"{torch}.convs.0", f"{torch}.bns.0", f"{paddle}.res{stage + 2}a_branch2b_1",
               width, width, 3)
        yield f"{torch}.conv3", f"{torch}.bn3", f"{paddle}.conv2", outputs, 2 * width, 1
        yield (f"{torch}.downsample.0", f"{torch}.downsample.1", f"{paddle}.short", outputs,
               inputs, 1)
        inputs = outputs


def tensors():
    """(torch name, Paddle name, array) in Paddle's order and canonical layout."""
    for convolution, norm, paddle, outputs, inputs, kernel in units():
        name = f"{convolution}.weight"
        yield (name, f"{paddle}._conv.weight",
               formula.fill(name, (outputs, inputs, kernel, kernel), SEED))
        for torch_field, paddle_field in FIELDS:
            name = f"{norm}.{torch_field}"
            yield (name, f"{paddle}._batch_norm.{paddle_field}",
                   formula.fill(name, (outputs,), SEED))
    features = 16 * PLANES
    yield "fc.weight", "out.weight", formula.fill("fc.weight", (CLASSES, features), SEED)
    yield "fc.bias", "out.bias", formula.fill("fc.bias", (CLASSES,), SEED)


def dump(value, name, protocol):
    with open(os.path.join(FOLDER, name), "wb") as file:
        pickle.dump(value, file, protocol=protocol)


def odd_arrays(arrays):
    """Fortran order, big-endian, f64 and plain f32 in turn."""
    forms = (np.asfortranarray, lambda a: a.astype(">f4"), lambda a: a.astype(np.float64),
             lambda a: a)
    return {name: forms[number % 4](value) for number, (name, value) in enumerate(arrays.items())}


def in_pieces(arrays, limit):
    """As paddle.save writes arrays of more than `limit` elements with protocols 2 and 3 (there it
    is 1 GiB): flat pieces, and a table of what belongs together."""
    out, table = {}, {}
    for name, value in arrays.items():
        if value.size <= limit:
            out[name] = value
            continue
        flat = value.flatten()
        pieces = {f"{name}@@.{at // limit}": flat[at:at + limit]
                  for at in range(0, flat.size, limit)}
        table[name] = {"OriginShape": value.shape, "slices": list(pieces)}
        out.update(pieces)
    out["UnpackBigParamInfor@@"] = table
    return out


def make_paddle():
    import paddle
    state = collections.OrderedDict()
    for _, name, array in tensors():
        state[name] = paddle.to_tensor(array.T.copy() if name == "out.weight" else array)
    paddle.save(state, os.path.join(FOLDER, "tiny.pdparams"))
    paddle.save(state, os.path.join(FOLDER, "tiny_protocol2.pdparams"), protocol=2)
    paddle.save({"epoch": 3, "model": state}, os.path.join(FOLDER, "tiny_wrapped.pdparams"))
    arrays = {name: value.numpy() for name, value in state.items()}
    dump(odd_arrays(arrays), "tiny_odd.pdparams", 5)
    dump(in_pieces(arrays, 100), "tiny_pieces.pdparams", 3)
    for name in ("tiny_odd.pdparams", "tiny_pieces.pdparams"):
        theirs = paddle.load(os.path.join(FOLDER, name), return_numpy=True)
        for key, value in arrays.items():
            if not np.array_equal(theirs[key], value):
                raise SystemExit(f"paddle.load reads another {key} from {name}")
    print("paddle", paddle.__version__, "numpy", np.__version__)


def torch_state(torch, prefix=""):
    state = collections.OrderedDict()
    for name, _, array in tensors():
        state[prefix + name] = torch.from_numpy(array.copy())
        if name.endswith(".running_var"):
            tracked = name.replace("running_var", "num_batches_tracked")
            state[prefix + tracked] = torch.tensor(5)
    return state


def half_state(torch):
    """Other types, a view that is not contiguous, and two tensors in one storage."""
    types = (torch.float16, torch.bfloat16, torch.float64)
    state = collections.OrderedDict()
    for number, (name, _, array) in enumerate(tensors()):
        state[name] = torch.from_numpy(array.copy()).to(types[number % 3])
    state["fc.weight"] = state["fc.weight"].t().contiguous().t()
    both = torch.cat([state["conv1.weight"].flatten(), state["conv1.weight"].flatten()])
    size = state["conv1.weight"].numel()
    state["conv1.weight"] = both[size:].view(state["conv1.weight"].shape)
    return state


def swap_archive(torch, source, target):
    """The archive of a big-endian machine; torch.load must find the same numbers in both."""
    state = torch.load(source, weights_only=False)  # our own, protocol 4
    widths = {str(number): value.element_size() for number, value in enumerate(state.values())}
    with zipfile.ZipFile(source) as old, zipfile.ZipFile(target, "w") as new:
        for entry in old.infolist():
            data = old.read(entry)
            kind, key = entry.filename.rsplit("/", 2)[-2:]
            if kind == "data":
                data = np.frombuffer(data, f"u{widths[key]}").byteswap().tobytes()
            elif key == "byteorder":
                data = b"big"
            new.writestr(zipfile.ZipInfo(entry.filename), data)
    swapped = torch.load(target, weights_only=False)
    assert all(torch.equal(swapped[name], value) for name, value in state.items())


def make_torch():
    import safetensors
    import safetensors.torch
    import torch

    def path(name):
        return os.path.join(FOLDER, name)

    plain = torch_state(torch)
    torch.save(plain, path("tiny.pth"))
    torch.save(plain, path("tiny_legacy.pth"), _use_new_zipfile_serialization=False)
    torch.save(half_state(torch), path("tiny_half.pth"), pickle_protocol=4)
    torch.save(half_state(torch), path("tiny_legacy_half.pth"), pickle_protocol=4,
               _use_new_zipfile_serialization=False)
    swap_archive(torch, path("tiny_half.pth"), path("tiny_big_endian.pth"))
    torch.save({"epoch": 3, "arch": "tiny", "state_dict": {"module.conv1.weight": torch.zeros(1)},
                "state_dict_ema": torch_state(torch, "module._orig_mod."),
                "optimizer": {"state": {0: {"momentum_buffer": torch.zeros(2)}},
                              "param_groups": [{"lr": 0.1, "nesterov": True, "params": [0]}]},
                "args": argparse.Namespace(lr=0.1, model="tiny"), "metric": np.float64(1.5)},
               path("tiny_checkpoint.pth"))
    safetensors.torch.save_file(plain, path("tiny.safetensors"), {"format": "pt"})
    safetensors.torch.save_file({k: v.contiguous() for k, v in half_state(torch).items()},
                                path("tiny_half.safetensors"))
    print("torch", torch.__version__, "numpy", np.__version__,
          "safetensors", safetensors.__version__)


if __name__ == "__main__":
    os.makedirs(FOLDER, exist_ok=True)
    {"paddle": make_paddle, "torch": make_torch}[sys.argv[1]]()
