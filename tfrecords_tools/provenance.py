"""Where records come from, as a chain of hashes: photos, versions, features, neighbours, shards.

Each stage's hash is a hash of the stage before and of its own settings, so two datasets that part
company at a stage have equal hashes up to it. No path takes part: moved photos are the same photos.
"""

import hashlib
import json
from collections.abc import Iterable, Mapping
from typing import Any

STAGES = ("source", "versions", "features", "neighbours", "shards")
# What these hold is hashed, not where it lies; the network stands in "features".
_PATHS = ("images", "annotations", "weights", "features")
_FOLDER_NETWORKS = ("saved_model", "encoder", "discriminator")  # KIND:FOLDER[,OPTION...]
# Measured, and so rounded otherwise on another machine; or words beside a hash.
_UNHASHED = ("explained_variance", "weights")
_SELECTION = ("source", "tfds", "min_size", "min_boxes", "sample_photos")  # so are the photos
_VERSIONS = ("versions", "image_size", "seed")
_NEIGHBOURS = ("num_clusters", "near_duplicates", "seed")
_SHARDS = ("prefix", "num_shards", "seed")


def source_hash(photos: Iterable[tuple[str, str]]) -> str:
    """Hash of the photos, from (photo id, hash of its pixels) pairs in any order.

    Several versions of a photo give the same pair, which counts once.
    """
    return _hash(sorted(set(photos)))


def chain(dataset: Mapping[str, Any], source: str) -> dict[str, Any]:
    """The keys that a dataset.json gets at its end.

    Args:
      dataset: all else that it holds. Settings that no other stage knows belong to the features.
      source: `source_hash` of the photos.

    Returns {"provenance": {stage: hash}, "dataset_hash": the last of them}.
    """
    settings = dataset["settings"]
    elsewhere = {*_PATHS, *_SELECTION, *_VERSIONS, *_NEIGHBOURS, *_SHARDS}
    rest = {name: value for name, value in settings.items() if name not in elsewhere}
    own = {
        "versions": {name: settings.get(name) for name in _VERSIONS},
        "features": {"network": _network(dataset["features"]), "settings": rest},
        "neighbours": {
            "candidates": dataset["num_candidates"],
            **{name: settings.get(name) for name in _NEIGHBOURS},
        },
        "shards": {
            "schema": dataset["schema_version"],
            "files": [[shard["file"], shard["sha256"]] for shard in dataset["shards"]],
            **{name: settings.get(name) for name in _SHARDS},
        },
    }
    hashes = {"source": source}
    before = source
    for stage in STAGES[1:]:
        before = hashes[stage] = _hash([before, own[stage]])
    return {"provenance": hashes, "dataset_hash": before}


def _network(features: Mapping[str, Any]) -> dict[str, Any]:
    """What tells a feature network from others, without the folder that it was read from."""
    kept = {name: value for name, value in features.items() if name not in _UNHASHED}
    kind, _, rest = kept["network"].partition(":")
    if kind in _FOLDER_NETWORKS:
        kept["network"] = [kind, rest.partition(",")[2]]
    return kept


def fault(dataset: Mapping[str, Any]) -> str:
    """What is wrong with the chain that a dataset.json holds; "" where it fits or there is none."""
    if "provenance" not in dataset and "dataset_hash" not in dataset:
        return ""
    try:
        expected = chain(dataset, dataset["provenance"]["source"])
    except (KeyError, TypeError, AttributeError) as error:
        return f"its provenance cannot be followed: {error} is missing or malformed"
    for stage in STAGES:
        if dataset["provenance"].get(stage) != expected["provenance"][stage]:
            return f"its provenance does not fit its settings, from the stage {stage!r} on"
    if dataset.get("dataset_hash") != expected["dataset_hash"]:
        return "its dataset_hash is not the end of its provenance"
    return ""


def _hash(value: Any) -> str:
    text = json.dumps(value, sort_keys=True, ensure_ascii=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()
