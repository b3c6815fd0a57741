# SPDX-License-Identifier: Apache-2.0
"""Files of formula weights in the libraries' own formats, made once and kept: .oracle/onnx-work has
those of the comparisons of exports."""
import os
import subprocess
import tempfile

import command

HERE = os.path.dirname(os.path.abspath(__file__))
FOLDER = os.path.join(command.ROOT, ".oracle", "onnx-work")


def file_of(environment, name, seed, folder=FOLDER):
    """`environment` is paddle (a .pdparams, of PaddleClas' networks) or torch (a .safetensors)."""
    title = name.replace(":", "-").replace(",", "-").replace("=", "")
    place = os.path.join(folder, f"{environment}-{title}-{seed}")
    path = os.path.join(place, "weights." + ("pdparams" if environment == "paddle"
                                             else "safetensors"))
    if not os.path.exists(path):
        os.makedirs(folder, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder) as scratch:
            script = os.path.join(HERE, f"{environment}_reference.py")
            subprocess.run([command.environment_python(environment), script, scratch, name,
                            str(seed), "1"], check=True)
            os.makedirs(place, exist_ok=True)
            os.replace(os.path.join(scratch, os.path.basename(path)), path)
    return path
