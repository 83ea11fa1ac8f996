"""Pairs of pictures on disk: two files, two folders of equal names, or a list of pairs."""

import csv
import os
from collections.abc import Collection
from pathlib import Path
from typing import NamedTuple

import numpy as np

from lorbms_tf import files
from lorbms_tf.data import comma_lists, file_names, images
from lorbms_tf.data.images import BadImage
from lorbms_tf.errors import UserError


class Pair(NamedTuple):
    """Two files, and what a table calls them."""

    name: str
    first: Path
    second: Path


class Pairs(NamedTuple):
    """Pairs, and pictures that have no partner."""

    pairs: list[Pair]
    alone: list[Path]


def of_paths(first: str, second: str) -> Pairs:
    """The pairs of two files, or of two folders by the names of pictures inside them.

    Raises UserError where one is missing or is a file and the other a folder, and where no picture
    has a partner.
    """
    folders = [files.is_dir(path) for path in (first, second)]
    for flag, path, is_folder in (("images", first, folders[0]), ("others", second, folders[1])):
        if not is_folder and not files.is_file(path):
            raise UserError(f"--{flag}={path} does not exist")
    if folders[0] != folders[1]:
        raise UserError(
            f"--images={first} and --others={second}: one is a folder, the other a file; valid are "
            "two files or two folders"
        )
    if not folders[0]:
        return Pairs([Pair(Path(first).name, Path(first), Path(second))], [])
    return _of_folders(first, second)


def _of_folders(first: str, second: str) -> Pairs:
    by_name = [
        {path.relative_to(folder).as_posix(): path for path in images.list_photos(folder)}
        for folder in (first, second)
    ]
    one, two = by_name
    partners = _partners(one, two)
    pairs = [Pair(name, one[name], two[other]) for name, other in partners.items()]
    if not pairs:
        raise UserError(
            f"--images={first} and --others={second} have no picture of the same name (such as "
            f"{next(iter(one))} and {next(iter(two))}): name them alike, or pass --pairs=FILE"
        )
    taken = set(partners.values())
    missing = [path for name, path in one.items() if name not in partners]
    return Pairs(pairs, missing + [path for name, path in two.items() if name not in taken])


def _partners(one: Collection[str], two: Collection[str]) -> dict[str, str]:
    """The same name, or else the only one that looks alike (`file_names.skeleton`)."""
    alike: list[dict[str, list[str]]] = [{}, {}]
    for group, names, others in zip(alike, (one, two), (two, one), strict=True):
        for name in names:
            if name not in others:
                group.setdefault(file_names.skeleton(name), []).append(name)
    partners = {}
    for name in one:
        shape = file_names.skeleton(name)
        likely = [group.get(shape, []) for group in alike]
        if name in two:
            partners[name] = name
        elif len(likely[0]) == len(likely[1]) == 1:
            partners[name] = likely[1][0]
    return partners


def of_list(path: str) -> Pairs:
    """The pairs in a file, "first,second" a line; relative names begin at the file's folder.

    Names with commas may be put in quotes, but need not where they are there.

    Raises UserError, naming the line, where one is no pair, and where there are none.
    """
    pairs, folder = [], Path(path).parent
    for number, text in enumerate(files.read_lines(path, f"--pairs={path}"), start=1):
        if not text.strip():
            continue
        names = _names(text, folder)
        if len(names) != 2 or not all(names):
            raise UserError(f"--pairs={path}, line {number} is no pair of files A,B: {text!r}")
        pairs.append(Pair(names[0], folder / names[0], folder / names[1]))
    if not pairs:
        raise UserError(f"--pairs={path} holds no pairs")
    return Pairs(pairs, [])


def _names(line: str, folder: Path) -> list[str]:
    """The names in a line; commas belong to those that are there, and to those in quotes."""
    meanings = comma_lists.meanings(line, lambda name: bool(name) and files.is_file(folder / name))
    names = [name for name, _ in meanings]
    if line.lstrip().startswith('"') or ('"' in line and len(names) != 2):
        return [name.strip() for name in next(csv.reader([line], skipinitialspace=True))]
    return names


def read(pair: Pair, image_size: int = 0) -> tuple[np.ndarray, np.ndarray]:
    """Both pictures: float32 [H, W, 3] in [-1, 1].

    image_size: read central squares of so many pixels a side; 0: as they are.

    Raises BadImage where one cannot be read or is too small, and where their sizes differ.
    """
    first, second = (read_picture(path, image_size) for path in (pair.first, pair.second))
    if first.shape != second.shape:
        sizes = " and ".join(f"{p.shape[1]}x{p.shape[0]}" for p in (first, second))
        raise BadImage(pair.first, f"another size than its partner ({sizes} px)")
    return first, second


def read_picture(path: str | os.PathLike, image_size: int = 0) -> np.ndarray:
    """One picture: float32 [H, W, 3] in [-1, 1]. See `read`."""
    photo = images.read_photo(path)
    if image_size:
        height, width = photo.shape[:2]
        if min(height, width) < image_size:
            raise BadImage(path, f"smaller than --image_size ({width}x{height} px)")
        photo = images.central(photo, image_size)
    return images.to_float(photo)
