# SPDX-License-Identifier: Apache-2.0
"""eval's figures beside scikit-learn's: the trained CIFAR-100 classifier on the 10,000 test pictures
and on so few that most classes have none. Both read the same logits (predict --dump-logits). Runs
in the environment `sklearn`."""
import argparse
import base64
import csv
import io
import json
import os
import re
import subprocess
import sys
import tempfile
import warnings

import numpy as np
from PIL import Image
from sklearn import metrics
from sklearn.calibration import calibration_curve

import command

CLASSES, BINS, WORST, SHOWN_PAIRS = 100, 15, 50, 10
RECORD = 2 + 3072  # coarse label, fine label, R, G and B planes
CLOSE = 1e-9       # shares of whole numbers
CLOSE_LOSS = 1e-6  # what goes through exp and log

warnings.filterwarnings("ignore", category=UserWarning)  # scikit-learn's, of absent classes


class Case:
    """A set, our answers and figures, and the probabilities that they follow from."""

    def __init__(self, res2net, folder, name, records):
        self.records = records
        self.report = os.path.join(folder, name)
        source = os.path.join(folder, name + ".bin")
        records.tofile(source)
        self.figures = json.loads(command.run(res2net, "eval", "--list", source, "--format",
                                              "json", "--report", self.report))
        file = os.path.join(folder, name + ".npy")
        command.run(res2net, "predict", "--list", source, "--dump-logits", file)
        logits = np.load(file).astype(np.float64)
        self.labels = records[:, 1].astype(int)
        self.answers = logits.argmax(1)
        powers = np.exp(logits - logits.max(1, keepdims=True))
        self.shares = powers / powers.sum(1, keepdims=True)
        self.losses = -np.log(self.shares[np.arange(len(records)), self.labels])
        self.confidence = self.shares.max(1)
        self.right = self.answers == self.labels

    def table(self, name):
        with open(os.path.join(self.report, name), encoding="utf-8", newline="") as file:
            return list(csv.reader(file))

    def text(self, name):
        with open(os.path.join(self.report, name), encoding="utf-8") as file:
            return file.read()


def near(what, ours, theirs, tolerance=CLOSE):
    distance = np.abs(np.asarray(ours, float) - np.asarray(theirs, float)).max()
    if not distance <= tolerance:
        raise ValueError(f"{what}: {ours} is not {theirs}")


def overall(case):
    every = np.arange(CLASSES)
    ours = case.figures
    near("top1", ours["top1"], metrics.accuracy_score(case.labels, case.answers))
    near("top5", ours["top5"],
         metrics.top_k_accuracy_score(case.labels, case.shares, k=5, labels=every))
    near("loss", ours["loss"], metrics.log_loss(case.labels, case.shares, labels=every),
         CLOSE_LOSS)
    return True


def averages(case):
    """Over the classes that have pictures."""
    theirs = metrics.precision_recall_fscore_support(
        case.labels, case.answers, labels=np.unique(case.labels), average="macro", zero_division=0)
    for name, value in zip(("macro_precision", "macro_recall", "macro_f1"), theirs):
        near(name, case.figures[name], value)
    near("balanced accuracy", case.figures["macro_recall"],
         metrics.balanced_accuracy_score(case.labels, case.answers))
    return True


def class_tables(case):
    theirs = metrics.precision_recall_fscore_support(
        case.labels, case.answers, labels=np.arange(CLASSES), zero_division=np.nan)
    head, *rows = case.table("per_class.csv")
    for name, key, values in zip(("precision", "recall", "f1", "support"),
                                 ("precision", "recall", "f1", "images"), theirs):
        column = [row[head.index(name)] for row in rows]
        near(name, [-1 if cell == "" else float(cell) for cell in column],
             np.where(np.isnan(values), -1, values))
        near(name, [-1 if row[key] is None else row[key] for row in case.figures["classes"]],
             np.where(np.isnan(values), -1, values))
    return True


def matrix(case):
    theirs = metrics.confusion_matrix(case.labels, case.answers, labels=np.arange(CLASSES))
    ours = np.array([row[1:] for row in case.table("confusion.csv")[1:]], int)
    if not (ours == theirs).all():
        raise ValueError("confusion.csv differs")
    # The picture's tooltips hold the same numbers.
    drawn = np.zeros_like(theirs)
    for label, answer, count in re.findall(
            r"<title>(\d+)[^<]*?(?: is right| taken for (\d+)[^<]*): (\d+) of \d+</title>",
            case.text("confusion.svg")):
        drawn[int(label), int(answer or label)] = int(count)
    if not (drawn == theirs).all():
        raise ValueError("confusion.svg differs")
    np.fill_diagonal(theirs, 0)
    pairs = sorted((-count, label, answer) for (label, answer), count in np.ndenumerate(theirs)
                   if count > 0)
    ours = [(-int(row[4]), int(row[0]), int(row[2])) for row in case.table("confused_pairs.csv")[1:]]
    if ours != pairs:
        raise ValueError("confused_pairs.csv differs")
    shown = [(-row["images"], row["class_id"], row["answer_id"])
             for row in case.figures["confused_pairs"]]
    if shown != pairs[:SHOWN_PAIRS]:
        raise ValueError(f"confused_pairs are {shown}, not {pairs[:SHOWN_PAIRS]}")
    return True


def calibration(case):
    right, confidence = calibration_curve(case.right, case.confidence, n_bins=BINS)
    ours = case.figures["calibration"]
    used = [row for row in ours if row["images"] > 0]
    if len(ours) != BINS:
        raise ValueError(f"{len(ours)} bins")
    near("right answers", [row["top1"] for row in used], right, CLOSE_LOSS)
    near("confidence", [row["confidence"] for row in used], confidence, CLOSE_LOSS)
    images = np.array([row["images"] for row in used])
    error = (images * np.abs(right - confidence)).sum() / len(case.labels)
    near("calibration_error", case.figures["calibration_error"], error, CLOSE_LOSS)
    print(f"    top-1 {case.figures['top1']:.4f}, macro F1 {case.figures['macro_f1']:.4f}, "
          f"calibration error {error:.4f}")
    return images.sum() == len(case.labels)


def worst(case):
    """The order by loss, and that the page shows the record's own pixels."""
    order = np.argsort(-case.losses, kind="stable")[:WORST]
    ours = [int(re.search(r"\[(\d+)\]$", row["file"])[1]) for row in case.figures["worst"]]
    if ours != order.tolist():
        raise ValueError(f"the worst are {ours}, not {order.tolist()}")
    rows = case.figures["worst"]
    near("loss", [row["loss"] for row in rows], case.losses[order], CLOSE_LOSS)
    near("confidence", [row["confidence"] for row in rows], case.confidence[order], CLOSE_LOSS)
    pictures = re.findall(r'src="data:image/bmp;base64,([^"]*)"', case.text("worst.html"))
    if len(pictures) != len(order):
        raise ValueError(f"{len(pictures)} pictures on the page")
    for item, text in zip(order, pictures):
        shown = np.asarray(Image.open(io.BytesIO(base64.b64decode(text))))
        if not (shown == case.records[item, 2:].reshape(3, 32, 32).transpose(1, 2, 0)).all():
            raise ValueError(f"record {item} looks otherwise")
    return True


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--res2net", default=os.path.join(command.ROOT, "build", "res2net"))
    parser.add_argument("--shared", default=os.path.join(command.ROOT, "..", "shared"),
                        help="the folder with data/")
    parser.add_argument("--log", default=os.path.join(command.ROOT, ".oracle", "evaluate.log"))
    options = parser.parse_args()
    unpack = os.path.join(options.shared, "data", "unpack_cifar100.py")
    if not os.path.exists(unpack):
        raise SystemExit(f"{unpack} is absent: give --shared FOLDER")
    score = command.Score(options.log)
    with tempfile.TemporaryDirectory(prefix="res2net-evaluate-") as folder:
        subprocess.run([sys.executable, unpack, folder], check=True)
        records = np.fromfile(os.path.join(folder, "test.bin"), np.uint8).reshape(-1, RECORD)
        for count in (len(records), 60):
            case = Case(options.res2net, folder, f"first{count}", records[:count])
            for check in (overall, averages, class_tables, matrix, calibration, worst):
                score.attempt(f"{count} pictures: {check.__name__.replace('_', ' ')}", check, case)
    score.finish()


if __name__ == "__main__":
    main()
