#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Draws results.csv: for each network, batch and thread count how many times longer than ours each
peer takes; a panel a precision and ISA held to. Needs Python's own library only.

draw_results.py results.csv results.svg
"""
import math
import sys
from xml.sax.saxutils import escape

import results

COLOURS = {"openvino": "#2a7f62", "onnxruntime": "#3b5b92", "pytorch": "#d98324",
           "paddle": "#8e4585", "ncnn": "#777777"}
NAMES = {"openvino": "OpenVINO", "onnxruntime": "onnxruntime", "pytorch": "PyTorch",
         "paddle": "Paddle Inference", "ncnn": "ncnn"}
HELD = {"": "", "avx2": ", all held to AVX2", "avx512": ", all held to AVX-512",
        "vnni": ", all held to AVX-512 VNNI"}
WIDTH, LABELS, COLUMN, TIMES, ROW, HEAD = 1000, 232, 384, 76, 19, 112
LEAST, MOST = 0.5, 6.0
TICKS = (0.5, 0.7, 1, 1.5, 2, 3, 4, 6)


def text(x, y, words, more=""):
    return f'<text x="{x:.1f}" y="{y:.1f}" {more}>{escape(words)}</text>'


def line(x1, y1, x2, y2, colour, more=""):
    return (f'<line x1="{x1:.1f}" y1="{y1:.1f}" x2="{x2:.1f}" y2="{y2:.1f}" '
            f'stroke="{colour}" {more}/>')


def last_run(rows):
    """{engine: row} of the last run that has ours and a peer's; empty where there is none."""
    runs = {}
    for row in rows:
        runs.setdefault(row["date"], {})[row["engine"]] = row
    whole = [date for date, run in runs.items() if "res2net" in run and len(run) > 1]
    return runs[max(whole)] if whole else {}


def panels_of(rows):
    """{(precision, held): {(arch, batch): {threads: {engine: row}}}} of each cell's last run."""
    panels, cells = {}, {}
    for row in rows:
        if row["what"] == "batch" and row["min_ms"]:
            key = tuple(row[name] for name in ("precision", "held", "arch", "batch", "threads"))
            cells.setdefault(key, []).append(row)
    for (precision, held, arch, batch, threads), found in cells.items():
        cell = last_run(found)
        if cell:
            panel = panels.setdefault((precision, held), {})
            panel.setdefault((arch, batch), {})[threads] = cell
    networks = list(dict.fromkeys(arch for _, _, arch, _, _ in cells))
    return {name: dict(sorted(panel.items(),
                              key=lambda item: (networks.index(item[0][0]), int(item[0][1]))))
            for name, panel in panels.items()}


def place(left, ratio):
    """Where a ratio stands: the scale is logarithmic, so that 2 and 1/2 are equally far from 1."""
    room = COLUMN - TIMES - 34
    part = math.log(min(max(ratio, LEAST), MOST) / LEAST) / math.log(MOST / LEAST)
    return left + TIMES + part * room


def mark(left, y, engine, ratio):
    """A dot; beyond the scale an arrow's head, and its number where there is room."""
    x, colour = place(left, ratio), COLOURS.get(engine, "#000000")
    name = f"<title>{escape(NAMES.get(engine, engine))}: {ratio:.2f} times ours</title>"
    if LEAST <= ratio <= MOST:
        return (f'<circle cx="{x:.1f}" cy="{y:.1f}" r="5" fill="{colour}" fill-opacity="0.85">'
                f"{name}</circle>")
    way = 1 if ratio > MOST else -1
    back, tip = x - 3 * way, x + 6 * way
    points = f"{back:.1f},{y - 5:.1f} {tip:.1f},{y:.1f} {back:.1f},{y + 5:.1f}"
    number = text(x + 9, y + 4, f"{ratio:.0f}", f'fill="{colour}" font-size="10"')
    return (f'<polygon points="{points}" fill="{colour}">{name}</polygon>' +
            (number if ratio > MOST else ""))


def scale(left, top, bottom, threads):
    plural = "" if threads == "1" else "s"
    parts = [text(left + TIMES, top - 22, f"{threads} thread{plural}", 'font-weight="bold"'),
             text(left + TIMES - 14, top - 6, "ours, ms", 'text-anchor="end" fill="#666666"')]
    for tick in TICKS:
        x = place(left, tick)
        colour, width = ("#b3202a", 1.5) if tick == 1 else ("#dddddd", 1)
        parts.append(line(x, top, x, bottom, colour, f'stroke-width="{width}"'))
        parts.append(text(x, top - 6, f"{tick:g}", 'text-anchor="middle" fill="#666666"'))
    return parts


def draw_panel(top, precision, held, groups):
    parts = [text(8, top, precision + HELD.get(held, f", held to {held}"),
                  'font-size="15" font-weight="bold"')]
    top += 32
    bottom, y, before = top + ROW * len(groups), top + ROW / 2, None
    columns = sorted({threads for cells in groups.values() for threads in cells})
    for column, threads in enumerate(columns):
        parts += scale(LABELS + column * COLUMN, top, bottom, threads)
    for (arch, batch), cells in groups.items():
        if arch != before:
            parts.append(line(8, y - ROW / 2, WIDTH - 8, y - ROW / 2, "#bbbbbb"))
            parts.append(text(8, y + 4, arch, 'font-weight="bold"'))
        before = arch
        parts.append(text(LABELS - 54, y + 4, f"batch {batch}"))
        for threads, cell in cells.items():
            left = LABELS + columns.index(threads) * COLUMN
            ours = float(cell["res2net"]["min_ms"])
            parts.append(text(left + TIMES - 14, y + 4, f"{ours:.1f}", 'text-anchor="end"'))
            parts += [mark(left, y, engine, float(row["min_ms"]) / ours)
                      for engine, row in cell.items() if engine != "res2net"]
        y += ROW
    return parts, bottom + 44


def head(rows, panels):
    used = [row for groups in panels.values() for cells in groups.values()
            for cell in cells.values() for row in cell.values()]
    dates = sorted({row["date"][:10] for row in used})
    versions = dict.fromkeys((row["engine"], row["version"]) for row in used
                             if row["engine"] != "res2net")
    parts = [text(8, 24, "How many times longer than res2net", 'font-size="18" font-weight="bold"'),
             text(8, 46, f"{rows[-1]['cpu']}, {' to '.join(dict.fromkeys((dates[0], dates[-1])))}; "
                  "224x224; smallest times of interleaved rounds. Right of the red line res2net is "
                  "faster.")]
    x = 14
    for engine, version in versions:
        words = f"{NAMES.get(engine, engine)} {version}"
        parts.append(f'<circle cx="{x}" cy="66" r="5" fill="{COLOURS.get(engine, "#000000")}"/>')
        parts.append(text(x + 10, 70, words))
        x += 34 + 7 * len(words)
    return parts


def draw(rows):
    panels = panels_of(rows)
    if not panels:
        sys.exit("draw_results: no cell has ours and a peer's")
    parts, y = head(rows, panels), HEAD
    for (precision, held), groups in panels.items():
        more, y = draw_panel(y, precision, held, groups)
        parts += more
    return (f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{y:.0f}" '
            f'font-family="sans-serif" font-size="12" fill="#222222">\n'
            f'<rect width="100%" height="100%" fill="#ffffff"/>\n' +
            "\n".join(parts) + "\n</svg>\n")


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    rows = results.read(sys.argv[1])
    with open(sys.argv[2], "w", encoding="ascii") as file:
        file.write(draw(rows))


if __name__ == "__main__":
    main()
