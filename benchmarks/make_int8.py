# SPDX-License-Identifier: Apache-2.0
"""OpenVINO's int8: NNCF's post-training quantisation, its defaults, of the benchmark's ONNX files.
Runs in the environment `openvino`.

make_int8.py OUT INPUTS.npy ARCHITECTURE...
    OUT/ARCHITECTURE.int8.xml and .bin, calibrated on the pictures of INPUTS.npy (N,3,224,224)
"""
import os
import sys

import nncf
import numpy as np
import openvino


def make(out, pictures, architecture):
    path = os.path.join(out, architecture + ".int8.xml")
    if os.path.exists(path):
        return
    model = openvino.Core().read_model(os.path.join(out, architecture + ".onnx"))
    data = nncf.Dataset([picture[None] for picture in pictures])
    quantised = nncf.quantize(model, data, subset_size=len(pictures))
    openvino.save_model(quantised, path, compress_to_fp16=False)


if __name__ == "__main__":
    for name in sys.argv[3:]:
        make(sys.argv[1], np.load(sys.argv[2]), name)
