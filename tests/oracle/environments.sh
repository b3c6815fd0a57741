#!/bin/sh
# SPDX-License-Identifier: Apache-2.0
# Makes the virtual environments of the comparisons, under .oracle/ of the checkout: the software
# that others wrote and that we compare with. A second run only prints the versions.
#   environments.sh            paddle paddle2onnx torch onnx import pictures sklearn ncnn lite
#   environments.sh NAME...    only these: paddle paddle2onnx torch onnx import pictures records sklearn openvino ncnn lite
# Without names: those of the comparisons. `openvino` is the benchmark's alone. `lite` needs a Python
# 3.8, by that name or pyenv's; without one a plain run leaves it out, and says so.
set -eu
cd "$(dirname "$0")/../.."
root=.oracle
mkdir -p "$root"

say() { printf '%s\n' "environments: $*" >&2; }

python3 -c 'import ensurepip, venv' 2>/dev/null || {
    say "python3 has no venv here; install the Debian package python3-venv"
    exit 3
}

# old_python: a Python 3.8. pyenv's command of that name may be there and yet not run.
old_python() {
    for found in python3.8 "${PYENV_ROOT:-$HOME/.pyenv}"/versions/3.8.*/bin/python; do
        if "$found" -c 'import ensurepip, sys, venv; sys.exit(sys.version_info[:2] != (3, 8))' \
            2>/dev/null; then
            printf '%s\n' "$found"
            return 0
        fi
    done
    return 1
}

interpreter=python3

# make NAME PACKAGE...: one environment. The list of packages is kept in it, so that a change of
# this file makes it anew, and written last, so that a broken install is not taken for a whole one.
make() {
    name=$1
    shift
    folder=$root/$name
    if [ "$(cat "$folder/packages" 2>/dev/null || true)" = "$*" ]; then
        return 0
    fi
    say "installing $name: $*"
    rm -rf "$folder"
    "$interpreter" -m venv "$folder"
    nice -n 10 "$folder/bin/python" -m pip install --quiet --disable-pip-version-check \
        --no-compile "$@"
    printf '%s\n' "$*" >"$folder/packages"
}

versions() { # versions NAME DISTRIBUTION...
    folder=$root/$1
    shift
    "$folder/bin/python" - "$@" <<'END'
import sys
from importlib.metadata import version
print(" ".join(f"{name}=={version(name)}" for name in sys.argv[1:]))
END
}

may_skip=
[ $# -gt 0 ] || {
    may_skip=yes
    set -- paddle paddle2onnx torch onnx import pictures sklearn ncnn lite
}
for name in "$@"; do
    case "$name" in
    paddle)
        # opencv and numpy are held: paddleclas asks for old ones by name only.
        make paddle "paddlepaddle==3.3.1" "paddleclas==2.6.0" "setuptools<81" safetensors
        versions paddle paddlepaddle paddleclas numpy safetensors
        ;;
    torch)
        make torch "torch==2.15.0" torchvision "timm==1.0.31" safetensors pillow numpy onnx
        versions torch torch torchvision timm safetensors pillow numpy onnx
        ;;
    paddle2onnx)
        # apart from paddle's: it asks for an old onnx.
        make paddle2onnx "paddlepaddle==3.3.1" "paddle2onnx==2.1.0" "onnxruntime==1.32.0" numpy
        versions paddle2onnx paddlepaddle paddle2onnx onnx onnxruntime numpy
        ;;
    onnx)
        make onnx onnx "onnxruntime==1.32.0" "openvino==2026.4.1" numpy
        versions onnx onnx onnxruntime openvino numpy
        ;;
    import)
        # Exporters that run within `paddle` and `torch`, which have what they need.
        make import --no-deps "paddle2onnx==2.1.0" "onnxscript==0.7.2" "onnx_ir==1.1.0"
        versions import paddle2onnx onnxscript onnx_ir
        ;;
    openvino)
        # nncf quantises for OpenVINO; OpenCV decodes for both.
        make openvino "openvino==2026.4.1" "nncf==3.4.0" "opencv-python-headless==5.0.0.93" numpy
        versions openvino openvino nncf opencv-python-headless numpy
        ;;
    ncnn)
        # pnnx asks for torch, 5 GB, which only its Python wrappers use.
        make ncnn --no-deps "ncnn==1.0.20261020" "pnnx==20261020" "MNN==3.6.1" numpy
        versions ncnn ncnn pnnx MNN numpy
        ;;
    lite)
        # Paddle Lite's newest wheels are for Python 3.8; pillow unpacks the test pictures.
        interpreter=$(old_python) || {
            say "lite: there is no Python 3.8 with venv, by that name or pyenv's"
            [ -n "$may_skip" ] || exit 3
            continue
        }
        make lite "paddlelite==2.13rc0" numpy pillow
        interpreter=python3
        versions lite paddlelite numpy pillow
        ;;
    pictures)
        make pictures "opencv-python-headless==4.6.0.66" "numpy<2" pillow
        versions pictures opencv-python-headless numpy pillow
        ;;
    records)
        # setuptools is held: visualdl and tensorboard ask for its pkg_resources.
        make records "visualdl==2.5.3" "tensorboard==2.21.0" "setuptools<81"
        versions records visualdl tensorboard protobuf numpy
        ;;
    sklearn)
        make sklearn "scikit-learn==1.9.1" numpy pillow
        versions sklearn scikit-learn numpy pillow
        ;;
    *)
        say "no environment is called '$name': there are paddle paddle2onnx torch onnx import pictures records sklearn openvino ncnn lite"
        exit 2
        ;;
    esac
done
