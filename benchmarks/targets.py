#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the results say of the project's speed targets: a line each with limit, aim and value.

targets.py results.csv

A ratio is of the smallest times of one run, two threads, on the CPU that was measured last; the
network is Res2Net50_26w_4s unless said. Above 1 we are faster. Needs Python's own library only.
"""
import sys

import results

NETWORK, PLAIN = "Res2Net50_26w_4s", "resnet50"
OTHERS = ("Res2Net50_vd_26w_4s", "Res2Net50_14w_8s", "Res2Net101_vd_26w_4s", "Res2Net200_vd_26w_4s")
SET_FOR_TILES = ("int8, batch 1, vs OpenVINO NNCF int8", "int8, batch 8, vs OpenVINO NNCF int8")
WEIGHTS_MB = {"f32": 102.8, "bf16": 51.4}


class Missing(Exception):
    """No value; the words say why."""


class Results:
    def __init__(self, rows):
        self.rows, self.amx = rows, "AMX" in rows[-1]["cpu"]
        self.bf16 = self.amx or "AVX512_BF16" in rows[-1]["cpu"]

    def _key(self, **key):
        return {"what": "batch", "arch": NETWORK, "batch": 1, "threads": 2, "held": "", **key}

    def _measured(self, key, field="min_ms"):
        """{date: value}"""
        return {row["date"]: float(row[field]) for row in results.matching(self.rows, **key)
                if row[field]}

    def _missing(self, *keys):
        precisions = {key["precision"] for key in keys}
        if not self.bf16 and "bf16" in precisions or not self.amx and "bf16x3" in precisions:
            return Missing("not measurable here (no AMX)")
        for key in keys:
            notes = [row["note"] for row in results.newest(results.matching(self.rows, **key))
                     if row["note"]] if results.matching(self.rows, **key) else []
            if notes:
                return Missing(f"not measured: {notes[-1]}")
        return Missing("not measured")

    def value(self, field, **key):
        key = self._key(**key)
        found = self._measured(key, field)
        if not found:
            raise self._missing(key)
        return found[max(found)]

    def ratio(self, over, under):
        """over's time divided by under's, in the last run that has both."""
        over, under = self._key(**over), self._key(**under)
        a, b = self._measured(over), self._measured(under)
        both = a.keys() & b.keys()
        if not both:
            raise self._missing(under, over)
        return a[max(both)] / b[max(both)]

    def faster(self, precision, peer_precision=None, **key):
        """OpenVINO's time divided by ours."""
        return self.ratio({"engine": "openvino", "precision": peer_precision or precision, **key},
                          {"engine": "res2net", "precision": precision, **key})

    def scale_costs(self, precision):
        return self.ratio({"engine": "res2net", "precision": precision},
                          {"engine": "res2net", "precision": precision, "arch": PLAIN})

    def plain(self):
        return self.ratio({"engine": "openvino", "precision": "bf16", "arch": PLAIN},
                          {"engine": "res2net", "precision": "bf16"})

    def worst(self, precision):
        """Over the other networks and batches."""
        return min(self.faster(precision, arch=arch, batch=batch)
                   for arch in OTHERS for batch in (1, 4, 8))

    def start(self, precision):
        return self.value("min_ms", what="start", engine="res2net", precision=precision)

    def peak(self, precision):
        mib = self.value("peak_mib", what="start", engine="res2net", precision=precision)
        return mib * 1.048576


def rows_of(r):
    """(what, sense, must, aim, how to get it). Sense: ">=" or "<=", or strictly ">"."""
    def folder(precision):
        return r.faster(precision, what="folder", batch=8)
    yield "f32, batch 1, vs OpenVINO f32", ">=", 1.15, 1.35, lambda: r.faster("f32")
    yield "bf16, batch 1, vs OpenVINO bf16", ">=", 1.9, 2.45, lambda: r.faster("bf16")
    yield "bf16, batch 8, vs OpenVINO bf16", ">=", 1.5, 2.2, lambda: r.faster("bf16", batch=8)
    yield ("bf16x3, batch 1, vs OpenVINO f32", ">=", 2.5, 3.5,
           lambda: r.faster("bf16x3", "f32"))
    yield "int8, batch 1, vs OpenVINO NNCF int8", ">=", 1.8, 2.5, lambda: r.faster("int8")
    yield "int8, batch 8, vs OpenVINO NNCF int8", ">=", 1.5, 2.5, lambda: r.faster("int8", batch=8)
    yield "bf16, batch 1, vs OpenVINO's ResNet-50 bf16", ">=", 1.0, 1.4, r.plain
    for precision, must, aim in (("f32", 1.12, 1.08), ("bf16", 1.20, 1.12), ("int8", 1.30, 1.20)):
        yield (f"our Res2Net50 / our ResNet-50, {precision}", "<=", must, aim,
               lambda precision=precision: r.scale_costs(precision))
        yield (f"our ResNet-50 vs OpenVINO's, {precision}, batch 1", ">=", 1.0, 1.0,
               lambda precision=precision: r.faster(precision, arch=PLAIN))
    yield ("the other four networks, f32, batch 1, 4, 8: the worst cell", ">", 1.0, 1.0,
           lambda: r.worst("f32"))
    yield ("the other four networks, bf16, batch 1, 4, 8: the worst cell", ">", 1.0, 1.8,
           lambda: r.worst("bf16"))
    yield ("held to AVX2: f32, batch 1, vs OpenVINO f32", ">", 1.0, 1.15,
           lambda: r.faster("f32", held="avx2"))
    yield ("held to AVX-512 VNNI: int8, batch 1, vs OpenVINO int8", ">=", 1.0, 1.25,
           lambda: r.faster("int8", held="vnni"))
    yield ("held to AVX2: int8, batch 1, vs OpenVINO int8", ">", 1.0, 1.3,
           lambda: r.faster("int8", held="avx2"))
    for precision, must, aim in (("f32", 60, 40), ("bf16", 30, 15)):
        yield (f"process start to answer, {precision}, ms", "<=", must, aim,
               lambda precision=precision: r.start(precision))
    for precision, must in (("f32", 150), ("bf16", 90)):
        yield (f"peak memory, {precision}, MB", "<=", must, WEIGHTS_MB[precision] + 15,
               lambda precision=precision: r.peak(precision))
    yield ("predict, folder, bf16, batch 8, vs OpenVINO bf16 and OpenCV", ">=", 1.5, 2.0,
           lambda: folder("bf16"))
    yield ("predict, folder, f32, batch 8, vs OpenVINO f32 and OpenCV (no target)", ">=", 0, 0,
           lambda: folder("f32"))


def holds(value, sense, limit):
    if sense == "<=":
        return value <= limit
    return value > limit if sense == ">" else value >= limit


def verdict(value, sense, must, aim):
    if not must:
        return "measured"
    if holds(value, sense, aim):
        return "aim reached"
    return "reached" if holds(value, sense, must) else "not reached"


def table(rows):
    """Lines of Markdown."""
    yield "| what | must | aim | value | |"
    yield "|---|---|---|---|---|"
    measured = Results(rows)
    for what, sense, must, aim, value in rows_of(measured):
        limits = f"{sense} {must:g} | {sense} {aim:g}" if must else "|"
        try:
            found = value()
            said = verdict(found, sense, must, aim)
            for_tiles = what in SET_FOR_TILES or "bf16" in what
            if said == "not reached" and not measured.amx and for_tiles:
                said = "set for AMX, which is not here"
            yield f"| {what} | {limits} | {found:.4g} | {said} |"
        except Missing as reason:
            yield f"| {what} | {limits} | | {reason} |"


def main():
    if len(sys.argv) != 2:
        sys.exit(__doc__.strip().splitlines()[2])
    rows = results.read(sys.argv[1])
    print(f"{rows[-1]['cpu']}, runs up to {rows[-1]['date'][:10]}\n")
    print("\n".join(table(rows)))


if __name__ == "__main__":
    main()
