"""The inner layers of a network by name: what perceptual losses and probes look at."""

from collections.abc import Iterable, Sequence
from typing import Any


def picked(stages: Iterable[tuple[str, Any]], names: Sequence[str], valid: Sequence[str]) -> dict:
    """Of the maps of a network's layers those that are named, in the order of `names`.

    Args:
        stages: (name, maps) from the image on; what lies behind the last one wanted is not made.
        names: of the wanted layers.
        valid: of all layers.

    Raises:
        ValueError: no layer is named, or there is none of that name.
    """
    unknown = [name for name in names if name not in valid]
    if unknown or not names:
        wrong = f"There is no layer {unknown[0]!r}" if unknown else "No layer is named"
        raise ValueError(f"{wrong}; valid are {', '.join(valid)}.")
    maps = {}
    for name, value in stages:
        if name in names:
            maps[name] = value
        if len(maps) == len(set(names)):
            break
    return {name: maps[name] for name in names}
