"""What a method needs to be tested as all methods are, as small as it goes: `EXAMPLES`."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple

import tensorflow as tf
from PIL import Image

from tests import tiny


class Example(NamedTuple):
    """One method as small as it goes.

    config: (changes by keyword) -> its settings.
    write_data: (folder) -> the settings that name what is learned from, eight references of noise,
      by name.
    sheets: (the settings that name the data, folder) -> for each picture of `lorbms_tf.render` its
      settings beside run_dir, out and cell; files that they name are written to the folder.
    serve: (its signatures, batch, what `infer` makes of it) -> what the signatures make of the
      batch, by the names of `infer`.
    by_device: settings without networks that see a device's share of a batch (batch norm), and so
      learn something else on two devices than on one.
    apart: names of those networks.
    """

    config: Callable[..., Any]
    write_data: Callable[[Path], dict[str, str]]
    sheets: Callable[[dict, Path], dict[str, dict[str, Any]]]
    serve: Callable[[Any, dict, dict], dict[str, Any]]
    by_device: dict[str, Any]
    apart: tuple[str, ...]


def _records(folder: Path) -> dict[str, str]:
    pattern = tiny.write_records(folder, 8, draw=tiny.noise)
    return {"records": pattern, "eval_records": pattern}


def _scene_sheets(data: dict, folder: Path) -> dict[str, dict[str, Any]]:
    of_records = {"records": data["eval_records"], "rows": 2}
    photos = {name: str(folder / f"{name}.png") for name in ("object", "scene")}
    for number, path in enumerate(photos.values()):
        Image.fromarray(tiny.noise(number)).save(path)
    return {
        **dict.fromkeys(("scenes", "reconstructions", "pasted"), of_records),
        **dict.fromkeys(("transfer", "paths"), {**photos, "mask": "0110"}),
    }


def _serve_scenes(signatures: Any, batch: dict, made: dict) -> dict[str, Any]:
    codes = signatures["encode"](images=batch["reference"])["codes"]
    candidates = tf.cast(batch["candidates"], tf.float32)
    mixed = signatures["mix"](
        reference=batch["reference"], candidates=candidates, mask=made["mask"]
    )
    return {
        "reconstruction": signatures["decode"](codes=codes)["images"],
        "mix": mixed["images"],
    }


def _photos(folder: Path) -> dict[str, str]:
    place = tiny.write_photos(folder)
    return {"photos": place, "eval_photos": place}


def _photo_sheets(data: dict, folder: Path) -> dict[str, dict[str, Any]]:
    inversions = {
        "generator": tiny.write_generator(folder / "generator"),
        "photos": data["eval_photos"],
        "rows": 2,
        "inversion_steps": 2,
        "refining_steps": 2,
    }
    return {
        "inversions": inversions,
        "interpolations": {"rows": 2, "steps": 2},
        "reconstructions": {"rows": 2},
        "noise": {"frequencies": (1, 4)},
        "noise_curve": {"frequencies": (1, 4), "trials": 2, "table": str(folder / "noise.csv")},
        "few_shot": {"rows": 2, "shots": 2, "samples": 2},
    }


def _serve_photos(signatures: Any, batch: dict, made: dict) -> dict[str, Any]:
    codes = signatures["encode"](images=batch["image"])["codes"]
    middle = signatures["interpolate"](
        start=batch["image"], end=made["partner"], shares=tf.fill(codes.shape[:1], 0.5)
    )
    return {
        "reconstruction": signatures["decode"](codes=codes)["images"],
        "middle": middle["images"],
    }


def _large_photos(folder: Path) -> dict[str, str]:
    folder.mkdir(parents=True)
    for number in range(8):
        Image.fromarray(tiny.noise(number, tiny.IMAGE_SIZE + 4)).save(folder / f"{number}.png")
    return {"photos": str(folder), "eval_photos": str(folder)}


def _serve_enlargements(signatures: Any, batch: dict, made: dict) -> dict[str, Any]:
    return {"upscaled": signatures["upscale"](images=made["small"])["images"]}


def _inversion_sheets(data: dict, folder: Path) -> dict[str, dict[str, Any]]:
    drift = {"iterations": (1, 2), "measured": 4, "table": str(folder / "drift.csv")}
    return {
        "inversions": {"rows": 2},
        "interpolations": {"rows": 2, "steps": 1},
        "reencodings": {"rows": 2, **drift},
        "preservation": {"rows": 2, "measured": 3, "table": str(folder / "kept.csv")},
        "neighbours": {"rows": 2, "among": 4},
        "samples": {"rows": 2, "columns": 2, "measured": 3},
    }


def _serve_inversions(signatures: Any, batch: dict, made: dict) -> dict[str, Any]:
    features = signatures["encode"](images=batch["image"])["features"]
    return {
        "features": tf.reshape(features, (len(features), -1)),
        "reconstruction": signatures["decode"](features=features)["images"],
    }


# By the name of the method.
EXAMPLES = {
    "lorbms": Example(
        config=tiny.config,
        write_data=_records,
        sheets=_scene_sheets,
        serve=_serve_scenes,
        by_device={
            "lambda_cls": 0.0,
            "perceptual": "mmd++",  # drawn at each step, the same on all devices
            "lambda_perceptual": 0.5,
            "mmd_window": 16,
            "mmd_features": 16,
            "pause_discriminator": True,
        },
        apart=("classifier",),
    ),
    "augint": Example(
        config=tiny.augint_config,
        write_data=_photos,
        sheets=_photo_sheets,
        serve=_serve_photos,
        by_device={"norm": "layer"},
        apart=(),
    ),
    "superres": Example(
        config=tiny.superres_config,
        write_data=_large_photos,
        sheets=lambda data, folder: {"upscale": {"photos": data["eval_photos"], "rows": 2}},
        serve=_serve_enlargements,
        by_device={"batch_norm": False},
        apart=(),
    ),
    "deepsim": Example(
        config=tiny.deepsim_config,
        write_data=_large_photos,
        sheets=_inversion_sheets,
        serve=_serve_inversions,
        # The discriminator pauses after the first step.
        by_device={"pause_below": 1e9, "resume_above": 2e9, "generator_pause_above": 4e9},
        apart=(),
    ),
}
