#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What `train --print-config` says of our configurations, with overrides, beside PaddleClas' own
get_config (ppcls/utils/config.py of the paddleclas package). Every value that does not come from a
default must be the same. Runs in the environment `paddle`.

    train_config.py [--program "build/res2net train --print-config"]
"""
import argparse
import ast
import contextlib
import glob
import importlib.util
import io
import os
import subprocess
import sys
import sysconfig
import types

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
CASES = [
    [],
    ["Arch.class_num=10", "Global.epochs=30", "Optimizer.lr.learning_rate=1e-3",
     "Optimizer.lr.warmup_epoch=5"],
    ["Global.pretrained_model=null", "Global.seed= 7 ", "Optimizer.regularizer.name=\"L1\"",
     "Global.eval_during_train=False"],
    ["DataLoader.Train.sampler.batch_size=32", "Loss.Train.0.CELoss.epsilon=None",
     "DataLoader.Train.dataset.batch_transform_ops=None"],
    ["EMA.decay=0.99", "AMP.use_amp=True", "DataLoader.Eval.dataset.cls_label_path=a b.txt",
     "Metric.Train=None"],
    ["Optimizer.lr.name=Piecewise", "Optimizer.lr.learning_rate=None",
     "Optimizer.lr.warmup_start_lr=None", "Optimizer.lr.decay_epochs=[30,60]",
     "Optimizer.lr.values=(0.1, 0.01,0.001)"],
    ["Global.image_shape=[3,128,128]", "Optimizer.momentum=.85", "Optimizer.use_nesterov=True",
     "Global.save_interval=-1"],
]
# Told in words, not as in the file.
IN_WORDS = ("transform_ops", "Loss.Train", "Loss.Eval", "Metric.Train", "Metric.Eval", "delimiter")


def paddleclas_config():
    """PaddleClas' module without the rest of PaddleClas, whose logger and checks it names."""
    path = os.path.join(sysconfig.get_paths()["purelib"], "paddleclas/ppcls/utils/config.py")
    utils, logger, check = (types.ModuleType(name) for name in
                            ("ppcls.utils", "ppcls.utils.logger", "ppcls.utils.check"))
    logger.warning = logger.info = logger.advertise = lambda *_: None
    utils.logger, utils.check, utils.__path__ = logger, check, []
    sys.modules.update({"ppcls": types.ModuleType("ppcls"), "ppcls.utils": utils,
                        "ppcls.utils.logger": logger, "ppcls.utils.check": check})
    spec = importlib.util.spec_from_file_location("ppcls.utils.config", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def find(config, path):
    for name in path.split("."):
        try:
            config = config[int(name)] if isinstance(config, list) else config[name]
        except (KeyError, IndexError, TypeError):
            return "(absent)"
    return list(config) if isinstance(config, tuple) else config


def value_of(text):
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError):
        return text


def compare(program, config, path, overrides):
    """(values that agree, lines about those that do not)"""
    with contextlib.redirect_stdout(io.StringIO()):
        real = config.get_config(path, overrides=list(overrides), show=False)
    command = program + ["-c", path]
    for override in overrides:
        command += ["-o", override]
    run = subprocess.run(command, capture_output=True, text=True)
    good, misses = 0, []
    if run.returncode != 0:
        return 0, [f"exit status {run.returncode}: {run.stderr or run.stdout}"]
    for line in run.stdout.splitlines():
        if ": " not in line or "  # " not in line:
            continue
        key, rest = line.split(": ", 1)
        text, origin = rest.split("  # ", 1)
        if origin.startswith("default") or key.endswith(IN_WORDS):
            continue
        wanted = find(real, key)
        if key.endswith("pretrained_model"):
            wanted += ".pdparams"  # ours says the file's whole name
        if value_of(text) == wanted:
            good += 1
        else:
            misses.append(f"{key} is {text} here and {wanted!r} in PaddleClas")
    return good, misses


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--program", default="build/res2net train --print-config")
    program = parser.parse_args().program.split()
    config = paddleclas_config()
    passed = failed = 0
    for path in sorted(glob.glob(os.path.join(TOP, "configs/*/*.yaml")) +
                       glob.glob(os.path.join(TOP, "configs/*/*/*.yaml"))):
        for overrides in CASES:
            good, misses = compare(program, config, path, overrides)
            for miss in misses:
                print(f"{os.path.relpath(path, TOP)} {overrides}: {miss}")
            passed += good
            failed += len(misses) + (good == 0)
    print(f"{passed} passed, {failed} failed")
    return failed > 0


if __name__ == "__main__":
    sys.exit(main())
