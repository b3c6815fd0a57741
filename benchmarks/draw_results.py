#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws the last run in results.csv as bars, a group a network, batch and thread count.

draw_results.py results.csv results.svg
"""
import csv
import sys
from xml.sax.saxutils import escape

COLOURS = {"res2net": "#d1495b", "openvino": "#66a182", "onnxruntime": "#2e4057",
           "pytorch": "#edae49"}
LABEL, BAR, GAP, GROUP_GAP, WIDTH = 250, 16, 2, 14, 820
TOP = 82


def last_run(file):
    rows = list(csv.DictReader(file))
    if not rows:
        sys.exit("draw_results: no rows")
    return [row for row in rows if row["date"] == rows[-1]["date"]]


def groups_of(rows):
    """{(network, batch, threads): [row]} in the file's order."""
    groups = {}
    for row in rows:
        groups.setdefault((row["arch"], row["batch"], row["threads"]), []).append(row)
    return groups


def text(x, y, words, more=""):
    return f'<text x="{x}" y="{y}" {more}>{escape(words)}</text>'


def bars(groups):
    """A bar's length is its time as a part of the slowest of its group: groups of a millisecond
    and of a second are then both read at a glance, and the numbers stand beside."""
    y, lines = TOP, []
    room = WIDTH - LABEL - 150
    for (arch, batch, threads), rows in groups.items():
        slowest = max(float(row["min_ms"]) for row in rows)
        plural = "" if threads == "1" else "s"
        lines.append(text(8, y + BAR - 4, arch, 'font-weight="bold"'))
        lines.append(text(8, y + 2 * BAR - 2, f"batch {batch}, {threads} thread{plural}"))
        for row in rows:
            smallest = float(row["min_ms"])
            length = room * smallest / slowest
            colour = COLOURS.get(row["engine"], "#888888")
            lines.append(f'<rect x="{LABEL}" y="{y}" width="{length:.1f}" height="{BAR}" '
                         f'fill="{colour}"/>')
            lines.append(text(f"{LABEL + length + 6:.1f}", y + BAR - 4,
                              f"{smallest:.1f} ms {row['engine']}"))
            y += BAR + GAP
        y += GROUP_GAP
    return lines, y


def draw(rows):
    lines, height = bars(groups_of(rows))
    engines = dict.fromkeys(f"{row['engine']} {row['version']}" for row in rows)
    head = [text(8, 22, "Milliseconds a batch, f32, 224x224: shorter is better",
                 'font-size="16" font-weight="bold"'),
            text(8, 44, f"{rows[0]['cpu']}, {rows[0]['date'][:10]}; smallest of "
                 f"{rows[0]['rounds']} interleaved rounds"),
            text(8, 62, ", ".join(engines))]
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
            f'font-family="sans-serif" font-size="12" fill="#222222">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n' +
            "\n".join(head + lines) + "\n</svg>\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    with open(sys.argv[1], encoding="ascii", newline="") as file:
        rows = last_run(file)
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write(draw(rows))


if __name__ == "__main__":
    main()
