# SPDX-License-Identifier: Apache-2.0
"""What a training run leaves behind, read by those it is made for: VisualDL's LogReader,
TensorBoard's EventAccumulator (with its checksums), an XML and an HTML parser; all of them must tell
the same as train.log and results.csv. Runs in the environment `records`.

    records.py OUTPUT_DIR      a run's Global.output_dir, with one architecture's folder and vdl/
"""
import csv
import glob
import html.parser
import os
import re
import sys
import tempfile
import xml.etree.ElementTree

import numpy as np
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.backend.event_processing.event_file_loader import RawEventFileLoader
from visualdl import LogReader

HEADER = "epoch,step,lr,train_loss,eval_loss,eval_top1,eval_top5,images_per_second,seconds".split(",")
TIME = r"\[\d{4}/\d\d/\d\d \d\d:\d\d:\d\d\] ppcls (?:INFO|WARNING): "
NUMBER = r"(?:\d+\.\d{5}|nan|inf)"
LOSSES = rf"(\w+): {NUMBER}, loss: ({NUMBER})"
TIMES = rf"batch_cost: {NUMBER}s, reader_cost: {NUMBER}, ips: {NUMBER}"
ITERATION = re.compile(
    rf"\[Train\]\[Epoch (\d+)/\d+\]\[Iter: (\d+)/(\d+)\]lr\((\w+)\): (\d+\.\d{{8}}), "
    rf"{LOSSES}, {TIMES} samples/s, eta: (?:\d+ days?, )?\d+:\d\d:\d\d$")
FORMS = [ITERATION,
         re.compile(rf"\[Train\]\[Epoch \d+/\d+\]\[Avg\]{LOSSES}$"),
         re.compile(rf"\[Eval\]\[Epoch \d+\]\[Iter: \d+/\d+\]{LOSSES}, top1: {NUMBER}, "
                    rf"top5: {NUMBER}, {TIMES} images/sec$"),
         re.compile(rf"\[Eval\]\[Epoch \d+\]\[Avg\]{LOSSES}, top1: {NUMBER}, top5: {NUMBER}$"),
         re.compile(r"\[Eval\]\[Epoch \d+\]\[best metric(?: ema)?: [\d.e-]+\]$")]

passed = failed = 0


def check(good, words):
    global passed, failed
    passed, failed = passed + bool(good), failed + (not good)
    if not good:
        print("FAILED:", words)


def read_log(path):
    """Iteration lines by global step (the last of a step: a resumed run goes over it again)."""
    iterations = {}
    with open(path, encoding="utf-8") as file:
        lines = file.read().split("\n")
    check(lines.pop() == "", "train.log ends with a whole line")
    for line in lines:
        start = re.match(TIME, line)
        check(start, f"a time before {line!r}")
        rest = line[start.end():] if start else line
        if rest.startswith(("[Train]", "[Eval]")):
            check(any(form.match(rest) for form in FORMS), f"a known form: {rest!r}")
        found = ITERATION.match(rest)
        if found:
            epoch, iteration, length = (int(found[i]) for i in (1, 2, 3))
            iterations[(epoch - 1) * length + iteration + 1] = (
                f"lr({found[4]})", float(found[5]), f"train_{found[6]}", float(found[7]))
    return iterations


def read_results(path):
    with open(path, encoding="ascii", newline="") as file:
        rows = list(csv.DictReader(file))
    check(rows and list(rows[0]) == HEADER, "the header of results.csv")
    epochs = [int(row["epoch"]) for row in rows]
    check(epochs == list(range(1, len(rows) + 1)), f"every epoch once: {epochs}")
    return rows


def compare_scalars(what, scalars, iterations, rows, since):
    """scalars: tag -> {step: value}. `since`: the first step that this reader must know."""
    for step, (rate_tag, rate, loss_tag, loss) in iterations.items():
        if step < since:
            continue
        for tag, value, room in ((rate_tag, rate, 6e-9), (loss_tag, loss, 6e-6),
                                 ("train_loss", loss, 6e-6)):
            found = scalars.get(tag, {}).get(step)
            good = found is not None and abs(found - value) <= room + 1e-6 * abs(value)
            check(good, f"{what}: {tag} at step {step}: {found}, train.log has {value}")
    for row in rows:
        for tag, name in (("eval_acc", "eval_top1"), ("eval_top5", "eval_top5"),
                          ("eval_loss", "eval_loss"), ("epoch_train_loss", "train_loss")):
            found = scalars.get(tag, {}).get(int(row["epoch"]))
            good = found is None if row[name] == "" else (
                found is not None and np.isclose(found, float(row[name]), rtol=1e-6))
            check(good, f"{what}: {tag} of epoch {row['epoch']}: {found}, results.csv has "
                        f"{row[name]!r}")


def read_visualdl(path):
    reader = LogReader(file_path=path)
    tags = reader.get_tags().get("scalar", [])
    return {tag: {record.id: record.value for record in reader.get_data("scalar", tag)}
            for tag in tags}


def compare_visualdl(folder, iterations, rows):
    files = sorted(glob.glob(os.path.join(folder, "vdlrecords.*.log")))
    check(files and all(re.fullmatch(r"vdlrecords\.\d{10}\.log", os.path.basename(f))
                        for f in files), f"VisualDL's file names: {files}")
    together = {}
    for path in files:
        for tag, values in read_visualdl(path).items():
            together.setdefault(tag, {}).update(values)
    compare_scalars("VisualDL", together, iterations, rows, 0)
    # What `visualdl --logdir` shows: the newest file alone.
    newest = read_visualdl(files[-1])
    first = min((step for tag in newest if tag == "train_loss" for step in newest[tag]), default=0)
    compare_scalars("VisualDL, newest file", newest, iterations, rows, first)


def compare_tensorboard(folder, iterations, rows):
    accumulator = EventAccumulator(folder, size_guidance={"scalars": 0},
                                   purge_orphaned_data=False).Reload()
    check(accumulator.file_version == 2.0, "TensorBoard's file version")
    # A resumed run goes over some steps again: the last value counts.
    scalars = {tag: {event.step: event.value for event in accumulator.Scalars(tag)}
               for tag in accumulator.Tags()["scalars"]}
    compare_scalars("TensorBoard", scalars, iterations, rows, 0)
    path = sorted(glob.glob(os.path.join(folder, "events.out.tfevents.*")))[0]
    with open(path, "rb") as file:
        data = bytearray(file.read())
    whole = len(list(RawEventFileLoader(path).Load()))
    data[len(data) // 2] ^= 4
    with tempfile.TemporaryDirectory() as other:
        damaged = os.path.join(other, "events.out.tfevents.1.x")
        with open(damaged, "wb") as file:
            file.write(data)
        count = len(list(RawEventFileLoader(damaged).Load()))
    check(0 < count < whole, "TensorBoard sees a changed bit by our checksums")


class Tags(html.parser.HTMLParser):
    def __init__(self):
        super().__init__()
        self.seen = []

    def handle_starttag(self, tag, attrs):
        self.seen.append((tag, dict(attrs)))


def compare_page(path, rows):
    space = "{http://www.w3.org/1999/xhtml}"
    tree = xml.etree.ElementTree.parse(path)
    table = [["".join(cell.itertext()) for cell in row] for row in tree.iter(f"{space}tr")][1:]
    check(len(table) == len(rows), f"{len(table)} rows of epochs, {len(rows)} in results.csv")
    tops = {row["epoch"]: float(row["eval_top1"]) for row in rows if row["eval_top1"]}
    best = max(tops, key=tops.get, default=None)  # the first of equals
    for cells, row in zip(table, rows):
        check(cells[0].split()[-1] == row["epoch"], f"epoch {row['epoch']} in the table")
        check(cells[0].startswith("best") == (row["epoch"] == best), f"the mark of {row['epoch']}")
        shown = cells[5].replace(" %", "")
        check(shown == ("" if row["eval_top1"] == "" else f"{100 * float(row['eval_top1']):.2f}"),
              f"top-1 of epoch {row['epoch']}: {shown}")
    check(len(list(tree.iter(f"{space}svg"))) == 4 or not tops, "four pictures of curves")
    parser = Tags()
    with open(path, encoding="utf-8") as file:
        text = file.read()
    parser.feed(text)
    names = {tag for tag, _ in parser.seen}
    check(not names & {"script", "link", "img", "iframe", "object"}, f"nothing from elsewhere: {names}")
    check("http" not in text.replace("http://www.w3.org/1999/xhtml", ""), "no address in the page")


def main():
    if len(sys.argv) != 2:
        raise SystemExit(__doc__)
    output = sys.argv[1]
    folder = os.path.dirname(glob.glob(os.path.join(output, "*", "results.csv"))[0])
    iterations = read_log(os.path.join(folder, "train.log"))
    rows = read_results(os.path.join(folder, "results.csv"))
    compare_visualdl(os.path.join(output, "vdl"), iterations, rows)
    compare_tensorboard(os.path.join(output, "vdl"), iterations, rows)
    compare_page(os.path.join(folder, "report.html"), rows)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
