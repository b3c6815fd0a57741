#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes the golden logits in tests/golden/logits/: what the real Paddle, timm and torchvision
answer to formula pictures with formula weights (formula.py). Only the logits are stored.

make_logits.py            makes all of them anew (needs tests/oracle/environments.sh paddle torch)
make_logits.py --check    only says whether the committed files have the sha256 of index.json

index.json tells how each was made; index.txt has the same for the C test, one line a vector:
file architecture family seed batch height width classes
"""
import hashlib
import json
import os
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
ROOT = os.path.dirname(os.path.dirname(HERE))
LOGITS = os.path.join(HERE, "logits")
ORACLE = os.path.join(ROOT, "tests", "oracle")

SMALL = "cifar:planes=32,depths=2-2-2,width=26,scale=4,classes=100"  # the bootstrap network's
NARROW = "cifar:planes=16,depths=1-2-2,width=32,scale=2,classes=100"
DEEP_SCALE = "cifar:planes=64,depths=1-1-1,width=14,scale=8,classes=10"

# (by, our name, the library's name or None for the same, seed, batch, height, width)
# "definition" is tests/oracle/networks.py: the nets that no library has.
VECTORS = [
    ("paddle", "Res2Net50_26w_4s", None, 1, 2, 64, 64),
    ("paddle", "Res2Net50_26w_4s", None, 2, 2, 65, 96),
    ("paddle", "Res2Net50_vd_26w_4s", None, 3, 2, 64, 64),
    ("paddle", "Res2Net50_vd_26w_4s", None, 4, 2, 65, 96),
    ("paddle", "Res2Net50_14w_8s", None, 5, 2, 64, 64),
    ("paddle", "Res2Net50_14w_8s", None, 6, 2, 65, 96),
    ("paddle", "Res2Net101_vd_26w_4s", None, 7, 1, 64, 64),
    ("paddle", "Res2Net200_vd_26w_4s", None, 8, 1, 64, 64),
    ("torch", "Res2Net50_26w_4s", "res2net50_26w_4s", 11, 2, 64, 64),
    ("torch", "Res2Net50_26w_4s", "res2net50_26w_4s", 12, 2, 65, 96),
    ("torch", "Res2Net50_vd_26w_4s", "res2net50d", 13, 2, 64, 64),
    ("torch", "Res2Net50_vd_26w_4s", "res2net50d", 14, 2, 65, 96),
    ("torch", "Res2Net50_48w_2s", "res2net50_48w_2s", 15, 2, 64, 64),
    ("torch", "Res2Net50_14w_8s", "res2net50_14w_8s", 16, 2, 64, 64),
    ("torch", "resnet50", "resnet50", 17, 2, 64, 64),
    ("definition-torch", SMALL, None, 21, 3, 32, 32),
    ("definition-torch", SMALL, None, 22, 2, 35, 46),
    ("definition-paddle", SMALL, None, 23, 3, 32, 32),
    ("definition-torch", NARROW, None, 24, 3, 32, 32),
    ("definition-paddle", NARROW, None, 25, 2, 35, 46),
    ("definition-torch", DEEP_SCALE, None, 26, 2, 33, 32),
    ("definition-paddle", DEEP_SCALE, None, 27, 2, 32, 33),
]


def family_of(by):
    return by.rsplit("-", 1)[-1]


def file_name(by, architecture, theirs, seed, batch, height, width):
    short = (theirs or architecture).lower()
    if short.startswith("cifar:"):
        short = "cifar_" + "_".join(f.split("=")[1] for f in short[6:].split(","))
        short = short.replace("-", "")
    return f"{family_of(by)}_{short}_s{seed}_n{batch}_{height}x{width}.npy"


def work(environment):
    """Runs inside one environment: its vectors to files, its versions to standard output."""
    sys.path.insert(0, ORACLE)
    sys.path.insert(0, HERE)
    import numpy as np

    import formula
    if environment == "paddle":
        import paddle_reference as reference
    else:
        import torch_reference as reference
    for by, architecture, theirs, seed, batch, height, width in VECTORS:
        if (by == "paddle") != (environment == "paddle"):
            continue
        if by == "paddle":
            net = reference.network(architecture, seed)
        else:
            net = reference.network(theirs or architecture, seed, family_of(by))
        logits = reference.run(net, formula.picture(batch, 3, height, width, seed))
        name = file_name(by, architecture, theirs, seed, batch, height, width)
        np.save(os.path.join(LOGITS, name), logits)
        print(f"{name}: largest {np.abs(logits).max():.4f}", file=sys.stderr)
    print(json.dumps(reference.versions()))


def sha256(name):
    with open(os.path.join(LOGITS, name), "rb") as file:
        return hashlib.sha256(file.read()).hexdigest()


def make():
    os.makedirs(LOGITS, exist_ok=True)
    versions = {}
    for environment in ("paddle", "torch"):
        python = os.path.join(ROOT, ".oracle", environment, "bin", "python")
        answer = subprocess.run([python, os.path.abspath(__file__), "--work", environment],
                                check=True, stdout=subprocess.PIPE, text=True)
        versions[environment] = json.loads(answer.stdout.strip().splitlines()[-1])
    entries = []
    for vector in VECTORS:
        by, architecture, theirs, seed, batch, height, width = vector
        name = file_name(*vector)
        classes = 1000
        if "classes=" in architecture:
            classes = int(architecture.split("classes=")[1])
        entries.append({
            "file": name, "arch": architecture, "family": family_of(by), "seed": seed,
            "batch": batch, "height": height, "width": width, "classes": classes,
            "made_by": f"tests/oracle/networks.py {architecture}" if "definition" in by
                       else theirs or architecture,
            "versions": versions["paddle" if by == "paddle" else "torch"],
            "sha256": sha256(name)})
    with open(os.path.join(LOGITS, "index.json"), "w", encoding="ascii") as file:
        json.dump(entries, file, indent=1)
        file.write("\n")
    fields = ("file", "arch", "family", "seed", "batch", "height", "width", "classes")
    with open(os.path.join(LOGITS, "index.txt"), "w", encoding="ascii") as file:
        for entry in entries:
            file.write(" ".join(str(entry[field]) for field in fields) + "\n")


def check():
    with open(os.path.join(LOGITS, "index.json"), encoding="ascii") as file:
        entries = json.load(file)
    bad = [e["file"] for e in entries if sha256(e["file"]) != e["sha256"]]
    for name in bad:
        print(f"{name}: not the file that index.json speaks of")
    print(f"{len(entries) - len(bad)} passed, {len(bad)} failed")
    return 1 if bad or not entries else 0


if __name__ == "__main__":
    if sys.argv[1:2] == ["--work"]:
        work(sys.argv[2])
    elif sys.argv[1:] == ["--check"]:
        sys.exit(check())
    else:
        make()
