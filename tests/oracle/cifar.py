# SPDX-License-Identifier: Apache-2.0
"""A real trained network on real pictures: the small CIFAR-100 classifier, whose answers on the
10,000 test pictures are known from PyTorch. Runs in the environment `pictures`."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np
from PIL import Image

import command

TOP1, TOP5, PICTURES = 5598, 8446, 10000
RECORD = 2 + 3072  # coarse label, fine label, R, G and B planes
MEAN, DEVIATION = (0.5071, 0.4865, 0.4409), (0.2673, 0.2564, 0.2762)


def normalised(records):
    """What transforms.yaml asks for, in float32: value * (1/255), minus mean, by deviation."""
    pixels = records[:, 2:].reshape(-1, 3, 32, 32).astype(np.float32) * np.float32(1.0 / 255.0)
    mean, deviation = (np.array(v, np.float32).reshape(1, 3, 1, 1) for v in (MEAN, DEVIATION))
    return (pixels - mean) / deviation


def write_pictures(records, folder):
    """PNG files and their list."""
    names = []
    for i, record in enumerate(records):
        names.append(f"{i:04}.png {record[1]}\n")
        pixels = record[2:].reshape(3, 32, 32).transpose(1, 2, 0)
        Image.fromarray(pixels).save(os.path.join(folder, f"{i:04}.png"))
    list_file = os.path.join(folder, "list.txt")
    with open(list_file, "w", encoding="ascii") as file:
        file.writelines(names)
    return list_file


def evaluates_exactly(res2net, model, test_file):
    out = command.run(res2net, "eval", *model, "--list", test_file, "--format", "json")
    answer = json.loads(out)
    got = tuple(answer[name] for name in ("images", "top1_correct", "top5_correct"))
    if got != (PICTURES, TOP1, TOP5):
        raise ValueError(f"images, top-1, top-5 are {got}, not {(PICTURES, TOP1, TOP5)}")
    return True


def logits_agree(res2net, arguments, expected, folder):
    file = os.path.join(folder, "logits.npy")
    if os.path.exists(file):
        os.remove(file)
    command.run(res2net, "predict", *arguments, "--dump-logits", file)
    found = command.error(np.load(file), expected)
    if found > command.TOLERANCE:
        raise ValueError(f"{found:.2e} of the largest logit")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"),
                        help="the folder with data/ and bootstrap/")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "cifar.log"))
    options = parser.parse_args()
    bootstrap = os.path.join(options.shared, "bootstrap")
    unpack = os.path.join(options.shared, "data", "unpack_cifar100.py")
    for needed in (bootstrap, unpack):
        if not os.path.exists(needed):
            raise SystemExit(f"{needed} is absent: give --shared FOLDER")
    score = command.Score(options.log)
    res2net = options.res2net
    expected = np.load(os.path.join(bootstrap, "logits.npy"))
    transforms = ("--transforms", os.path.join(bootstrap, "transforms.yaml"))
    stem = os.path.join(bootstrap, "res2net20_26w_4s_cifar")
    models = {"embedded default": ()}
    for form in (".pth", ".safetensors"):
        models[form] = ("--weights", stem + form, *transforms)
    with tempfile.TemporaryDirectory(prefix="res2net-cifar-") as folder:
        subprocess.run([sys.executable, unpack, folder], check=True)
        test_file = os.path.join(folder, "test.bin")
        records = np.fromfile(test_file, np.uint8).reshape(-1, RECORD)
        first = write_pictures(records[:len(expected)], folder)
        ready = os.path.join(folder, "ready.npy")
        np.save(ready, normalised(records[:len(expected)]))
        converted = os.path.join(folder, "network.r2n")
        score.attempt("convert .pth with --transforms to .r2n", lambda: command.run(
            res2net, "convert", stem + ".pth", converted, *transforms) is not None)
        models[".r2n"] = ("-m", converted)
        for name, model in models.items():
            for threads in ("1", "2"):
                score.attempt(f"{name}, {threads} threads: top-1 {TOP1}, top-5 {TOP5} of "
                              f"{PICTURES}", evaluates_exactly, res2net,
                              (*model, "--threads", threads), test_file)
            score.attempt(f"{name}: logits of {len(expected)} PNG files",
                          logits_agree, res2net, (*model, "--list", first), expected, folder)
            score.attempt(f"{name}: logits of {len(expected)} ready tensors", logits_agree,
                          res2net, (*model, "--input-npy", ready), expected, folder)
        for isa in ("reference", *command.fast_isas()):
            score.attempt(f".pth, --isa {isa}: logits of {len(expected)} pictures", logits_agree,
                          res2net, (*models[".pth"], "--list", first, "--isa", isa), expected,
                          folder)
    score.finish()


if __name__ == "__main__":
    main()
