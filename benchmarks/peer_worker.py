# SPDX-License-Identifier: Apache-2.0
"""One peer engine with one network and one thread count, as a process that answers requests, a JSON
line each, so that engines can take turns without being loaded anew.

peer_worker.py ENGINE FOLDER ARCHITECTURE THREADS       ENGINE: onnxruntime, openvino, pytorch
    {"logits": IN.npy, "to": OUT.npy} -> {}             runs a batch, writes its logits
    {"batch": N, "seconds": S}        -> {"ms": [...]}  runs noise for S seconds, 3 times at least
"""
import json
import os
import sys
import time

import numpy as np


class Onnxruntime:
    def __init__(self, folder, architecture, threads):
        import onnxruntime
        self.library, self.threads = onnxruntime, threads
        self.file = os.path.join(folder, architecture + ".onnx")
        self.version = onnxruntime.__version__

    def prepare(self, batch):
        options = self.library.SessionOptions()
        options.intra_op_num_threads = self.threads
        options.inter_op_num_threads = 1
        options.add_free_dimension_override_by_name("batch", batch)
        session = self.library.InferenceSession(self.file, options, ["CPUExecutionProvider"])
        return lambda x: session.run(None, {"x": x})[0]


class Openvino:
    def __init__(self, folder, architecture, threads):
        import openvino
        self.library, self.threads = openvino, threads
        self.file = os.path.join(folder, architecture + ".onnx")
        self.version = openvino.__version__.split("-")[0]

    def prepare(self, batch):
        core = self.library.Core()
        model = core.read_model(self.file)
        model.reshape([batch, 3, 224, 224])
        compiled = core.compile_model(model, "CPU", {
            "INFERENCE_PRECISION_HINT": "f32", "PERFORMANCE_HINT": "LATENCY",
            "INFERENCE_NUM_THREADS": self.threads})
        request = compiled.create_infer_request()

        def run(x):
            request.infer({0: x}, share_inputs=True)
            return request.get_output_tensor(0).data
        return run


class Pytorch:
    def __init__(self, folder, architecture, threads):
        sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "tests",
                                        "oracle"))
        import torch
        import torch_reference
        from safetensors.torch import load_file
        torch.set_num_threads(threads)
        self.torch, self.version = torch, torch.__version__.split("+")[0]
        self.net = torch_reference.network(architecture, 0, "paddle")
        self.net.load_state_dict(load_file(os.path.join(folder, architecture + ".safetensors")))

    def prepare(self, batch):
        def run(x):
            with self.torch.inference_mode():
                return self.net(self.torch.from_numpy(x)).numpy()
        return run


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


def main():
    name, folder, architecture, threads = sys.argv[1:]
    engine = {"onnxruntime": Onnxruntime, "openvino": Openvino,
              "pytorch": Pytorch}[name](folder, architecture, int(threads))
    prepared = {}

    def prepare(batch):
        if batch not in prepared:
            prepared[batch] = engine.prepare(batch)
        return prepared[batch]

    answers = os.fdopen(os.dup(1), "w")  # the engines' own words go elsewhere
    os.dup2(2, 1)
    print(json.dumps({"version": engine.version}), file=answers, flush=True)
    for line in sys.stdin:
        request = json.loads(line)
        answer = {}
        if "logits" in request:
            pictures = np.load(request["logits"])
            np.save(request["to"], prepare(len(pictures))(pictures))
        else:
            answer["ms"] = measure(prepare(request["batch"]), request["batch"],
                                   request["seconds"])
        print(json.dumps(answer), file=answers, flush=True)


if __name__ == "__main__":
    main()
