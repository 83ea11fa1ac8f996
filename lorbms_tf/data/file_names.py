"""File names that look alike: the same to a reader, or on another system, but not byte for byte."""

import posixpath
import unicodedata


def skeleton(name: str) -> str:
    """Equal for names that differ only in Unicode form, case, `\\` for `/`, or a needless `./`.

    macOS decomposes letters with accents (NFD), Windows writes paths with `\\` and knows no case.
    """
    # Canonical caseless matching of the Unicode standard (D145).
    folded = unicodedata.normalize("NFD", name.replace("\\", "/")).casefold()
    return posixpath.normpath(unicodedata.normalize("NFD", folded))
