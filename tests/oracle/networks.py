# SPDX-License-Identifier: Apache-2.0
"""A Res2Net in PyTorch, ours, for what no library has: the small 3x3-stem nets, and the Paddle
family as a torch module (that ONNX export takes). logits.py checks it against the real PaddleClas
and timm, so that it may stand for them where they are absent."""
import torch
from torch import nn

import names


def _convolution(inputs, outputs, kernel, stride=1):
    return nn.Conv2d(inputs, outputs, kernel, stride, padding=kernel // 2, bias=False)


class Block(nn.Module):
    """The names of the paper's code: conv1, bn1, convs, bns, conv3, bn3, downsample."""

    def __init__(self, inputs, planes, width, scale, stride, first, family, pooled_shortcut):
        super().__init__()
        self.width = width
        paddle = family == "paddle"
        # The one structural difference of the families: what the first block of stage 1 is.
        self.adds = stride == 1 and (paddle or not first)
        self.pool = None if self.adds else nn.AvgPool2d(3, stride, 1, count_include_pad=not paddle)
        self.conv1 = _convolution(inputs, width * scale, 1)
        self.bn1 = nn.BatchNorm2d(width * scale)
        self.convs = nn.ModuleList(_convolution(width, width, 3, stride) for _ in range(scale - 1))
        self.bns = nn.ModuleList(nn.BatchNorm2d(width) for _ in range(scale - 1))
        self.conv3 = _convolution(width * scale, planes * 4, 1)
        self.bn3 = nn.BatchNorm2d(planes * 4)
        self.downsample = None
        if first and pooled_shortcut:
            pool = nn.AvgPool2d(2, 2, 0, ceil_mode=True, count_include_pad=False)
            self.downsample = nn.Sequential(pool if stride > 1 else nn.Identity(),
                                            _convolution(inputs, planes * 4, 1),
                                            nn.BatchNorm2d(planes * 4))
        elif first:
            self.downsample = nn.Sequential(_convolution(inputs, planes * 4, 1, stride),
                                            nn.BatchNorm2d(planes * 4))

    def forward(self, x):
        groups = torch.split(torch.relu(self.bn1(self.conv1(x))), self.width, 1)
        results = []
        for i, (conv, bn) in enumerate(zip(self.convs, self.bns)):
            value = groups[i] + results[-1] if i and self.adds else groups[i]
            results.append(torch.relu(bn(conv(value))))
        results.append(groups[-1] if self.pool is None else self.pool(groups[-1]))
        y = self.bn3(self.conv3(torch.cat(results, 1)))
        return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Res2Net(nn.Module):
    """stem: "7x7", "deep" (vd, v1b, d) or "3x3" (stride 1, no max pool)."""

    def __init__(self, depths, base_width, scale, family, stem="7x7", planes=64, classes=1000):
        super().__init__()
        channels = planes
        if stem == "deep":
            self.conv1 = nn.Sequential(
                _convolution(3, 32, 3, 2), nn.BatchNorm2d(32), nn.ReLU(),
                _convolution(32, 32, 3), nn.BatchNorm2d(32), nn.ReLU(), _convolution(32, 64, 3))
        elif stem == "7x7":
            self.conv1 = _convolution(3, 64, 7, 2)
        else:
            self.conv1 = _convolution(3, channels, 3)
        self.bn1 = nn.BatchNorm2d(channels)
        self.maxpool = nn.Identity() if stem == "3x3" else nn.MaxPool2d(3, 2, 1)
        for stage, depth in enumerate(depths):
            width = planes * base_width // 64
            blocks = []
            for block in range(depth):
                stride = 2 if block == 0 and stage > 0 else 1
                blocks.append(Block(channels, planes, width, scale, stride, block == 0, family,
                                    stem == "deep"))
                channels = planes * 4
            setattr(self, f"layer{stage + 1}", nn.Sequential(*blocks))
            planes *= 2
        self.stages = len(depths)
        self.fc = nn.Linear(channels, classes)

    def forward(self, x):
        x = self.maxpool(torch.relu(self.bn1(self.conv1(x))))
        for stage in range(self.stages):
            x = getattr(self, f"layer{stage + 1}")(x)
        return self.fc(nn.functional.adaptive_avg_pool2d(x, 1).flatten(1))


def cifar(planes, depths, width, scale, family, classes=100):
    """The free small nets, "cifar:planes=...,depths=...,width=...,scale=..."."""
    return Res2Net(depths, width, scale, family, stem="3x3", planes=planes, classes=classes)


def paddle_family(architecture, classes=1000):
    """One of the five of PaddleClas, in its arithmetic, under torch names."""
    vd, _, width, scale, depths = names.PADDLE[architecture]
    return Res2Net(depths, width, scale, "paddle", stem="deep" if vd else "7x7", classes=classes)
