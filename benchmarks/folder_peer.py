# SPDX-License-Identifier: Apache-2.0
"""The peer of `res2net predict --list`: OpenVINO, with OpenCV decoding and resizing in a pool of
threads while the network runs. Runs in the environment `openvino`.

folder_peer.py MODEL LIST ROOT PRECISION BATCH THREADS HINT [LOGITS.npy]
    HINT: LATENCY (all threads on a batch) or THROUGHPUT (batches side by side)
Prints {"version": ..., "seconds": from the first file to the last answer, "top1": [class]}; loading
the libraries and the model is not counted.
"""
import collections
import concurrent.futures
import json
import os
import sys
import time

import cv2
import numpy as np
import openvino

MEAN = np.array([0.485, 0.456, 0.406], np.float32) * 255
SCALE = 1 / (np.array([0.229, 0.224, 0.225], np.float32) * 255)
AHEAD = 4  # batches that are decoded before they are needed


def prepare(path):
    """The preset `paddle`: the short side to 256, the middle 224x224, normalised, CHW in RGB."""
    picture = cv2.imread(path, cv2.IMREAD_COLOR)
    height, width = picture.shape[:2]
    factor = 256 / min(height, width)
    size = (round(width * factor), round(height * factor))
    picture = cv2.resize(picture, size, interpolation=cv2.INTER_LINEAR)
    top, left = (size[1] - 224) // 2, (size[0] - 224) // 2
    picture = cv2.cvtColor(picture[top:top + 224, left:left + 224], cv2.COLOR_BGR2RGB)
    return ((picture.astype(np.float32) - MEAN) * SCALE).transpose(2, 0, 1)


def decoded(paths, batch, pool):
    """Arrays of `batch` pictures in the list's order, some batches ahead; the last is filled up."""
    waiting = collections.deque()
    rest = iter(paths)
    while True:
        while len(waiting) < AHEAD * batch and (path := next(rest, None)) is not None:
            waiting.append(pool.submit(prepare, path))
        if not waiting:
            return
        pictures = [waiting.popleft().result() for _ in range(min(batch, len(waiting)))]
        yield np.stack(pictures + pictures[-1:] * (batch - len(pictures)))


def compile_model(file, precision, batch, threads, hint):
    core = openvino.Core()
    model = core.read_model(file)
    model.reshape([batch, 3, 224, 224])
    return core.compile_model(model, "CPU", {
        "INFERENCE_PRECISION_HINT": precision, "PERFORMANCE_HINT": hint,
        "INFERENCE_NUM_THREADS": threads})


def main():
    file, names, root, precision, batch, threads, hint = sys.argv[1:8]
    batch, threads = int(batch), int(threads)
    with open(names, encoding="utf-8") as lines:
        paths = [os.path.join(root, line.rsplit(None, 1)[0]) for line in lines if line.strip()]
    cv2.setNumThreads(0)  # the pool has a thread a core already
    compiled = compile_model(file, precision, batch, threads, hint)
    queue = openvino.AsyncInferQueue(compiled)
    logits = np.empty((-(-len(paths) // batch) * batch, 1000), np.float32)

    def keep(request, first):
        logits[first:first + batch] = request.get_output_tensor(0).data
    queue.set_callback(keep)
    noise = np.zeros((batch, 3, 224, 224), np.float32)
    for _ in range(len(queue)):  # each request has run once: warm
        queue.start_async({0: noise}, 0)
    queue.wait_all()
    begin = time.perf_counter()
    with concurrent.futures.ThreadPoolExecutor(threads) as pool:
        for number, pictures in enumerate(decoded(paths, batch, pool)):
            queue.start_async({0: pictures}, number * batch)
    queue.wait_all()
    top1 = logits[:len(paths)].argmax(1)
    seconds = time.perf_counter() - begin
    if len(sys.argv) > 8:
        np.save(sys.argv[8], logits[:len(paths)])
    print(json.dumps({"version": openvino.__version__.split("-")[0], "seconds": seconds,
                      "top1": top1.tolist()}))


if __name__ == "__main__":
    main()
