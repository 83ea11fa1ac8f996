"""Names joined by commas, where a comma may be part of a name, too."""

import os
from collections.abc import Callable, Iterator
from typing import TypeVar

Meaning = TypeVar("Meaning")


def meanings(text: str, meaning: Callable[[str], Meaning]) -> Iterator[tuple[str, Meaning]]:
    """The names in a text, in order, each with what it means.

    A comma belongs to a name where the longer name means something. Spaces around a name count
    only where it means something with them.

    Args:
      text: names joined by commas.
      meaning: of one name; what is false, such as None or "", is no meaning.

    Yields:
      name and meaning; the word up to the next comma and its false meaning where no name fits.
    """
    words = text.split(",")
    while words:
        for end in range(len(words), 0, -1):
            name = ",".join(words[:end])
            value = meaning(name)
            if not value and name != name.strip():
                name = name.strip()
                value = meaning(name)
            if value:
                break
        else:
            end, name = 1, words[0].strip()
        yield name, value
        words = words[end:]


def paths(text: str) -> list[str]:
    """The paths in a text; those that are there may have commas and spaces at their ends."""
    return [name for name, _ in meanings(text, os.path.exists) if name]
