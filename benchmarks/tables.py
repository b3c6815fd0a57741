#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Writes the tables of results.csv into a Markdown page, between its two marks, so that no number
is copied by hand. Needs Python's own library only.

tables.py results.csv PAGE.md
"""
import sys

import draw_results
import results
import targets

BEGIN, END = "<!-- benchmarks/tables.py writes from here -->", "<!-- to here -->"
ENGINES = ("openvino", "onnxruntime", "pytorch", "paddle", "ncnn")
THREADS = "2"


def cell_row(arch, batch, cell, engines):
    ours = float(cell["res2net"]["min_ms"])
    words = [arch, batch, f"{ours:.1f}"]
    for engine in engines:
        ms = float(cell[engine]["min_ms"]) if engine in cell else None
        words.append(f"{ms:.1f} ({ms / ours:.2f})" if ms else "")
    return "| " + " | ".join(words) + " |"


def panel_table(precision, held, groups):
    """Empty where nothing ran on that many threads."""
    cells = [(arch, batch, of_threads[THREADS]) for (arch, batch), of_threads in groups.items()
             if THREADS in of_threads]
    engines = [name for name in ENGINES if any(name in cell for _, _, cell in cells)]
    if not cells:
        return []
    names = [f"{draw_results.NAMES[name]} {_version(cells, name)}" for name in engines]
    return ["", f"**{precision}{draw_results.HELD.get(held, '')}**", "",
            "| network | batch | res2net | " + " | ".join(names) + " |",
            "|---" * (3 + len(engines)) + "|",
            *(cell_row(arch, batch, cell, engines) for arch, batch, cell in cells)]


def _version(cells, engine):
    return next(cell[engine]["version"] for _, _, cell in cells if engine in cell)


def last_of(rows, what):
    """The last run of each network and precision."""
    runs = {}
    for row in rows:
        if row["what"] == what and row["min_ms"]:
            runs.setdefault((row["arch"], row["precision"]), []).append(row)
    return [row for run in runs.values() for row in results.newest(run)]


def whole_ways(rows):
    """Folders and starts, a line each."""
    for row in last_of(rows, "folder"):
        hint = f" ({row['note']})" if row["note"] else ""
        yield (f"- a folder's files to answers, {row['arch']}, {row['precision']}, batch "
               f"{row['batch']}: {row['engine']}{hint} {float(row['min_ms']) / 1000:.1f} s, "
               f"{row['agreement']}")
    for row in last_of(rows, "start"):
        yield (f"- process start to answer, {row['arch']}, {row['precision']}: "
               f"{float(row['min_ms']):.0f} ms, {float(row['peak_mib']):.0f} MiB at the peak")


def tables(rows):
    lines = [f"{rows[-1]['cpu']}, {THREADS} threads. Milliseconds of a batch of 224x224, the "
             "smallest of interleaved turns; in brackets the peer's divided by ours, so above 1 "
             "we are faster. Measured " + ", ".join(
                 sorted({f"{row['date'][:10]} at {row['commit']}"
                         for row in rows if row["min_ms"]})) + "."]
    for (precision, held), groups in draw_results.panels_of(rows).items():
        lines += panel_table(precision, held, groups)
    ways = list(whole_ways(rows))
    return lines + ([""] + ways if ways else []) + [
        "", "The project's targets, which were set for a CPU with AMX:", "", *targets.table(rows)]


def main():
    if len(sys.argv) != 3:
        sys.exit(__doc__.strip().splitlines()[-1])
    with open(sys.argv[2], encoding="utf-8") as file:
        page = file.read()
    before, begin, rest = page.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        sys.exit(f"tables: {sys.argv[2]} has not both marks: {BEGIN} and {END}")
    middle = "\n".join(tables(results.read(sys.argv[1])))
    with open(sys.argv[2], "w", encoding="utf-8") as file:
        file.write(f"{before}{BEGIN}\n{middle}\n{END}{after}")


if __name__ == "__main__":
    main()
