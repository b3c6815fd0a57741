#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes models/default.r2n from the bootstrap classifier. Usage: models/make_default.sh BOOTSTRAP_FOLDER
set -eu
cd "$(dirname "$0")/.."
build/res2net convert "$1/res2net20_26w_4s_cifar.pth" models/default.r2n --packed none --verify \
    --transforms models/transforms.yaml --labels "$1/label_list.txt" --licence Apache-2.0 \
    --source "trained with PyTorch on the CIFAR-100 training pictures, 6 epochs (models/README.md)"
