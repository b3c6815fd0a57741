#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Are pictures ever what a training at 224 px waits for? Pictures a second of the loader alone, over
Imagenette's JPEG files, beside those of the network, and what `reader_cost` of a real run says. Needs
python3 alone.

loader.py [--build build] [--data ../shared/data/imagenette] [--threads 2] [--seconds 20]
          [--precision bf16] [--batch 32] [--batches 40] [--part loader] [--part network] [--part run]
"""
import argparse
import os
import re
import subprocess
import tempfile

NETWORK = "Res2Net50_26w_4s"
NORMALISE = ("- NormalizeImage: {scale: 1.0/255.0, mean: [0.485, 0.456, 0.406], "
             "std: [0.229, 0.224, 0.225], order: ''}")
RECIPES = {
    "ImageNet's recipe": [
        "- DecodeImage: {to_rgb: True, channel_first: False}", "- RandCropImage: {size: 224}",
        "- RandFlipImage: {flip_code: 1}", NORMALISE],
    "with TimmAutoAugment and RandomErasing": [
        "- DecodeImage: {to_rgb: True, channel_first: False}",
        "- RandCropImage: {size: 224, interpolation: bicubic, backend: pil}",
        "- RandFlipImage: {flip_code: 1}",
        "- TimmAutoAugment: {config_str: rand-m7-mstd0.5-inc1, interpolation: bicubic, "
        "img_size: 224}", NORMALISE,
        "- RandomErasing: {EPSILON: 0.25, sl: 0.02, sh: 1.0/3.0, r1: 0.3, attempt: 10, "
        "use_log_aspect: True, mode: pixel}"],
}
CONFIG = """
Global: {{output_dir: {output}, epochs: 1, save_interval: 0, print_batch_step: 1}}
Arch: {{name: {network}, class_num: 10}}
Optimizer: {{name: Momentum, lr: {{name: Cosine, learning_rate: 0.01}}}}
DataLoader:
  Train:
    dataset:
      image_root: {data}
      cls_label_path: {list}
      transform_ops:
        {transforms}
    sampler: {{batch_size: {batch}, shuffle: True, drop_last: True}}
    loader: {{num_workers: {threads}}}
"""
COSTS = re.compile(r"\[Iter: (\d+)/\d+\].*batch_cost: ([0-9.]+)s, reader_cost: ([0-9.]+)")


def say(command):
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True,
                          stderr=subprocess.DEVNULL)
    return done.stdout.strip()


def write_config(folder, transforms, pictures, options):
    """`pictures`: so many of the list, every so-many-th; None: all."""
    with open(os.path.join(options.data, "train_list.txt"), encoding="utf-8") as file:
        lines = file.read().splitlines()
    step = 1 if pictures is None else max(1, len(lines) // pictures)
    chosen = os.path.join(folder, "list.txt")
    with open(chosen, "w", encoding="utf-8") as file:
        file.write("\n".join(lines[::step][:pictures]) + "\n")
    path = os.path.join(folder, "net.yaml")
    with open(path, "w", encoding="utf-8") as file:
        file.write(CONFIG.format(output=os.path.join(folder, "made"), network=NETWORK,
                                 data=os.path.abspath(options.data), list=chosen,
                                 transforms="\n        ".join(transforms), batch=options.batch,
                                 threads=options.threads))
    return path


def measure_run(name, config, options):
    say([os.path.join(options.build, "res2net"), "train", "-c", config, "--precision",
         options.precision, "--threads", str(options.threads)])
    with open(os.path.join(os.path.dirname(config), "made", NETWORK, "train.log"),
              encoding="utf-8") as file:
        costs = [tuple(map(float, match.groups())) for match in COSTS.finditer(file.read())]
    first, rest = costs[0], costs[1:]
    batch, reader = (sum(cost[i] for cost in rest) / len(rest) for i in (1, 2))
    print(f"{name}: a run of {len(costs)} batches of {options.batch}, {options.precision}: "
          f"{options.batch / batch:.1f} images/s; reader_cost {1000 * reader:.2f} ms of a batch's "
          f"{1000 * batch:.0f} ({100 * reader / batch:.2f} %), at most "
          f"{1000 * max(cost[2] for cost in rest):.1f} ms; before the first {1000 * first[2]:.0f} "
          f"ms", flush=True)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--build", default="build")
    parser.add_argument("--data", default="../shared/data/imagenette")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--precision", choices=["f32", "bf16"], default="bf16")
    parser.add_argument("--isa", default="avx512", help="of the network alone")
    parser.add_argument("--batch", type=int, default=32)
    parser.add_argument("--batches", type=int, default=40, help="of the run")
    parser.add_argument("--part", choices=["loader", "network", "run"], action="append")
    options = parser.parse_args()
    parts = options.part or ["loader", "network", "run"]
    driver = os.path.join(options.build, "train_driver")
    if "loader" in parts:
        for name, transforms in RECIPES.items():
            with tempfile.TemporaryDirectory() as folder:
                config = write_config(folder, transforms, None, options)
                said = say([driver, "loader", config, str(options.threads), str(options.seconds)])
            print(f"the loader alone, {options.threads} threads, {name}: {said}", flush=True)
    if "network" in parts:
        isa = options.isa + ("/bf16" if options.precision == "bf16" else "")
        said = say([driver, "speed", NETWORK, "paddle", str(options.batch), "224", "1000", isa,
                    str(options.threads), str(options.seconds)])
        print(f"the network alone, {options.threads} threads, {isa}, batch {options.batch}: {said}",
              flush=True)
    if "run" in parts:
        for name, transforms in RECIPES.items():
            with tempfile.TemporaryDirectory() as folder:
                pictures = options.batch * options.batches
                measure_run(name, write_config(folder, transforms, pictures, options), options)


if __name__ == "__main__":
    main()
