# SPDX-License-Identifier: Apache-2.0
"""int8 of real networks and pictures: the trained CIFAR-100 classifier on the 10,000 test pictures
after calibration with training pictures, and Res2Net50_26w_4s on photos and noise. Runs in the
environment `pictures`; the second part needs weights under .oracle/models/ (`./run bench` makes
them) or --weights, and is left out with a message without them."""
import argparse
import json
import os
import subprocess
import sys
import tempfile

import numpy as np

import command

PICTURES, SAMPLES = 10000, 512
MOST_LOST = 0.007     # of top-1
LEAST_SAME = 0.95     # of the answers
LEAST_CORRELATION = 0.99
WEIGHTS = os.path.join(command.ROOT, ".oracle", "models", "Res2Net50_26w_4s.safetensors")


def reported(res2net, *arguments):
    return json.loads(command.run(res2net, "quantize", *arguments, "--format", "json"))


def loses_little(report):
    found = report["evaluation"]
    before, after = found["f32"]["top1"], found["int8"]["top1"]
    print(f"    top-1 {before:.4f} in f32, {after:.4f} in int8; the same answer for "
          f"{found['same_answer']} of {found['images']}; scores' signal to noise "
          f"{found['signal_to_noise_db']:.2f} dB")
    if found["images"] != PICTURES:
        raise ValueError(f"{found['images']} pictures")
    if before - after > MOST_LOST:
        raise ValueError(f"top-1 falls from {before} to {after}")
    if found["same_answer"] < LEAST_SAME * PICTURES:
        raise ValueError(f"only {found['same_answer']} answers stay the same")
    return True


def evaluates_alike(res2net, model, test_file, report, options):
    """eval counts what the report counted, on any ISA and number of threads."""
    out = json.loads(command.run(res2net, "eval", "-m", model, "--list", test_file, "--precision",
                                 "int8", "--format", "json", *options))
    expected = report["evaluation"]["int8"]
    for name in ("top1_correct", "top5_correct"):
        if out[name] != expected[name]:
            raise ValueError(f"{name} is {out[name]}, not {expected[name]}")
    return True


def logits(res2net, model, precision, folder, *inputs):
    file = os.path.join(folder, "logits.npy")
    if os.path.exists(file):
        os.remove(file)
    command.run(res2net, "predict", "-m", model, "--precision", precision, "--dump-logits", file,
                *inputs)
    return np.load(file)


def correlates(res2net, model, folder, *inputs):
    """int8's scores with f32's, picture by picture."""
    exact = logits(res2net, model, "f32", folder, *inputs)
    quantised = logits(res2net, model, "int8", folder, *inputs)
    each = [np.corrcoef(a, b)[0, 1] for a, b in zip(exact, quantised)]
    print(f"    correlation of the scores: {min(each):.5f} at least, {np.mean(each):.5f} in the "
          f"mean of {len(each)}")
    if min(each) < LEAST_CORRELATION:
        raise ValueError(f"the scores of picture {int(np.argmin(each))} correlate by {min(each)}")
    return True


def same_bytes(res2net, model, folder, *inputs):
    expected = logits(res2net, model, "int8", folder, *inputs)
    for isa in ("reference", *command.fast_isas()):
        found = logits(res2net, model, "int8", folder, "--isa", isa, *inputs)
        if expected.tobytes() != found.tobytes():
            raise ValueError(f"--isa {isa} gives other scores")
    return True


def try_cifar(options, score, folder):
    unpack = os.path.join(options.shared, "data", "unpack_cifar100.py")
    subprocess.run([sys.executable, unpack, folder], check=True)
    train, test = (os.path.join(folder, name) for name in ("train.bin", "test.bin"))
    stem = os.path.join(options.shared, "bootstrap", "res2net20_26w_4s_cifar")
    transforms = os.path.join(options.shared, "bootstrap", "transforms.yaml")
    for name, model in (("embedded default", ()),
                        (".pth", ("--weights", stem + ".pth", "--transforms", transforms))):
        out = os.path.join(folder, "int8.r2n")
        report = reported(options.res2net, *model, "--calibrate", train, "--samples", str(SAMPLES),
                          "--eval", test, "-o", out)
        score.attempt(f"{name}: int8 loses at most {100 * MOST_LOST:.1f} points of top-1",
                      loses_little, report)
        for isa, threads in zip(command.fast_isas(), ("2", "1")):
            score.attempt(f"{name}: --isa {isa}, {threads} threads counts the same",
                          evaluates_alike, options.res2net, out, test, report,
                          ("--isa", isa, "--threads", threads))


def try_large(options, score, folder):
    if not os.path.exists(options.weights):
        print(f"left out: {options.weights} is absent")
        return
    photos = os.path.join(options.shared, "data", "imagenette")
    train, test = (os.path.join(photos, name) for name in ("train_list.txt", "val_list.txt"))
    few = os.path.join(folder, "few.txt")
    with open(test, encoding="utf-8") as file:
        lines = [line for i, line in enumerate(file) if i % 25 == 0]
    with open(few, "w", encoding="utf-8") as file:
        file.writelines(lines)
    out = os.path.join(folder, "large.r2n")
    reported(options.res2net, "--weights", options.weights, "--calibrate", train, "--samples", "64",
             "-o", out)
    noise = os.path.join(folder, "noise.npy")
    np.save(noise, np.random.default_rng(7).standard_normal((4, 3, 224, 224)).astype(np.float32))
    one = os.path.join(folder, "one.npy")
    np.save(one, np.random.default_rng(8).standard_normal((1, 3, 64, 64)).astype(np.float32))
    score.attempt(f"Res2Net50_26w_4s: {len(lines)} photos", correlates, options.res2net, out,
                  folder, "--list", few, "--root", photos)
    score.attempt("Res2Net50_26w_4s: noise", correlates, options.res2net, out, folder,
                  "--input-npy", noise)
    score.attempt("Res2Net50_26w_4s: the same scores on every ISA", same_bytes, options.res2net,
                  out, folder, "--input-npy", one)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"),
                        help="the folder with data/ and bootstrap/")
    parser.add_argument("--weights", default=WEIGHTS, help="of Res2Net50_26w_4s")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "quantize.log"))
    options = parser.parse_args()
    score = command.Score(options.log)
    with tempfile.TemporaryDirectory(prefix="res2net-quantize-") as folder:
        try_cifar(options, score, folder)
        try_large(options, score, folder)
    score.finish()


if __name__ == "__main__":
    main()
