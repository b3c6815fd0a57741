# SPDX-License-Identifier: Apache-2.0
"""The five Paddle architectures, and Paddle's tensor names beside the torch names.

Written from the layer list, not from our C sources, so that a mistake there is seen here.
"""

# name: (vd, layers, width, scale, depths)
PADDLE = {
    "Res2Net50_26w_4s": (False, 50, 26, 4, (3, 4, 6, 3)),
    "Res2Net50_14w_8s": (False, 50, 14, 8, (3, 4, 6, 3)),
    "Res2Net50_vd_26w_4s": (True, 50, 26, 4, (3, 4, 6, 3)),
    "Res2Net101_vd_26w_4s": (True, 101, 26, 4, (3, 4, 23, 3)),
    "Res2Net200_vd_26w_4s": (True, 200, 26, 4, (3, 12, 48, 3)),
}

_BATCH_NORM = (("weight", "weight"), ("bias", "bias"),
               ("_mean", "running_mean"), ("_variance", "running_var"))


def _block_letter(layers, stage, block):
    if stage == 2 and layers > 50:
        return "a" if block == 0 else f"b{block}"
    return chr(ord("a") + block)


def _unit(paddle, convolution, batch_norm):
    yield f"{paddle}._conv.weight", f"{convolution}.weight"
    for theirs, ours in _BATCH_NORM:
        yield f"{paddle}._batch_norm.{theirs}", f"{batch_norm}.{ours}"


def paddle_to_torch(architecture):
    """[(Paddle's structured name, torch name)] in Paddle's state-dict order."""
    vd, layers, _, scale, depths = PADDLE[architecture]
    pairs = []
    if vd:
        pairs += _unit("conv1_1", "conv1.0", "conv1.1")
        pairs += _unit("conv1_2", "conv1.3", "conv1.4")
        pairs += _unit("conv1_3", "conv1.6", "bn1")
    else:
        pairs += _unit("conv1", "conv1", "bn1")
    for stage, depth in enumerate(depths):
        for block in range(depth):
            theirs = f"bb_{stage}_{block}"
            ours = f"layer{stage + 1}.{block}"
            letter = _block_letter(layers, stage, block)
            pairs += _unit(f"{theirs}.conv0", f"{ours}.conv1", f"{ours}.bn1")
            for group in range(scale - 1):
                pairs += _unit(f"{theirs}.res{stage + 2}{letter}_branch2b_{group + 1}",
                               f"{ours}.convs.{group}", f"{ours}.bns.{group}")
            pairs += _unit(f"{theirs}.conv2", f"{ours}.conv3", f"{ours}.bn3")
            if block == 0:
                at = 1 if vd else 0
                pairs += _unit(f"{theirs}.short", f"{ours}.downsample.{at}",
                               f"{ours}.downsample.{at + 1}")
    pairs += [("out.weight", "fc.weight"), ("out.bias", "fc.bias")]
    return pairs
