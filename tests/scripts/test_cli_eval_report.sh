#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# What `eval` tells beyond counts: averages, calibration, confused pairs, charts, the worst pictures.
# All of it is computed again here from predict's logits.
set -u
# shellcheck source=tests/scripts/cli_test.sh
. "$(dirname "$0")/cli_test.sh"
needs png yaml

tiny_model "$work/net.safetensors" 6 3
tiny_model "$work/three.safetensors" 3 5
tiny_transforms "$work/transforms.yaml"
cd "$work" || exit 1
# Names that markup and addresses must not be taken in by.
cat >labels.txt <<'END'
ant
<script>&"bee"
cat's, and a very long name that no chart has room for
hen
END
printf '\303\244\360\237\220\237\nfox\n' >>labels.txt
mkdir -p 'set/a & b' 'set/50%#?'
i=0
while [ $i -lt 24 ]; do
    case $((i % 3)) in
    0) name="set/a & b/it's \"$i\" <b>.png" ;;
    1) name="set/50%#?/\$$i:x.png" ;;
    *) name="set/$i.png" ;;
    esac
    python3 "$here/make_png.py" 32 32 $((i + 40)) "$name"
    printf '%s|%s\n' "$name" $((i % 4))
    i=$((i + 1))
done >list.txt
set -- -m net.safetensors --transforms transforms.yaml --labels labels.txt
listed="--list list.txt --root . --delimiter |"

# shellcheck disable=SC2086
expect 0 "$res2net" predict "$@" $listed --format json --topk 6 --dump-logits logits.npy
# shellcheck disable=SC2086
expect 0 "$res2net" eval "$@" $listed --format json --report made/report --batch 7
cat >figures.py <<'END'
"""What follows from logits.npy and list.txt."""
import array, math
flat = array.array("f", open("logits.npy", "rb").read()[-24 * 6 * 4:])
logits = [flat[6 * i:6 * i + 6] for i in range(24)]
rows = [line.rstrip("\n").split("|") for line in open("list.txt", encoding="utf-8")]
names, labels = [row[0] for row in rows], [int(row[1]) for row in rows]
def softmax(values):
    powers = [math.exp(x - max(values)) for x in values]
    return [x / math.fsum(powers) for x in powers]
shares = [softmax(row) for row in logits]
answers = [row.index(max(row)) for row in shares]
confidence = [max(row) for row in shares]
losses = [-math.log(row[label]) for row, label in zip(shares, labels)]
def near(a, b):
    return abs(a - b) < 1e-9
END
python_check "averages" <<'END'
from figures import *
def of(c):
    right = sum(a == b == c for a, b in zip(labels, answers))
    images, predicted = labels.count(c), answers.count(c)
    return right / predicted if predicted else 0, right / images, 2 * right / (images + predicted)
means = [sum(column) / 4 for column in zip(*(of(c) for c in range(4)))]
for name, mean in zip(("macro_precision", "macro_recall", "macro_f1"), means):
    assert near(value[name], mean), (name, value[name], mean)
END
python_check "calibration" <<'END'
from figures import *
error = 0
assert len(value["calibration"]) == 15
for i, row in enumerate(value["calibration"]):
    assert near(row["above"], i / 15) and near(row["to"], (i + 1) / 15), row
    inside = [j for j in range(24) if row["above"] < confidence[j] <= row["to"]]
    assert row["images"] == len(inside), (row, len(inside))
    if not inside:
        assert row["confidence"] is None and row["top1"] is None, row
        continue
    mean = sum(confidence[j] for j in inside) / len(inside)
    right = sum(answers[j] == labels[j] for j in inside) / len(inside)
    assert near(row["confidence"], mean) and near(row["top1"], right), row
    error += len(inside) / 24 * abs(mean - right)
assert near(value["calibration_error"], error), (value["calibration_error"], error)
END
python_check "confused pairs, in JSON and as a table" <<'END'
import collections, csv
from figures import *
class_names = [row["label"] for row in value["classes"]]
assert class_names[1] == '<script>&"bee"', class_names
pairs = collections.Counter((a, b) for a, b in zip(labels, answers) if a != b)
pairs = sorted((-count, a, b) for (a, b), count in pairs.items())
assert pairs, "the network answers everything right"
shown = [(-row["images"], row["class_id"], row["answer_id"]) for row in value["confused_pairs"]]
assert shown == pairs[:10], (shown, pairs)
table = list(csv.reader(open("made/report/confused_pairs.csv", encoding="utf-8", newline="")))
assert table[0] == ["class_id", "label", "answer_id", "answer", "images", "share_of_label"]
assert [(-int(row[4]), int(row[0]), int(row[2])) for row in table[1:]] == pairs
for row in table[1:]:
    assert row[1] == class_names[int(row[0])] and row[3] == class_names[int(row[2])], row
    assert near(float(row[5]), int(row[4]) / 6), row
table = list(csv.DictReader(open("made/report/per_class.csv", encoding="utf-8", newline="")))
assert len(table) == 6
for row, one in zip(table, value["classes"]):
    assert int(row["support"]) == one["images"] and row["label"] == one["label"], row
    for name in ("precision", "recall", "f1"):
        assert (float(row[name]) if row[name] else None) == one[name], row
END
python_check "charts are well formed and hold the counts" <<'END'
import collections, re
import xml.etree.ElementTree as tree
from figures import *
svg = "{http://www.w3.org/2000/svg}"
drawn = {}
chart = tree.parse("made/report/confusion.svg").getroot()
assert chart.tag == svg + "svg"
for title in chart.iter(svg + "title"):
    found = re.fullmatch(r"(\d) .*?(?: is right| taken for (\d) .*): (\d+) of 6", title.text)
    if found:
        drawn[int(found[1]), int(found[2] or found[1])] = int(found[3])
assert drawn == collections.Counter(zip(labels, answers)), drawn
texts = [element.text for element in chart.iter(svg + "text")]
assert '1 <script>&"bee"' in texts and "4 \u00e4\U0001f41f" in texts, texts
assert "2 cat's, and a very long \u2026" in texts, texts
assert not list(chart.iter(svg + "script"))
chart = tree.parse("made/report/calibration.svg").getroot()
titles = [title.text for title in chart.iter(svg + "title")]
bins = [row for row in value["calibration"] if row["images"]]
assert len(titles) == 1 + len(bins), titles
for title, row in zip(titles[1:], bins):
    assert f": {row['images']} pictures, mean confidence {row['confidence']:.4f}, " \
        f"right {row['top1']:.4f}" in title, (title, row)
END
cat >page.py <<'END'
"""The parts of a page of the worst pictures."""
import html.parser
class Page(html.parser.HTMLParser):
    def __init__(self, path):
        super().__init__()
        self.links, self.pictures, self.captions, self.tags, self.inside = [], [], [], [], False
        self.feed(open(path, encoding="utf-8").read())
    def handle_starttag(self, tag, attributes):
        attributes = dict(attributes)
        self.tags.append(tag)
        if tag == "img":
            self.pictures.append(attributes["src"])
        if tag == "a":
            self.links.append(attributes["href"])
        if tag == "figcaption":
            self.inside = True
            self.captions.append("")
    def handle_endtag(self, tag):
        self.inside = self.inside and tag != "figcaption"
    def handle_data(self, data):
        if self.inside:
            self.captions[-1] += data
END
python_check "the worst pictures, in JSON and as a page" <<'END'
import os, urllib.parse
from figures import *
from page import Page
order = sorted(range(24), key=lambda i: (-losses[i], i))
assert [row["file"] for row in value["worst"]] == ["./" + names[i] for i in order], value["worst"]
for i, row in zip(order, value["worst"]):
    assert (row["class_id"], row["answer_id"]) == (labels[i], answers[i]), row
    assert near(row["loss"], losses[i]) and near(row["confidence"], confidence[i]), row
    assert near(row["label_confidence"], shares[i][labels[i]]), row
page = Page("made/report/worst.html")
assert "script" not in page.tags and "b" not in page.tags, page.tags
assert page.links == page.pictures and len(page.links) == len(page.captions) == 24
for i, link, caption in zip(order, page.links, page.captions):
    path = urllib.parse.unquote(link)
    assert link.startswith("../../set/") and link == urllib.parse.quote(path), link
    assert os.path.samefile(os.path.join("made/report", path), names[i])
    assert caption.strip().startswith("./" + names[i] + "\n"), caption
    for text in (f"{100 * shares[i][labels[i]]:.2f}%", f"{100 * confidence[i]:.2f}%",
                 f"{losses[i]:.4f}"):
        assert text in caption, (text, caption)
END

# ---- how many are kept; the folder may be anywhere
# shellcheck disable=SC2086
expect 0 "$res2net" eval "$@" $listed --format json --report set --worst 3
python_check "--worst 3, a report in the pictures' folder" <<'END'
import urllib.parse
from figures import *
from page import Page
order = sorted(range(24), key=lambda i: (-losses[i], i))[:3]
assert [row["file"] for row in value["worst"]] == ["./" + names[i] for i in order], value["worst"]
links = [urllib.parse.unquote(link) for link in Page("set/worst.html").links]
assert links == [names[i][len("set/"):] for i in order], links
END
# shellcheck disable=SC2086
expect 0 "$res2net" eval "$@" $listed --format json --report made/none --worst 0
python_check "--worst 0" <<'END'
from page import Page
assert value["worst"] == [] and Page("made/none/worst.html").pictures == []
END
# shellcheck disable=SC2086
expect 2 "$res2net" eval "$@" $listed --worst 10001
says "10000"

# ---- records of a CIFAR binary are in the page
python3 - <<'END'
import random
rng = random.Random(6)
with open("cifar.bin", "wb") as file:
    for i in range(5):
        file.write(bytes([i % 3]) + bytes(rng.randrange(256) for _ in range(3072)))
END
expect 0 "$res2net" eval "$@" --list cifar.bin --format json --report made/cifar
python_check "a CIFAR record's own pixels" <<'END'
import base64, re, struct
from page import Page
records = open("cifar.bin", "rb").read()
page = Page("made/cifar/worst.html")
assert len(page.pictures) == len(value["worst"]) == 5 and page.links == []
for row, address in zip(value["worst"], page.pictures):
    item = int(re.fullmatch(r"cifar\.bin\[(\d)\]", row["file"])[1])
    head, text = address.split(",")
    assert head == "data:image/bmp;base64", head
    file = base64.b64decode(text, validate=True)
    assert struct.unpack("<2sIHHI", file[:14]) == (b"BM", len(file), 0, 0, 54)
    assert struct.unpack("<IiiHHI", file[14:34]) == (40, 32, 32, 1, 24, 0)
    planes = records[3073 * item + 1:3073 * item + 3073]
    for y in range(32):
        for x in range(32):
            at = 54 + 96 * (31 - y) + 3 * x
            assert file[at:at + 3][::-1] == planes[32 * y + x::1024], (item, x, y)
END

# ---- text; three classes have no five answers
# shellcheck disable=SC2086
expect 0 "$res2net" eval "$@" $listed
prints "macro F1 "
prints "ECE      "
prints "top-5 "
prints "the most frequent confusions:"
awk -F'|' '$2 < 3' list.txt >few.txt
expect 0 "$res2net" eval -m three.safetensors --transforms transforms.yaml --list few.txt --root . \
    --delimiter '|'
prints "top-3    100.0000%"
prints "top-1    top-3  precision"

# ---- nothing that ran: null, and pages all the same
head -c 60 set/2.png >cut.png
echo 'cut.png 0' >bad.txt
for policy in skip wrong; do
    expect 1 "$res2net" eval "$@" --list bad.txt --root . --on-bad-image $policy --format json \
        --report made/$policy
    python_check "nothing ran, $policy" <<'END'
import xml.etree.ElementTree as tree
assert value["calibration_error"] is None and value["loss"] is None, value
assert value["worst"] == [] and value["confused_pairs"] == [], value
assert value["macro_f1"] == (0 if value["images"] else None), value
for row in value["calibration"]:
    assert row["images"] == 0, row
END
    for chart in confusion calibration; do
        checks=$((checks + 1))
        python3 -c 'import sys, xml.etree.ElementTree as t; t.parse(sys.argv[1])' \
            made/$policy/$chart.svg || fail "$chart.svg of nothing"
    done
    expect 1 "$res2net" eval "$@" --list bad.txt --root . --on-bad-image $policy
done
finish
