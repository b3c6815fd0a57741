# SPDX-License-Identifier: Apache-2.0
"""One peer engine with one network, precision and thread count, as a process that answers requests,
a JSON line each, so that engines can take turns without being loaded anew.

peer_worker.py ENGINE FOLDER ARCHITECTURE PRECISION THREADS
    {"logits": IN.npy, "to": OUT.npy} -> {"isa": ...}   runs batches of 8, writes the logits
    {"batch": N, "seconds": S}        -> {"ms": [...]}  runs noise for S seconds, 3 times at least
The first line says {"version": ...}; {"failed": ...} in an answer's place says why there is none.
"""
import collections
import json
import os
import sys
import time

import numpy as np


class Onnxruntime:
    def __init__(self, folder, architecture, precision, threads):
        import onnxruntime
        self.library, self.threads = onnxruntime, threads
        self.file = os.path.join(folder, architecture + ".onnx")
        self.version, self.isa = onnxruntime.__version__, ""

    def prepare(self, batch):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_free_dimension_override_by_name("batch", batch)
        session = self.library.InferenceSession(self.file, options, ["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})[0]


class Openvino:
    def __init__(self, folder, architecture, precision, threads):
        import openvino
        self.library, self.threads, self.precision = openvino, threads, precision
        end = ".int8.xml" if precision == "int8" else ".onnx"
        self.file = os.path.join(folder, architecture + end)
        self.version, self.isa = openvino.__version__.split("-")[0], ""

    def _hint(self):
        """What int8 leaves in floating point runs in bf16 where that is fast, as is its default."""
        if self.precision != "int8":
            return self.precision
        with open("/proc/cpuinfo", encoding="ascii", errors="replace") as file:
            return "bf16" if "amx_bf16" in file.read().split() else "f32"

    def prepare(self, batch):
        core = self.library.Core()
        model = core.read_model(self.file)
        model.reshape([batch, 3, 224, 224])
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": self._hint(), "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads})
        self._check(compiled)
        request = compiled.create_infer_request()

        def run(x):
            request.infer({0: x}, share_inputs=True)
            return request.get_output_tensor(0).data
        return run

    def _check(self, compiled):
        """The precision that most convolutions have must be the one asked for: a hint is a hint."""
        facts = [op.get_rt_info() for op in compiled.get_runtime_model().get_ordered_ops()]
        kinds = collections.Counter(
            (fact["primitiveType"].astype(str), fact["runtimePrecision"].astype(str))
            for fact in facts if fact["layerType"].astype(str) == "Convolution")
        self.isa, precision = kinds.most_common(1)[0][0]
        if precision not in {"int8": ("u8", "i8")}.get(self.precision, (self.precision,)):
            raise RuntimeError(f"OpenVINO runs {precision}, not {self.precision}")


class Pytorch:
    """Eager, as most people run it; NCHW, which was the faster of the two layouts in f32."""

    def __init__(self, folder, architecture, precision, threads):
        import torch
        from safetensors.torch import load_file
        import make_models
        torch.set_num_threads(threads)
        self.torch, self.version = torch, torch.__version__.split("+")[0]
        self.isa = torch.backends.cpu.get_cpu_capability()
        self.net = make_models.network(architecture)
        self.net.load_state_dict(load_file(os.path.join(folder, architecture + ".safetensors")))
        self.type = torch.bfloat16 if precision == "bf16" else torch.float32
        self.net.to(self.type)

    def prepare(self, batch):
        def run(x):
            with self.torch.inference_mode():
                return self.net(self.torch.from_numpy(x).to(self.type)).float().numpy()
        return run


class Paddle:
    def __init__(self, folder, architecture, precision, threads):
        import paddle
        from paddle import inference
        path = os.path.join(folder, architecture + ".paddle", "net")
        self.version, self.isa = paddle.__version__, ""
        config = inference.Config(path + ".json", path + ".pdiparams")
        config.disable_gpu()
        config.disable_glog_info()
        config.enable_mkldnn()
        config.set_cpu_math_library_num_threads(threads)
        if precision == "bf16":
            config.enable_mkldnn_bfloat16()
        self.predictor = inference.create_predictor(config)

    def prepare(self, batch):
        feed = self.predictor.get_input_handle(self.predictor.get_input_names()[0])
        fetch = self.predictor.get_output_handle(self.predictor.get_output_names()[0])

        def run(x):
            feed.copy_from_cpu(x)
            self.predictor.run()
            return fetch.copy_to_cpu()
        return run


class Ncnn:
    """Has no batches: the pictures of one follow each other."""

    def __init__(self, folder, architecture, precision, threads):
        import ncnn
        self.library, self.version, self.isa = ncnn, ncnn.__version__, ""
        self.net = ncnn.Net()
        self.net.opt.num_threads = threads
        for reduced in ("use_fp16_packed", "use_fp16_storage", "use_fp16_arithmetic",
                        "use_bf16_storage"):
            setattr(self.net.opt, reduced, False)
        path = os.path.join(folder, architecture + ".ncnn")
        if self.net.load_param(path + ".param") or self.net.load_model(path + ".bin"):
            raise RuntimeError(f"ncnn does not take {path}")

    def _one(self, picture):
        with self.net.create_extractor() as extractor:
            extractor.input("in0", self.library.Mat(picture))
            return np.array(extractor.extract("out0")[1])

    def prepare(self, batch):
        return lambda x: np.stack([self._one(picture) for picture in x])


ENGINES = {"onnxruntime": Onnxruntime, "openvino": Openvino, "pytorch": Pytorch, "paddle": Paddle,
           "ncnn": Ncnn}


def measure(run, batch, seconds):
    noise = (np.random.RandomState(0).random_sample((batch, 3, 224, 224)) * 4 - 2)
    noise = noise.astype(np.float32)
    run(noise)
    times, end = [], time.perf_counter() + seconds
    while len(times) < 3 or time.perf_counter() < end:
        start = time.perf_counter()
        run(noise)
        times.append((time.perf_counter() - start) * 1000)
    return times


class Requests:
    def __init__(self, engine):
        self.engine, self.prepared = engine, {}

    def prepare(self, batch):
        if batch not in self.prepared:
            self.prepared[batch] = self.engine.prepare(batch)
        return self.prepared[batch]

    def answer(self, request):
        if "logits" not in request:
            batch = request["batch"]
            return {"ms": measure(self.prepare(batch), batch, request["seconds"])}
        pictures = np.load(request["logits"])
        run = self.prepare(8)
        np.save(request["to"], np.concatenate([np.array(run(pictures[i:i + 8]))
                                               for i in range(0, len(pictures), 8)]))
        return {"isa": self.engine.isa}


def main():
    name, folder, architecture, precision, threads = sys.argv[1:]
    answers = os.fdopen(os.dup(1), "w")  # the engines' own words go elsewhere
    os.dup2(2, 1)

    def say(answer):
        print(json.dumps(answer), file=answers, flush=True)
    try:
        requests = Requests(ENGINES[name](folder, architecture, precision, int(threads)))
        say({"version": requests.engine.version})
        for line in sys.stdin:
            say(requests.answer(json.loads(line)))
    except Exception as reason:  # noqa: BLE001, whatever the engine throws is told, and ends it
        say({"failed": f"{type(reason).__name__}: {reason}".splitlines()[0]})
        raise


if __name__ == "__main__":
    main()
