#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A run begun by PaddleClas and gone on with by `res2net train`, and the other way round. The real
Paddle trains a network of PaddleClas' for an epoch, and PaddleClas' own save_model saves it. `res2net
train -o Global.checkpoints=...` goes on from there for epochs 2 and 3, Paddle for epoch 2; then
PaddleClas' own init_model takes our epoch 2, and Paddle goes on from that for epoch 3. So both do each
epoch from the same start: losses within 1e-3, learning rates and epoch numbers equal. (Over more than
an epoch a 50-layer network in small batches spreads f32's roundings too far.) Environment `paddle`.

train_resume.py [--res2net build/res2net] [--only NAME]
"""
import argparse
import csv
import logging
import os
import re
import sys
import tempfile
import warnings

import numpy as np

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "golden"))
sys.path.insert(0, HERE)
import command  # noqa: E402
import make_train_parts as parts  # noqa: E402
import paddle  # noqa: E402
import paddle_reference  # noqa: E402
from PIL import Image  # noqa: E402

RATE = 0.003
CLASSES, SIDE, PICTURES, BATCH, EPOCHS, EPSILON, LIMIT = 10, 64, 30, 8, 3, 0.1, 1e-3
ITERATIONS = -(-PICTURES // BATCH)
COSINE = dict(kind="cosine", rate=RATE, epochs=EPOCHS, iterations=ITERATIONS)
warnings.filterwarnings("ignore", message="There are some unused values")  # Paddle's of its own
MOMENTUM = dict(kind="momentum", momentum=0.9, decay=1e-4)
# name: (architecture, schedule, its keys in the configuration, shuffled)
CASES = {
    "cosine": ("Res2Net50_26w_4s", COSINE, "", False),
    "in a warm-up, shuffled": ("Res2Net50_vd_26w_4s", dict(COSINE, warmup_epochs=2),
                               "warmup_epoch: 2", True),
    "by epoch": ("Res2Net50_14w_8s", dict(COSINE, by_epoch=True), "by_epoch: True", False),
}
MEAN, DEVIATION = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CONFIG = """
Global:
  {{output_dir: {output}, epochs: {epochs}, save_interval: 1, print_batch_step: 1, sampler_order: paddle}}
Arch: {{name: {architecture}, class_num: {classes}}}
Loss: {{Train: [CELoss: {{weight: 1.0, epsilon: {epsilon}}}]}}
Optimizer:
  name: Momentum
  momentum: 0.9
  lr: {{name: Cosine, learning_rate: {rate}, {schedule}}}
  regularizer: {{name: L2, coeff: 0.0001}}
DataLoader:
  Train:
    dataset:
      name: ImageNetDataset
      cls_label_path: {list}
      transform_ops:
        - DecodeImage: {{to_rgb: True, channel_first: False}}
        - CropImage: {{size: {side}}}
        - NormalizeImage: {{scale: 1.0/255.0, mean: [{mean}], std: [{deviation}], order: ''}}
    sampler: {{name: DistributedBatchSampler, batch_size: {batch}, drop_last: False, shuffle: {shuffle}}}
"""
LINE = re.compile(r"\[Train\]\[Epoch (\d+)/(\d+)\]\[Iter: (\d+)/\d+\]lr\((\w+)\): ([0-9.]+), "
                  r"CELoss: ([0-9.]+)")


class Pictures(paddle.io.Dataset):
    """A colour for each class, and noise; as PNG files and as what NormalizeImage makes of them."""

    def __init__(self, folder):
        random = np.random.RandomState(1)
        self.labels = random.randint(0, CLASSES, PICTURES)
        colours = random.randint(60, 200, (CLASSES, 1, 1, 3))
        noise = random.randint(-60, 56, (PICTURES, SIDE, SIDE, 3))
        self.pixels = (colours[self.labels] + noise).astype(np.uint8)
        self.list = os.path.join(folder, "list.txt")
        with open(self.list, "w", encoding="ascii") as lines:
            for i, pixels in enumerate(self.pixels):
                Image.fromarray(pixels).save(os.path.join(folder, f"{i}.png"))
                lines.write(f"{i}.png {self.labels[i]}\n")

    def __len__(self):
        return PICTURES

    def batch(self, places):
        scaled = self.pixels[places].astype(np.float32) * np.float32(1 / 255)
        ready = (scaled - np.array(MEAN, "float32")) / np.array(DEVIATION, "float32")
        return (paddle.to_tensor(np.ascontiguousarray(ready.transpose(0, 3, 1, 2))),
                paddle.to_tensor(self.labels[places]))


class Training:
    """PaddleClas' loop (spec/paddleclas.md 2.4, 2.5, 2.9), in as much as a resume needs of it."""

    def __init__(self, case, pictures):
        architecture, self.schedule, _, shuffled = case
        self.pictures = pictures
        with paddle.utils.unique_name.guard():
            self.net = paddle_reference.network(architecture, 1, CLASSES)
            self.rate = parts.scheduler(self.schedule)
            self.net.train()
            self.optimiser = parts.optimiser(MOMENTUM, self.net.parameters(), self.rate)
        self.sampler = paddle.io.DistributedBatchSampler(pictures, BATCH, num_replicas=1, rank=0,
                                                         shuffle=shuffled)

    def epoch(self, number):
        """[(loss, rate of the step, rate that the log tells)], `number` from 1."""
        told = []
        self.sampler.set_epoch(number - 1)
        for places in self.sampler:
            picture, label = self.pictures.batch(places)
            with paddle.utils.unique_name.guard():
                target = paddle.nn.functional.one_hot(label, CLASSES)
                target = paddle.nn.functional.label_smooth(target, epsilon=EPSILON)
                scores = paddle.nn.functional.log_softmax(self.net(picture), axis=-1)
                loss = (-scores * target).sum(-1).mean()
                loss.backward()
                used = self.optimiser.get_lr()
                self.optimiser.step()
                self.optimiser.clear_grad()
            if not self.schedule.get("by_epoch"):
                self.rate.step()
            told.append((float(loss), used, self.rate.get_lr()))
        if self.schedule.get("by_epoch"):
            self.rate.step()
        return told


def go_on(res2net, case, pictures, prefix, folder):
    """`res2net train` from Paddle's save: (lines of the log, rows of results.csv, run folder)."""
    architecture, _, schedule, shuffled = case
    config = os.path.join(folder, "net.yaml")
    with open(config, "w", encoding="ascii") as file:
        file.write(CONFIG.format(output=os.path.join(folder, "ours"), epochs=EPOCHS,
                                 architecture=architecture, classes=CLASSES, epsilon=EPSILON,
                                 schedule=schedule, list=pictures.list, batch=BATCH, side=SIDE, rate=RATE,
                                 mean=str(MEAN)[1:-1], deviation=str(DEVIATION)[1:-1],
                                 shuffle=shuffled))
    command.run(res2net, "train", "-c", config, "--threads", "2",
                "-o", "Global.checkpoints=" + prefix)
    made = os.path.join(folder, "ours", architecture)
    with open(os.path.join(made, "train.log"), encoding="utf-8") as file:
        log = file.read()
    with open(os.path.join(made, "results.csv"), encoding="ascii") as file:
        rows = list(csv.DictReader(file))
    return log, rows, made


def losses_of(averages):
    """The log tells the average since the epoch's beginning."""
    sums = np.array(averages) * np.arange(1, len(averages) + 1)
    return np.diff(sums, prepend=0.0)


def compare_log(score, name, log, rows, theirs):
    lines = [match.groups() for match in LINE.finditer(log)]
    wanted = [(str(epoch), str(EPOCHS), str(i)) for epoch in theirs for i in range(ITERATIONS)]
    if not score.check([line[:3] for line in lines] == wanted,
                       f"{name}: numbers of epochs and iterations: {lines}"):
        return
    score.check("goes on from the saved" not in log, f"{name}: a notice of another rate")
    for epoch, steps in theirs.items():
        mine = [line for line in lines if line[0] == str(epoch)]
        away = np.abs(losses_of([float(line[5]) for line in mine]) - [s[0] for s in steps]).max()
        rate = np.abs(np.array([float(line[4]) for line in mine]) - [s[2] for s in steps]).max()
        score.checked(away <= LIMIT, f"{name}: losses of epoch {epoch}, Paddle's "
                                     f"{steps[0][0]:.4f} to {steps[-1][0]:.4f}: {away:.1e} away")
        score.check(rate <= 1.01e-8, f"{name}: logged rates of epoch {epoch}: {rate:.1e} away")
    used = [(row["epoch"], float(row["lr"])) for row in rows]
    score.check([(epoch, round(rate, 9)) for epoch, rate in used] ==
                [(str(epoch), round(steps[-1][1], 9)) for epoch, steps in theirs.items()],
                f"{name}: rows of results.csv: {used}")


def compare(name, case, res2net, folder, score):
    pictures = Pictures(folder)
    theirs = Training(case, pictures)
    paddle_reference._import_paddleclas()
    from ppcls.utils import logger, save_load
    logger.init_logger(log_level=logging.WARNING)
    theirs.epoch(1)
    save_load.save_model(theirs.net, [theirs.optimiser], {"metric": 0.25, "epoch": 1},
                         os.path.join(folder, "theirs"), prefix="epoch_1")
    log, rows, made = go_on(res2net, case, pictures, os.path.join(folder, "theirs", "epoch_1"),
                            folder)
    again = Training(case, pictures)
    with paddle.utils.unique_name.guard():
        states = save_load.init_model({"checkpoints": os.path.join(made, "epoch_2")}, again.net,
                                      [again.optimiser], paddle.nn.Layer())
    score.check(states["epoch"] == 2, f"{name}: our epoch_2.pdstates says {states['epoch']}")
    compare_log(score, name, log, rows, {2: theirs.epoch(2), 3: again.epoch(3)})
    place, other = theirs.rate.state_dict(), paddle.load(
        os.path.join(made, "epoch_2.pdopt"))[0]["LR_Scheduler"]
    score.check(place["last_epoch"] == other["last_epoch"] and
                abs(place["last_lr"] - other["last_lr"]) <= 1e-12,
                f"{name}: the scheduler after epoch 2: {other}, not {place}")


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--res2net", default="build/res2net")
    parser.add_argument("--only")
    options = parser.parse_args()
    score = command.Score(os.path.join(command.ROOT, ".oracle", "resume.log"))
    for name, case in CASES.items():
        if options.only in (None, name):
            with tempfile.TemporaryDirectory() as folder:
                score.attempt(name, lambda: compare(name, case, options.res2net, folder, score)
                              or True)
    score.finish()


if __name__ == "__main__":
    main()
