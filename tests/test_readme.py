"""The commands of the documents, in their order: all parse, and a user's way through them runs."""

import json
import re
import shlex
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pytest
from PIL import Image

from tests import copies
from tests.documents import DOCUMENTS, ROOT
from tests.end_to_end.test_whole_way import SIZES
from tests.probing import making
from tfrecords_tools import synthesize

# What stands for the reader's own files in the documents.
PLACES = {
    "R": "runs/thesis",
    "GLOB": "data/te_v2/*.tfrecord-*",
    "DIR": "elsewhere",
    "F.cfg": "configs/data/tr_v5.cfg",
    "A.jpg": "my_photos/photo00.png",
    "B.jpg": "my_photos/photo01.png",
    "stl10:DIR": "stl10:stl10",
    "DIGITS": "my_photos",
    "LETTERS": "my_photos",
    "SCENES": "my_photos",
    "PHOTOS": "my_photos",
    "HELD_OUT": "my_photos",
}
NOT_RUN = {
    "tfrecords_tools.convert_deepcluster": "needs PyTorch and the published checkpoint",
    "--engine=beam": "needs Apache Beam",
    "--run_dir=/shared/run": "needs two hosts",
    "lorbms_tf.sweep": "trains twelve models, in processes of their own",
    "lorbms_tf.benchmark": "measures for a while",
    "--format=onnx": "needs tf2onnx",
    "lorbms_tf.serve": "serves until it is stopped",
    "lorbms_tf.two_afc": "needs triplets that people have judged",
    "lorbms_tf.image_mean": "searches for a while",
    "data/mean_scenes": "is for it",
    "superres": "is of other networks than `SIZES`",
    "--out=data/scenes64/scenes": "draws 4000 scenes",
    "configs/data/scenes64.cfg": "is of them",
    "runs/scenes64": "is of them",
    "--mask=0000011001100000": "is of a model whose codes have 4x4 cells",
    "data/characters28": "draws 22,500 characters",
    "runs/characters28": "learns from them",
}
ALEXNET = ["--conv_widths=4,4,4,4,4", "--dense_widths=8,8"]
# What makes each command a matter of seconds, by a part of it.
SMALL = {
    "tfrecords_tools.build --flagfile": [
        "--features=alexnet", "--num_shards=2", "--num_workers=1", "--expect_images=0",
        "--image_size=32", "--versions=original",
    ],
    "--features=mobilenet_v2": [
        "--weights=none", "--feature_size=32", "--num_workers=1", "--image_size=32",
    ],
    "tfrecords_tools.synthesize": ["--images=60", "--num_workers=1"],
    "tfrecords_tools.synthesize --kind=characters": ["--images=4", "--num_workers=1"],
    "lorbms_tf.train": [*SIZES, "--batch_size=4", "--max_steps=2", "--intra_op_threads=0"],
    "lorbms_tf.train --flagfile=configs/augint": [
        "--widths=2,3", "--dense=4", "--batch_size=4", "--max_steps=2", "--intra_op_threads=0",
    ],
    "lorbms_tf.train --method=deepsim": [
        "--widths=4,4,4", "--head=4", "--discriminator_widths=2,2,2,2,2", "--batch_size=4",
        "--max_steps=2", "--intra_op_threads=0",
    ],
    "lorbms_tf.train --flagfile=configs/deepsim": [],
    "lorbms_tf.render reencodings": ["--measured=4", "--iterations=1,2"],
    "lorbms_tf.render noise": ["--cell=32"],
    "lorbms_tf.render noise_curve": ["--trials=4"],
    "lorbms_tf.evaluate --run_dir=runs/augint": ["--paths=8", "--classifier_steps=4"],
    "tfrecords_tools.deepcluster": [
        *ALEXNET, "--input_size=35", "--num_clusters=4", "--epochs=1", "--batch_size=8",
        "--min_size=128", "--num_workers=1", "--intra_op_threads=0",
    ],
    "lorbms_tf.render": ["--rows=2", "--cell=32"],
    "lorbms_tf.render paths": ["--cell=32"],
    "lorbms_tf.render transfer": ["--cell=32"],
    "lorbms_tf.paths": ["--adam_steps=2"],
    "lorbms_tf.report": ["--rows=2", "--cell=32", "--metrics=psnr"],
    "lorbms_tf.distance": ["--image_size=48"],
    "lorbms_tf.probe": ["--epochs=1", "--nobaseline"],
    "lorbms_tf.knowledge_transfer": [
        *ALEXNET, "--num_clusters=2", "--epochs=1", "--batch_size=4",
    ],
}  # fmt: skip


class Command(NamedTuple):
    """words: the module and its flags, with `PLACES` filled in. fenced: not within a sentence."""

    document: str
    text: str
    words: list[str]
    fenced: bool

    @property
    def is_run(self) -> bool:
        return self.fenced and not any(part in self.text for part in NOT_RUN)


def command(document: Path, text: str, fenced: bool) -> Command | None:
    """The command that a line holds, if it is one of ours."""
    found = re.search(r"python -m ((?:lorbms_tf|tfrecords_tools)\.\S+.*)", text)
    if not found:
        return None
    # What is in square brackets may be left out.
    words = shlex.split(re.sub(r"\[--[^]]*\]", "", found.group(1)), comments=True)
    filled = []
    for word in words:
        name, equals, value = word.partition("=")
        filled.append(f"{name}={PLACES.get(value, value)}" if equals else word)
    return Command(document.name, found.group(1), filled, fenced)


def commands(document: Path) -> list[Command]:
    """All commands of a document, in their order."""
    found = []
    for number, part in enumerate(document.read_text("utf-8").split("```")):
        if number % 2:
            lines = part.replace("\\\n", " ").splitlines()
        else:
            lines = re.findall(r"`([^`]+)`", part)
        found += [command(document, " ".join(line.split()), bool(number % 2)) for line in lines]
    return [one for one in found if one]


# They come last, and show that what does not parse or run is found out.
WRONG = {
    "lorbms_tf.train --run_dirs=R": "Unknown command line flag 'run_dirs'",
    "lorbms_tf.train --records=GLOB --epochs=0": "--epochs=0",
    "tfrecords_tools.build --images=my_photos --out=data/mine": "data/mine exists already",
    "lorbms_tf.evaluate --run_dir=runs/deepcluster --records=GLOB": "is a run of tfrecords_tools",
}
COMMANDS = [one for document in DOCUMENTS for one in commands(document)]


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """What a reader has before the first command: photos, COCO, STL-10, and the configurations."""
    folder = tmp_path_factory.mktemp("reader")
    (folder / "configs").symlink_to(ROOT / "configs")
    (folder / "my_photos").mkdir()
    for number in range(12):
        noise = np.random.default_rng(number).integers(0, 256, (8, 8, 3), np.uint8)
        photo = Image.fromarray(noise).resize((208, 200))
        photo.save(folder / "my_photos" / f"photo{number:02d}.png")
    coco, scenes = folder / "coco", folder / "coco" / "scenes"
    synthesize.synthesize(synthesize.SynthesisConfig(out=str(scenes), images=12, size=208))
    (coco / "annotations").mkdir()
    for name, annotations in (("train", "instances"), ("test", "image_info")):
        (coco / f"{name}2017").symlink_to(scenes / "images")
        file = coco / "annotations" / f"{annotations}_{name}2017.json"
        file.symlink_to(scenes / "annotations" / "instances.json")
    making.write_stl10(folder / "stl10")
    (folder / "checkpoint.pth.tar").touch()
    return folder


@pytest.fixture(scope="module")
def results(place):
    wrong = [command(ROOT / "wrong.md", f"python -m {text}", True) for text in WRONG]
    wishes = [
        {"words": [*one.words, *small(one)], "run": one.is_run, "validate": one.fenced}
        for one in (*COMMANDS, *wrong)
    ]
    (place / "wishes.json").write_text(json.dumps(wishes))
    words = ["-m", "tests.command_runner", "wishes.json", "results.json"]
    done = copies.run(words, cwd=place)
    assert done.returncode == 0, done.stderr
    return json.loads((place / "results.json").read_text())


def small(one: Command) -> list[str]:
    """Flags that are appended; those of the longest part that the command holds."""
    parts = [part for part in SMALL if part in one.text]
    return SMALL[max(parts, key=len)] if one.is_run and parts else []


def test_every_command_parses_and_a_readers_way_through_them_runs(results):
    problems = [
        f"{one.document}: python -m {one.text}\n  {result['problem']}"
        for one, result in zip(COMMANDS, results[: len(COMMANDS)], strict=True)
        if result["problem"]
    ]
    assert not problems, "\n".join(problems)


def test_wrong_commands_would_be_found(results):
    for reason, result in zip(WRONG.values(), results[len(COMMANDS) :], strict=True):
        assert reason in result["problem"]


def test_the_documents_still_show_what_is_run_here():
    run = {one.words[0].rpartition(".")[2] for one in COMMANDS if one.is_run}
    assert run >= {
        "build", "inspect", "deepcluster", "score_candidates", "explore_clusters", "train",
        "evaluate", "render", "export", "report", "disentangle", "probe", "knowledge_transfer",
        "distance",
    }  # fmt: skip
    unused = [part for part in NOT_RUN if not any(part in one.text for one in COMMANDS)]
    assert not unused


def test_what_lies_at_the_end_is_what_the_documents_say(place, results):
    for name in (
        "data/tr_v5", "data/mine", "data/mine_deepcluster", "data/te_v2", "runs/thesis",
        "runs/mine", "mixes.png", "served/mine/1/saved_model.pb", "records.html",
        "runs/deepcluster", "runs/transfer/alexnet.weights.h5", "served/lorbms/1/saved_model.pb",
        "report.html", "sheet.png", "table43.jsonl", "clusters.csv",
    ):  # fmt: skip
        assert (place / name).exists(), name
