# SPDX-License-Identifier: Apache-2.0
"""Real PaddleClas networks with formula weights. Runs in the environment `paddle`.

paddle_reference.py OUT ARCHITECTURE SEED BATCH HEIGHTxWIDTH...
    writes OUT/weights.pdparams and, for each size, OUT/logits_HEIGHTxWIDTH.npy
paddle_reference.py --read FILE.pdparams OUT.npz
    writes what paddle.load reads as arrays, for comparing
paddle_reference.py --forms OUT ARCHITECTURE SEED
    writes OUT/protocol2.pdparams, protocol3, protocol4, and plain.pdparams (no name table), wrapped
    (a checkpoint around tensors), odd (Fortran order, big-endian, protocol 5), pieces (as beyond 1 GiB)
paddle_reference.py --export OUT ARCHITECTURE SEED CLASSES SOFTMAX
    writes OUT/inference.* as tools/export_model.py does, and OUT/weights.pdparams. With
    FLAGS_enable_pir_api=0 in the environment a .pdmodel, with 1 a .json
paddle_reference.py --to-onnx PROGRAM PARAMETERS OUT.onnx OPSET
    what paddle2onnx makes of an inference model (of the environment `import`, in PYTHONPATH)
"""
import functools
import os
import pickle
import sys
import warnings

warnings.filterwarnings("ignore", message="No ccache found")
os.environ.setdefault("GLOG_minloglevel", "2")

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, HERE)
sys.path.insert(0, os.path.join(HERE, "..", "golden"))

import numpy as np  # noqa: E402

import formula  # noqa: E402
import make_weights  # noqa: E402
import names  # noqa: E402


@functools.lru_cache(maxsize=None)
def _import_paddleclas():
    """The package keeps its modules under its own folder and imports them from the top. Once only:
    with that folder on the path, `paddleclas` is a file in it."""
    import importlib.util
    where = importlib.util.find_spec("paddleclas").submodule_search_locations[0]
    sys.path.insert(0, where)
    from ppcls.arch.backbone.model_zoo import res2net, res2net_vd
    return res2net, res2net_vd


def network(architecture, seed, classes=1000):
    """A PaddleClas network in evaluation mode, all its tensors from the formula."""
    import paddle
    plain, vd = _import_paddleclas()
    module = vd if names.PADDLE[architecture][0] else plain
    with paddle.utils.unique_name.guard("res2net"):
        net = getattr(module, architecture)(class_num=classes)
    state = net.state_dict()
    pairs = names.paddle_to_torch(architecture)
    if [theirs for theirs, _ in pairs] != list(state):
        raise SystemExit(f"the name map and {architecture}'s state dict differ")
    for theirs, ours in pairs:
        shape = list(state[theirs].shape)
        if ours == "fc.weight":
            value = np.ascontiguousarray(formula.fill(ours, shape[::-1], seed).T)
        else:
            value = formula.fill(ours, shape, seed)
        state[theirs].set_value(value)
    net.eval()
    return net


def run(net, pictures):
    import paddle
    with paddle.no_grad():
        return np.ascontiguousarray(net(paddle.to_tensor(pictures)).numpy())


def versions():
    from importlib.metadata import version
    return {name: version(name) for name in ("paddlepaddle", "paddleclas")}


def _read(path, out):
    """The arrays of paddle.load, and the table of parameter names that it drops."""
    import paddle
    state = paddle.load(path, return_numpy=True)
    arrays = {name: np.asarray(value) for name, value in state.items()}
    arrays["order"] = np.array(list(state))
    with open(path, "rb") as file:
        table = pickle.load(file, encoding="latin1")["StructuredToParameterName@@"]
    arrays["table"] = np.array([f"{key}={table[key]}" for key in sorted(table)])
    np.savez(out, **arrays)


def _write_forms(out, architecture, seed):
    """One network in the forms that paddle.save has had."""
    import paddle
    state = network(architecture, int(seed)).state_dict()
    for protocol in (2, 3, 4):
        paddle.save(state, os.path.join(out, f"protocol{protocol}.pdparams"), protocol=protocol)
    paddle.save({"epoch": 3, "model": state}, os.path.join(out, "wrapped.pdparams"))
    arrays = {name: value.numpy() for name, value in state.items()}
    for name, value, protocol in (("plain", arrays, 4),
                                  ("odd", make_weights.odd_arrays(arrays), 5),
                                  ("pieces", make_weights.in_pieces(arrays, 500000), 2)):
        path = os.path.join(out, name + ".pdparams")
        with open(path, "wb") as file:
            pickle.dump(value, file, protocol=protocol)
        theirs = paddle.load(path, return_numpy=True)
        if any(not np.array_equal(theirs[key], array) for key, array in arrays.items()):
            raise SystemExit(f"paddle.load reads other numbers from {name}.pdparams")


def _export(out, architecture, seed, classes, softmax):
    """PaddleClas' ExportModel in short: the net under `base_model`, and a softmax behind it."""
    import paddle

    class ExportModel(paddle.nn.Layer):
        def __init__(self, net):
            super().__init__()
            self.base_model = net

        def forward(self, x):
            scores = self.base_model(x)
            return paddle.nn.functional.softmax(scores, axis=-1) if softmax else scores

    net = network(architecture, seed, classes)
    model = ExportModel(net)
    model.eval()
    picture = paddle.static.InputSpec([None, 3, 224, 224], "float32", "x")
    paddle.jit.save(paddle.jit.to_static(model, input_spec=[picture]),
                    os.path.join(out, "inference"))
    paddle.save(net.state_dict(), os.path.join(out, "weights.pdparams"))


def _to_onnx(program, parameters, out, opset):
    import paddle2onnx
    paddle2onnx.export(program, parameters, out, opset_version=int(opset), optimize_tool="None")


def _write(out, architecture, seed, batch, sizes):
    import paddle
    net = network(architecture, seed)
    paddle.save(net.state_dict(), os.path.join(out, "weights.pdparams"))
    for size in sizes:
        height, width = map(int, size.split("x"))
        logits = run(net, formula.picture(batch, 3, height, width, seed))
        np.save(os.path.join(out, f"logits_{size}.npy"), logits)


def main(arguments):
    if arguments[0] == "--read":
        _read(*arguments[1:])
    elif arguments[0] == "--export":
        out, architecture, seed, classes, softmax = arguments[1:]
        _export(out, architecture, int(seed), int(classes), int(softmax))
    elif arguments[0] == "--to-onnx":
        _to_onnx(*arguments[1:])
    elif arguments[0] == "--forms":
        _write_forms(*arguments[1:])
    else:
        out, architecture, seed, batch, *sizes = arguments
        _write(out, architecture, int(seed), int(batch), sizes)


if __name__ == "__main__":
    main(sys.argv[1:])
