"""Checks of records, one by one and against dataset.json: what must hold for every record."""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from lorbms_tf.data import records
from lorbms_tf.data.images import BadImage, decode_jpeg
from lorbms_tf.data.quadrants import NAMES
from lorbms_tf.data.records import Record
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json, sha256_file
from tfrecords_tools import provenance


@dataclass
class Checked:
    """What is known of one dataset after looking at its records so far."""

    failures: list[str] = field(default_factory=list)
    records_per_shard: dict[str, int] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    image_sizes: set[int] = field(default_factory=set)  # pixels
    distances: list[np.ndarray] = field(default_factory=list)  # [4, 10] each
    images: dict[tuple[str, str], bytes] = field(default_factory=dict)  # digest by id and version
    decoded: dict[tuple[bytes, int], str] = field(default_factory=dict)  # fault, "" for none
    references: set[tuple[str, str]] = field(default_factory=set)

    @property
    def num_records(self) -> int:
        return sum(self.records_per_shard.values())


def check_shard(path: str, checked: Checked) -> Iterator[None]:
    """Checks every record of a shard file, and yields after each.

    Failures are kept as "FILE, record NUMBER: reason" in `checked`. A file that is cut short or
    whose checksums do not fit is a failure too; what lies before the fault is checked.
    """
    checked.records_per_shard[path] = 0
    shard = records.read_shard(path)
    while True:
        number = checked.records_per_shard[path]
        try:
            raw = next(shard, None)
        except UserError as error:
            checked.failures.append(str(error))
            return
        if raw is None:
            return
        checked.records_per_shard[path] += 1
        for fault in _faults_of(raw, checked):
            checked.failures.append(f"{path}, record {number}: {fault}")
        yield


def _faults_of(raw: bytes, checked: Checked) -> Iterator[str]:
    try:
        record = records.deserialize(raw)
    except ValueError as error:
        yield str(error)
        return
    checked.versions[record.version] = checked.versions.get(record.version, 0) + 1
    checked.image_sizes.add(record.image_size)
    checked.distances.append(record.distances)
    name = (record.photo_id, record.version)
    if name in checked.references:
        yield f"{_text(name)} is the reference of a record before it"
    checked.references.add(name)
    yield from _distance_faults(record.distances)
    reference = _digest(record.image)
    yield from _image_faults("reference", record.image, reference, name, record, checked)
    for q, quadrant in enumerate(NAMES):
        for c in range(records.NUM_CANDIDATES):
            image = record.candidate_images[q][c]
            candidate = (record.candidate_ids[q][c], record.candidate_versions[q][c])
            where, digest = f"{quadrant}, candidate {c}", _digest(image)
            yield from _image_faults(where, image, digest, candidate, record, checked)
            if candidate[0] == record.photo_id:
                yield f"{where} is of the reference's own photo {record.photo_id}"
            elif digest == reference:
                yield f"{where}, {_text(candidate)}, is the reference's picture to the byte"


def _distance_faults(distances: np.ndarray) -> Iterator[str]:
    if not np.isfinite(distances).all():
        yield "distances are not finite"
    elif (distances < 0).any():
        yield f"a distance is negative ({distances.min()})"
    elif (np.diff(distances, axis=1) < 0).any():
        yield "distances are not in ascending order"


def _image_faults(
    where: str,
    image: bytes,
    digest: bytes,
    name: tuple[str, str],
    record: Record,
    checked: Checked,
) -> Iterator[str]:
    """An image stands in up to hundreds of records; the same bytes are decoded only once."""
    key = (digest, record.image_size)
    if key not in checked.decoded:
        checked.decoded[key] = _decode_fault(image, record.image_size)
    if checked.decoded[key]:
        yield f"{where}, {_text(name)}: {checked.decoded[key]}"
    if checked.images.setdefault(name, digest) != digest:
        yield f"{where}, {_text(name)}: other bytes than in a record before it"


def _decode_fault(image: bytes, image_size: int) -> str:
    try:
        height, width = decode_jpeg(image).shape[:2]
    except BadImage as error:
        return f"the JPEG cannot be decoded: {error.reason}"
    if (height, width) != (image_size, image_size):
        return f"{width}x{height} pixels, the record says {image_size}x{image_size}"
    return ""


def _digest(image: bytes) -> bytes:
    return hashlib.blake2b(image, digest_size=16).digest()


def _text(name: tuple[str, str]) -> str:
    return f"{name[0]} ({name[1]})"


def check_dataset(path: Path, checked: Checked) -> None:
    """Compares shards and records with a dataset.json; failures are added to `checked`.

    Where only some shards of the dataset were looked at, only those are compared.
    """
    try:
        dataset = read_json(path)
        described = {shard["file"]: shard for shard in dataset["shards"]}
        image_size, num_records = dataset["image_size"], dataset["num_records"]
    except UserError as error:
        checked.failures.append(str(error))
        return
    except (KeyError, TypeError) as error:
        checked.failures.append(f"{path} lacks what it must hold: {error}")
        return
    if broken := provenance.fault(dataset):
        checked.failures.append(f"{path}: {broken}")
    for file, count in checked.records_per_shard.items():
        shard = described.pop(Path(file).name, None)
        if shard is None:
            checked.failures.append(f"{file} is not named in {path}")
            continue
        if count != shard["records"]:
            expected = shard["records"]
            checked.failures.append(f"{file} has {count} whole records, {path} says {expected}")
        if sha256_file(file) != shard["sha256"]:
            checked.failures.append(f"{file} does not have the sha256 that {path} says")
    if not described and checked.num_records != num_records:
        checked.failures.append(f"{checked.num_records} records, {path} says {num_records}")
    for size in sorted(checked.image_sizes - {image_size}):
        checked.failures.append(f"records of {size} px, {path} says {image_size} px")
