#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Makes tests/golden/train_parts.txt: what the real Paddle answers to the cases of
tests/unit/train_parts.h (its head describes the lines). Needs Paddle: tests/oracle/environments.sh.

make_train_parts.py           writes the file anew; its first line names the versions
make_train_parts.py --check   says whether Paddle still answers what the file has

tests/oracle/train_parts.py asks many more cases than the file holds, with the functions from here.
"""
import os
import sys

import numpy as np
import paddle
from paddle.optimizer import lr

HERE = os.path.dirname(os.path.abspath(__file__))
FILE = os.path.join(HERE, "train_parts.txt")


# ---- lines ----------------------------------------------------------------------------------

def text(value):
    if isinstance(value, (list, tuple, np.ndarray)):
        return ",".join(text(item) for item in value)
    if isinstance(value, (bool, int, np.integer)):
        return str(int(value))
    if isinstance(value, np.float32):
        return f"{float(value):.9g}"
    return repr(value) if isinstance(value, float) else str(value)


def line(word, case):
    return word + "".join(f" {key}={text(value)}" for key, value in case.items())


# ---- schedules ------------------------------------------------------------------------------

def decay(case):
    """The scheduler within a warm-up, or alone; None: the plain rate."""
    steps = 1 if case.get("by_epoch") else case["iterations"]
    left = case["epochs"] * steps - round(case.get("warmup_epochs", 0) * steps)
    points = [at * steps for at in case.get("at", ())]
    kind = case["kind"]
    if kind == "piecewise":
        return lr.PiecewiseDecay(points, list(case["values"]))
    if kind == "multistep":
        return lr.MultiStepDecay(case["rate"], points, case["gamma"])
    if kind == "step":
        return lr.StepDecay(case["rate"], case["step_epochs"] * steps, case["gamma"])
    if kind == "constant" or left <= 0:
        return None
    if kind == "linear":
        return lr.PolynomialDecay(case["rate"], left, case.get("minimum", 0.0),
                                  case["power"])
    return lr.CosineAnnealingDecay(case["rate"], left, case.get("minimum", 0.0))


def scheduler(case):
    """As PaddleClas builds it (spec/paddleclas.md 2.4)."""
    inner = decay(case)
    steps = 1 if case.get("by_epoch") else case["iterations"]
    warmup = round(case.get("warmup_epochs", 0) * steps)
    top = case["values"][0] if case["kind"] == "piecewise" else case["rate"]
    if warmup == 0:
        return lr.LambdaDecay(case["rate"], lambda _: 1.0) if inner is None else inner
    return lr.LinearWarmup(top if inner is None else inner, warmup,
                           case.get("warmup_start", 0.0), top)


def schedule_answer(case):
    made, numbers = scheduler(case), []
    for iteration in range(case["count"]):
        numbers.append(made())
        if not case.get("by_epoch"):
            made.step()
        numbers.append(made.get_lr())
        if case.get("by_epoch") and (iteration + 1) % case["iterations"] == 0:
            made.step()
    return numbers


# ---- losses ---------------------------------------------------------------------------------

def rows_of(case, key):
    return np.array(case[key], "float32").astype("float64").reshape(case["images"], case["classes"])


def loss_answer(case):
    """PaddleClas' CELoss (spec/paddleclas.md 2.5); class weights with epsilon are ours. In f64:
    Paddle adds up a thousand classes in f32 with an error above what is allowed here."""
    logits = paddle.to_tensor(rows_of(case, "logits"), stop_gradient=False)
    soft = "targets" in case
    hard = None if soft else paddle.to_tensor(np.array(case["labels"], "int64"))
    target = (paddle.to_tensor(rows_of(case, "targets")) if soft else
              paddle.nn.functional.one_hot(hard, case["classes"]).astype("float64"))
    weights = None
    if "class_weights" in case:
        weights = paddle.to_tensor(np.array(case["class_weights"], "float64"))
    if 0 < case.get("epsilon", 0) < 1:
        smooth = paddle.nn.functional.label_smooth(target, epsilon=case["epsilon"])
        each = paddle.sum(-paddle.nn.functional.log_softmax(logits, axis=-1) * smooth, axis=-1)
        count = paddle.ones_like(each) if weights is None else target @ weights
        loss = (each * count).sum() / count.sum()
    else:
        loss = paddle.nn.functional.cross_entropy(logits, target if soft else hard,
                                                  weight=weights, soft_label=soft)
    loss = loss * case["weight"]
    loss.backward()
    right = (logits.numpy().argmax(-1) == target.numpy().argmax(-1)).sum()
    return [float(loss), float(right)] + logits.grad.numpy().ravel().tolist()


# ---- optimisers -----------------------------------------------------------------------------

def parameters_of(case, arrays):
    decays = case.get("decays", [1] * len(arrays))
    frozen = case.get("frozen", [0] * len(arrays))
    made = []
    for array, decay_it, frozen_it in zip(arrays, decays, frozen):
        attribute = paddle.ParamAttr(
            initializer=paddle.nn.initializer.Assign(array), trainable=not frozen_it,
            regularizer=None if decay_it else paddle.regularizer.L2Decay(0.0))
        made.append(paddle.create_parameter([array.size], "float32", attr=attribute))
    return made


def clipping(case):
    if case.get("clip_norm"):
        return paddle.nn.ClipGradByNorm(case["clip_norm"])
    if case.get("clip_global_norm"):
        return paddle.nn.ClipGradByGlobalNorm(case["clip_global_norm"])
    if case.get("clip_value"):
        return paddle.nn.ClipGradByValue(case["clip_value"])
    return None


def optimiser(case, parameters, rate):
    clip = clipping(case)
    if case["kind"] == "adamw":
        plain = {p.name for p, decays in zip(parameters, case.get("decays", ())) if not decays}
        return paddle.optimizer.AdamW(
            rate, case["beta1"], case["beta2"], case["epsilon"], parameters=parameters,
            weight_decay=case.get("decay", 0.0), grad_clip=clip,
            apply_decay_param_fun=lambda name: name not in plain)
    weight_decay = None
    if case.get("decay"):
        weight_decay = paddle.regularizer.L2Decay(case["decay"])
    if case.get("l1"):
        weight_decay = paddle.regularizer.L1Decay(case["l1"])
    if case["kind"] == "sgd":
        return paddle.optimizer.SGD(rate, parameters=parameters, weight_decay=weight_decay,
                                    grad_clip=clip)
    return paddle.optimizer.Momentum(rate, case["momentum"], parameters,
                                     use_nesterov=bool(case.get("nesterov")),
                                     weight_decay=weight_decay, grad_clip=clip)


def split(case, numbers):
    return np.split(np.array(numbers, "float32"), np.cumsum(case["sizes"])[:-1])


def optimiser_answer(case):
    parameters = parameters_of(case, split(case, case["parameters"]))
    made = optimiser(case, parameters, case["rates"][0])
    total = sum(case["sizes"])
    for step, rate in enumerate(case["rates"]):
        made.set_lr(rate)
        for p, gradient in zip(parameters,
                               split(case, case["gradients"][step * total:(step + 1) * total])):
            if not p.stop_gradient:
                (p * paddle.to_tensor(gradient)).sum().backward()
        made.step()
        made.clear_grad()
    state = made.state_dict()
    numbers = [p.numpy() for p in parameters]
    for kind in {"momentum": ["velocity"], "adamw": ["moment1", "moment2"]}.get(case["kind"], ()):
        for p in parameters:
            name = f"{p.name}_{kind}_0"
            numbers.append(state[name].numpy() if name in state else np.zeros(p.shape, "f"))
    return np.concatenate(numbers).tolist()


# ---- cases ----------------------------------------------------------------------------------

SCHEDULES = [
    dict(kind="cosine", rate=0.1, epochs=3, iterations=7, count=25),
    dict(kind="cosine", rate=0.1, epochs=4, iterations=5, warmup_epochs=1, warmup_start=0.01,
         count=20),
    dict(kind="cosine", rate=0.4, epochs=2, iterations=5, warmup_epochs=0.5, count=10),
    dict(kind="cosine", rate=0.2, epochs=5, iterations=3, minimum=0.001, by_epoch=True, count=15),
    dict(kind="cosine", rate=0.2, epochs=2, iterations=4, warmup_epochs=2, count=10),
    dict(kind="linear", rate=0.1, epochs=3, iterations=6, minimum=1e-4, power=2.0, count=20),
    dict(kind="linear", rate=0.1, epochs=3, iterations=6, power=1.0, warmup_epochs=1, count=18),
    dict(kind="step", rate=0.1, epochs=6, iterations=3, step_epochs=2, gamma=0.1, count=18),
    dict(kind="multistep", rate=0.1, epochs=6, iterations=3, at=[1, 4], gamma=0.5,
         warmup_epochs=1, count=18),
    dict(kind="piecewise", rate=0.0, epochs=6, iterations=3, at=[2, 4], values=[0.1, 0.01, 0.001],
         count=18),
    dict(kind="piecewise", rate=0.0, epochs=6, iterations=3, at=[2, 4], values=[0.1, 0.01, 0.001],
         by_epoch=True, warmup_epochs=1, warmup_start=0.02, count=18),
    dict(kind="constant", rate=0.05, epochs=2, iterations=3, warmup_epochs=1, count=6),
]


def made_numbers(random, count, scale=1.0):
    return (random.standard_normal(count) * scale).astype("float32")


def loss_case(seed, images, classes, soft=False, weighted=False, **options):
    random = np.random.RandomState(seed)
    case = dict(images=images, classes=classes, weight=1.0, **options)
    case["logits"] = made_numbers(random, images * classes, 3)
    if soft:
        rows = random.dirichlet(np.full(classes, 0.3), images)
        case["targets"] = rows.astype("float32").ravel()
    else:
        case["labels"] = random.randint(0, classes, images)
    if weighted:
        case["class_weights"] = random.uniform(0.2, 3, classes).astype("float32")
    return case


LOSSES = [loss_case(1, 3, 5), loss_case(2, 3, 5, epsilon=0.1),
          loss_case(3, 2, 4, soft=True), loss_case(4, 3, 6, soft=True, epsilon=0.1),
          loss_case(5, 4, 3, weighted=True), loss_case(6, 4, 3, weighted=True, epsilon=0.2),
          loss_case(7, 3, 4, weighted=True, soft=True), loss_case(8, 2, 3, epsilon=1.5)]
LOSSES[3]["weight"] = 0.5


def optimiser_case(seed, steps, sizes=(20, 3), scale=1.0, **options):
    random = np.random.RandomState(seed)
    total = sum(sizes)
    return dict(options, sizes=list(sizes), rates=[0.1 * 0.8 ** i for i in range(steps)],
                parameters=made_numbers(random, total),
                gradients=made_numbers(random, steps * total, scale))


ADAMW = dict(kind="adamw", beta1=0.9, beta2=0.999, epsilon=1e-8, decay=0.05)
MOMENTUM = dict(kind="momentum", momentum=0.9, decay=1e-4)
OPTIMISERS = [
    optimiser_case(1, 1, **MOMENTUM), optimiser_case(2, 5, **MOMENTUM),
    optimiser_case(3, 3, **dict(MOMENTUM, decay=0.1, nesterov=1)),
    optimiser_case(4, 2, (4, 5, 6), decays=[1, 0, 1], frozen=[0, 0, 1],
                   **dict(MOMENTUM, decay=0.5)),
    optimiser_case(5, 3, kind="sgd", decay=0.01), optimiser_case(6, 2, kind="sgd", l1=0.05),
    optimiser_case(7, 5, **ADAMW), optimiser_case(8, 2, (3, 4), decays=[0, 1], **ADAMW),
    optimiser_case(9, 2, clip_norm=1.0, **MOMENTUM),
    optimiser_case(10, 2, clip_global_norm=1.0, **MOMENTUM),
    optimiser_case(11, 2, scale=0.01, clip_global_norm=1.0, **MOMENTUM),
    optimiser_case(12, 2, clip_value=0.3, **dict(MOMENTUM, decay=0.1)),
]
ANSWERS = {"schedule": schedule_answer, "loss": loss_answer, "optimiser": optimiser_answer}


def golden():
    yield (f"# made by make_train_parts.py with paddle {paddle.__version__}, "
           f"numpy {np.__version__}: a case, then what Paddle answers")
    for word, cases in (("schedule", SCHEDULES), ("loss", LOSSES), ("optimiser", OPTIMISERS)):
        for case in cases:
            yield line(word, case)
            yield "= " + " ".join(f"{number:.9g}" for number in ANSWERS[word](case))


def main():
    made = "".join(item + "\n" for item in golden())
    if "--check" in sys.argv[1:]:
        with open(FILE, encoding="ascii") as file:
            same = file.read() == made
        print("the same" if same else "DIFFERS from what Paddle answers")
        return 0 if same else 1
    with open(FILE, "w", encoding="ascii") as file:
        file.write(made)
    return 0


if __name__ == "__main__":
    sys.exit(main())
