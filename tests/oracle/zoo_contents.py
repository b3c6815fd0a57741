# SPDX-License-Identifier: Apache-2.0
"""What the pictures of picture_zoo.py show, and how one of them is told of."""
import os
from dataclasses import dataclass, field

import numpy as np
from PIL import Image


@dataclass
class Drawn:
    name: str
    data: bytes
    tags: set = field(default_factory=set)  # keys of picture_zoo.EXCEPTIONS
    # By our documented rule: truth(preset) is the [height][width][3] picture. Lossless formats only.
    truth: object = None

    @property
    def format(self):
        return self.name.rsplit(".", maxsplit=1)[-1]


def load_photos(folder, most=24):
    """Real photos, or none where the folder is not there."""
    if folder is None or not os.path.isdir(folder):
        return []
    names = sorted(name for name in os.listdir(folder) if name.lower().endswith((".jpg", ".jpeg")))
    photos = []
    for name in names[:: max(1, len(names) // most)][:most]:
        with Image.open(os.path.join(folder, name)) as image:
            photos.append(np.asarray(image.convert("RGB")))
    return photos


def waves(width, height, rng):
    """Stands for a photo: soft colours, an edge, some noise."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float64)
    picture = np.stack([128 + 90 * np.sin(x / rng.uniform(2, 40) + c) * np.cos(y / rng.uniform(2, 40))
                        for c in range(3)], 2)
    picture[height // 3:height // 2, width // 4:width // 2] = rng.integers(0, 256, 3)
    return np.clip(picture + rng.integers(-12, 13, picture.shape), 0, 255).astype(np.uint8)


def cut_out(photo, width, height, rng):
    """A part of the photo, made to fit by repetition where it is too small."""
    repeats = (-(-height // photo.shape[0]), -(-width // photo.shape[1]), 1)
    photo = np.tile(photo, repeats) if max(repeats) > 1 else photo
    top = int(rng.integers(0, photo.shape[0] - height + 1))
    left = int(rng.integers(0, photo.shape[1] - width + 1))
    return photo[top:top + height, left:left + width].copy()


def edges(width, height, rng):
    y, x = np.mgrid[0:height, 0:width]
    stripes = (x * int(rng.integers(1, 5)) + y * int(rng.integers(1, 5))) // int(rng.integers(1, 9)) % 2
    colours = rng.integers(0, 256, (2, 3))
    colours[int(rng.integers(0, 2))] = rng.choice([0, 255], 3)
    return colours[stripes].astype(np.uint8)


def colour_picture(width, height, rng, photos):
    """[height][width][3], 8 bits."""
    kind = rng.choice(["photo", "photo", "noise", "edges", "flat"])
    if kind == "photo":
        if photos and width * height <= 1 << 20:
            return cut_out(photos[int(rng.integers(0, len(photos)))], width, height, rng)
        return waves(width, height, rng)
    if kind == "noise":
        return rng.integers(0, 256, (height, width, 3), dtype=np.uint8)
    if kind == "edges":
        return edges(width, height, rng)
    return np.broadcast_to(rng.integers(0, 256, 3, dtype=np.uint8), (height, width, 3)).copy()


def values(width, height, rng, top, channels=1):
    """[height][width][channels] below `top`: noise, runs or nothing but one value."""
    kind = rng.choice(["noise", "runs", "flat"], p=[0.5, 0.4, 0.1])
    if kind == "noise":
        return rng.integers(0, top, (height, width, channels))
    if kind == "flat":
        return np.full((height, width, channels), int(rng.integers(0, top)))
    length = int(rng.integers(2, 9))
    few = rng.integers(0, top, (height, -(-width // length), channels))
    return np.repeat(few, length, 1)[:, :width]


def grey_to_rgb(picture):
    return np.repeat(np.asarray(picture).reshape(*picture.shape[:2], 1), 3, 2).astype(np.uint8)
