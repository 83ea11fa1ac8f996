"""Which kind of picture a file holds, told by its first bytes and not by the ending of its name."""

import importlib
import os
import re
from pathlib import Path

from PIL import features

HEAD_BYTES = 64  # that tell the kind
# Files that are taken for pictures by their names alone, so that a broken one is counted as one,
# and a folder of 300,000 photos need not be opened to be listed.
ENDINGS = {
    *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".bmp", ".webp"),
    *(".gif", ".tif", ".tiff", ".avif", ".heic", ".heif"),
}
_STARTS = {
    b"\xff\xd8\xff": "JPEG",
    b"\x89PNG\r\n\x1a\n": "PNG",
    b"GIF87a": "GIF",
    b"GIF89a": "GIF",
    b"II*\0": "TIFF",
    b"MM\0*": "TIFF",
    b"II+\0": "TIFF",
    b"MM\0+": "TIFF",
    b"\0\0\0\x0cjP  ": "JPEG 2000",
    b"\xff\x4f\xff\x51": "JPEG 2000",
    b"\0\0\0\x0cJXL ": "JPEG XL",
    b"\xff\x0a": "JPEG XL",
    b"8BPS\0\1": "Photoshop",
    b"qoif": "QOI",
    b"II\xbc\1": "JPEG XR",
    b"\x76\x2f\x31\x01": "OpenEXR",
    b"#?RADIANCE": "Radiance",
    b"FUJIFILMCCD-RAW": "camera raw",
    b"IIRO": "camera raw",
    b"IIRS": "camera raw",
    b"MMOR": "camera raw",
    b"IIU\0": "camera raw",
}
_BRANDS = {  # of files in boxes, which begin with one named "ftyp"
    "AVIF": {b"avif", b"avis"},
    "HEIC": {b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1"},
    "camera raw": {b"crx "},
}
_BITMAP = re.compile(rb"BM.{4}\x00{4}.{4}[\x0c\x10\x28\x34\x38\x40\x6c\x7c]\x00{3}", re.DOTALL)
_PORTABLE = re.compile(rb"P[1-6]\s+(#|\d+\s)|P[fF]\n\d")
_ICON = re.compile(rb"\x00\x00\x01\x00[\x01-\x20]\x00.{3}\x00[\x00\x01]\x00", re.DOTALL)

# What Pillow reads only with another package: the package's name, its module, and the function
# there that makes Pillow know it ("" where importing does).
_PACKAGES = {
    "HEIC": ("pillow-heif", "pillow_heif", "register_heif_opener"),
    "AVIF": ("pillow-avif-plugin", "pillow_avif", ""),  # where Pillow is older than 11.3
    "JPEG XL": ("pillow-jxl-plugin", "pillow_jxl", ""),
}
_NEVER = ("camera raw", "JPEG XR", "OpenEXR", "Radiance")


def kind_of(head: bytes) -> str:
    """The kind of picture that begins with these bytes ("JPEG", "HEIC", ...); "" for none."""
    for start, kind in _STARTS.items():
        if head.startswith(start):
            return kind
    if head[:4] == b"RIFF" and head[8:12] == b"WEBP":
        return "WebP"
    if head[4:8] == b"ftyp":
        # "mif1" stands for any still picture, AVIF too, which names itself further behind.
        end = min(len(head), int.from_bytes(head[:4], "big"))
        brands = {head[place : place + 4] for place in (8, *range(16, end - 3, 4))}
        return next((kind for kind, known in _BRANDS.items() if brands & known), "")
    for pattern, kind in ((_BITMAP, "BMP"), (_PORTABLE, "PPM"), (_ICON, "ICO")):
        if pattern.match(head):
            return kind
    return ""


def is_picture(path: Path) -> bool:
    """Whether a file is a picture, perhaps a broken one: by a known ending, or else by content."""
    return path.suffix.lower() in ENDINGS or bool(kind_of(head_of(path)))


def head_of(path: str | os.PathLike) -> bytes:
    """The first `HEAD_BYTES` of a file; none where it cannot be read, or is no file but a pipe."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)  # a pipe would block
    except (OSError, ValueError):
        return b""
    try:
        return os.read(descriptor, HEAD_BYTES)
    except OSError:  # a folder
        return b""
    finally:
        os.close(descriptor)


def register(kind: str) -> bool:
    """Makes Pillow know a kind of picture by an optional package; False where that is absent."""
    if kind not in _PACKAGES:
        return False
    _, module, function = _PACKAGES[kind]
    try:
        package = importlib.import_module(module)
    except ImportError:
        return False
    if function:
        getattr(package, function)()
    return True


def refusal(kind: str) -> str:
    """Why Pillow does not open a whole picture of a kind; "" where it opens that kind."""
    if kind == "AVIF" and "avif" in features.modules and features.check("avif"):
        return ""
    if kind in _PACKAGES:
        return f"{kind}, which needs the package {_PACKAGES[kind][0]}"
    return f"{kind}, which Pillow does not read" if kind in _NEVER else ""
