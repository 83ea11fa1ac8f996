"""Small data sets in the official formats."""

from pathlib import Path

import numpy as np
from PIL import Image

THING = """<object><name>{}</name><difficult>{}</difficult><bndbox><xmin>1</xmin><ymin>1</ymin>
<xmax>9</xmax><ymax>9</ymax></bndbox></object>"""


def stl10_images(labels, seed: int) -> np.ndarray:
    """uint8 [N, 96, 96, 3]: noise, and the higher the label the brighter the red."""
    images = np.random.default_rng(seed).integers(0, 60, (len(labels), 96, 96, 3), np.uint8)
    images[..., 0] = 20 * np.asarray(labels)[:, None, None] + images[..., 0] // 8
    return images


def write_stl10(folder: Path, train=20, test=10, folds=((0, 1, 2, 3), (4, 5, 6, 7))) -> Path:
    """STL-10 of a few images whose label their red tells; returns the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for split, count, seed in (("train", train, 0), ("test", test, 1), ("unlabeled", 3, 2)):
        labels = np.arange(count) % 10
        images = stl10_images(labels, seed)
        # On disk: channel, then column, then row.
        images.transpose(0, 3, 2, 1).tofile(folder / f"{split}_X.bin")
        if split != "unlabeled":
            (labels + 1).astype(np.uint8).tofile(folder / f"{split}_y.bin")
    lines = [" ".join(map(str, fold)) for fold in folds]
    (folder / "fold_indices.txt").write_text("\n".join(lines) + "\n")
    return folder


def write_photo(path: Path, colour, size=(40, 30)) -> None:
    """A flat photo of width and height `size`."""
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", size, tuple(colour)).save(path, quality=95)


def write_folders(folder: Path, train=4, test=2) -> Path:
    """Two classes, red and blue photos, in train and val."""
    for split, count in (("train", train), ("val", test)):
        for name, colour in (("blue", (0, 20, 220)), ("red", (220, 20, 0))):
            for number in range(count):
                shade = np.array(colour) + number
                write_photo(folder / split / name / f"{number}.jpg", shade)
    return folder


def write_voc(folder: Path, split: str, photos: dict[str, list[tuple[str, int]]]) -> Path:
    """Photos of a split, each with its (category, difficult) objects."""
    (folder / "ImageSets" / "Main").mkdir(parents=True, exist_ok=True)
    (folder / "Annotations").mkdir(exist_ok=True)
    (folder / "ImageSets" / "Main" / f"{split}.txt").write_text("\n".join(photos) + "\n")
    for name, things in photos.items():
        write_photo(folder / "JPEGImages" / f"{name}.jpg", (9, 99, 199))
        objects = "".join(THING.format(*thing) for thing in things)
        size = "<size><width>40</width><height>30</height></size>"
        text = f"<annotation>{size}{objects}</annotation>"
        (folder / "Annotations" / f"{name}.xml").write_text(text)
    return folder
