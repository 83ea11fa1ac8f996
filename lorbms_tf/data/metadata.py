"""What stands in picture files beside the pixels: the orientation is read, the rest never needed.

Cameras and programs write metadata that break the rules of their formats. Nothing here trusts
them, and nothing writes them back: a picture is whole where its pixels are.
"""

import re
import struct
import zlib

from PIL import Image

_ORIENTATION = 0x0112
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
_XMP = re.compile(rb'tiff:Orientation(?:="|>)([1-8])')
_EXIF = b"Exif\0\0"
_TIFF_STARTS = {b"II*\0": "<", b"MM\0*": ">"}
# Of PNG, beside the chunks that no reader may pass over: what belongs to the pixels.
_PNG_CHUNKS = (b"tRNS", b"eXIf")
# Of TIFF: the tags that tell how the pixels lie, and the orientation.
_TIFF_TAGS = {
    *(254, 255, 256, 257, 258, 259, 262, 266, 273, 274, 277, 278, 279, 284, 292, 293, 317, 320),
    *(322, 323, 324, 325, 332, 334, 336, 338, 339, 347, 529, 530, 531, 532),
    *range(512, 522),
}
_UNKNOWN_TAG = 65535


def orientation(image: Image.Image) -> int:
    """How a loaded Pillow image lies, 1 to 8 as EXIF counts; 1, upright, where nobody can tell.

    Pillow itself turns TIFF files while it loads them, so that these are upright.
    """
    if image.format == "TIFF":
        return 1
    exif = image.info.get("exif")
    if not isinstance(exif, bytes):
        exif = _raw_profile(image.info.get("Raw profile type exif"))
    value = exif_orientation(exif)
    if not value:
        value = _xmp_orientation(image.info.get("xmp") or image.info.get("XML:com.adobe.xmp"))
    return value or 1


def exif_orientation(exif: bytes) -> int:
    """The orientation, 1 to 8, that EXIF data hold, whatever else they hold; 0 for none."""
    while exif.startswith(_EXIF):
        exif = exif[len(_EXIF) :]
    order = _TIFF_STARTS.get(exif[:4])
    if order is None:
        return 0
    try:
        (start,) = struct.unpack_from(order + "I", exif, 4)
        (count,) = struct.unpack_from(order + "H", exif, start)
        for place in range(start + 2, start + 2 + 12 * count, 12):
            tag, kind = struct.unpack_from(order + "HH", exif, place)
            if tag == _ORIENTATION:
                code = {1: "B", 3: "H", 4: "I"}.get(kind, "H")
                (value,) = struct.unpack_from(order + code, exif, place + 8)
                return value if 1 <= value <= 8 else 0
    except struct.error:  # it ends too early
        pass
    return 0


def _raw_profile(text) -> bytes:
    """EXIF data as older programs write them into PNG: three lines, then hexadecimal digits."""
    try:
        return bytes.fromhex("".join(text.split("\n")[3:]))
    except (AttributeError, ValueError):
        return b""


def _xmp_orientation(xmp) -> int:
    if isinstance(xmp, str):
        xmp = xmp.encode("utf-8", "replace")
    match = _XMP.search(xmp) if isinstance(xmp, bytes) else None
    return int(match[1]) if match else 0


def turned(image: Image.Image, value: int) -> Image.Image:
    """A picture that lies as `value` says, upright."""
    return image.transpose(_TURNS[value]) if value in _TURNS else image


def without(encoded: bytes, kind: str) -> bytes:
    """A picture file without its metadata, save the orientation; as it is where that cannot be.

    kind: as `picture_kinds.kind_of` names it.
    """
    strip = {"JPEG": _bare_jpeg, "PNG": _bare_png, "TIFF": _bare_tiff, "AVIF": _bare_boxes}.get(
        kind
    )
    try:
        return strip(encoded) if strip else encoded
    except (struct.error, IndexError):  # the file ends too early
        return encoded


def _bare_jpeg(encoded: bytes) -> bytes:
    parts, exif, place = [], b"", 2
    while encoded[place] == 0xFF:
        marker = encoded[place + 1]
        if marker == 0xFF:  # a filler
            place += 1
            continue
        if marker == 0xDA:  # the pixels; all that follows belongs to them
            break
        (length,) = struct.unpack_from(">H", encoded, place + 2)
        segment = encoded[place : place + 2 + length]
        place += 2 + length
        if marker == 0xE1 and segment[4:10] == _EXIF:
            exif = exif or segment[4:]
        elif marker not in (*range(0xE1, 0xEE), 0xEF, 0xFE):  # JFIF and Adobe's colours stay
            parts.append(segment)
    return encoded[:2] + _exif_segment(exif_orientation(exif)) + b"".join(parts) + encoded[place:]


def _exif_segment(value: int) -> bytes:
    tiff = struct.pack("<4sIHHHIHHI", b"II*\0", 8, 1, _ORIENTATION, 3, 1, value or 1, 0, 0)
    return struct.pack(">HH", 0xFFE1, 2 + len(_EXIF) + len(tiff)) + _EXIF + tiff


def _bare_png(encoded: bytes) -> bytes:
    parts, place = [encoded[:8]], 8
    while place < len(encoded):
        length, name = struct.unpack_from(">I4s", encoded, place)
        chunk = encoded[place : place + 12 + length]
        place += 12 + length
        whole = zlib.crc32(chunk[4:-4]).to_bytes(4, "big") == chunk[-4:]
        if not name[0] & 0x20 or (name in _PNG_CHUNKS and whole):
            parts.append(chunk)
    return b"".join(parts)


def _bare_tiff(encoded: bytes) -> bytes:
    order = _TIFF_STARTS.get(encoded[:4])
    if order is None:
        return encoded
    bare = bytearray(encoded)
    (start,) = struct.unpack_from(order + "I", encoded, 4)
    (count,) = struct.unpack_from(order + "H", encoded, start)
    for place in range(start + 2, start + 2 + 12 * count, 12):
        if struct.unpack_from(order + "H", encoded, place)[0] not in _TIFF_TAGS:
            struct.pack_into(order + "H", bare, place, _UNKNOWN_TAG)
    return bytes(bare)


def _bare_boxes(encoded: bytes) -> bytes:
    """EXIF data in it become empty: the format has an orientation of its own."""
    for start in (b"II*\0\x08\0\0\0", b"MM\0*\0\0\0\x08"):
        encoded = re.sub(re.escape(start) + rb"..", start + b"\0\0", encoded, flags=re.DOTALL)
    return encoded
