# SPDX-License-Identifier: Apache-2.0
"""The real torchvision and Pillow. Runs in the environment `torch`.

torchvision_reference.py LIST OUT.npy
    LIST: a line a picture. Writes N,3,224,224 float32 in RGB order.
"""
import sys

import numpy as np
import PIL
import torchvision
from PIL import Image
from torchvision import transforms

PREPARE = transforms.Compose([
    transforms.Resize(256), transforms.CenterCrop(224), transforms.ToTensor(),
    transforms.Normalize([0.485, 0.456, 0.406], [0.229, 0.224, 0.225])])


def prepare(line):
    """NaN, which is equal to nothing, where Pillow refuses the picture."""
    try:
        return PREPARE(Image.open(line).convert("RGB")).numpy()
    except (OSError, ValueError, MemoryError) as reason:
        print(f"Pillow refuses {line}: {reason}", file=sys.stderr)
        return np.full((3, 224, 224), np.nan, np.float32)


def main():
    Image.MAX_IMAGE_PIXELS = None
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    np.save(sys.argv[2], np.stack([prepare(line) for line in lines]))
    print(f"torchvision {torchvision.__version__}, Pillow {PIL.__version__}")


if __name__ == "__main__":
    main()
