"""The whole way through the doors on a few small scenes: each command as a user types it."""

import json

import pytest
from PIL import Image

from tests import copies

SIZES = [
    "--image_size=32", "--chunk_size=4", "--strided_widths=4,4,4", "--discriminator_widths=2,2",
    "--classifier_widths=2,2,2,2,2", "--classifier_dense=4,4", "--generator_updates=1",
]  # fmt: skip


def door(module, *words, fails=False):
    """Runs `python -m module words` and returns its output; stderr where it should fail."""
    done = copies.run(["-m", module, *words])
    assert (done.returncode != 0) == fails, done.stdout + done.stderr
    assert "Traceback" not in done.stderr, done.stderr
    return done.stderr if fails else done.stdout


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A folder with scenes and records made by the doors."""
    folder = tmp_path_factory.mktemp("whole")
    door("tfrecords_tools.synthesize", f"--out={folder}/scenes", "--images=12", "--size=64")
    door(
        "tfrecords_tools.build", f"--images={folder}/scenes/images",
        f"--annotations={folder}/scenes/annotations/instances.json", f"--out={folder}/records",
        "--min_size=64", "--versions=original", "--features=alexnet", "--image_size=32",
        "--num_shards=2",
    )  # fmt: skip
    return folder


def train_words(place):
    return [
        *SIZES, f"--records={place}/records/*.tfrecord-*", f"--run_dir={place}/run",
        "--tau_quantile=0.5", "--batch_size=4", "--max_steps=3", "--log_every_steps=1",
    ]  # fmt: skip


def test_from_scenes_to_a_served_decoder(place):
    records = f"--records={place}/records/*.tfrecord-*"
    dataset = json.loads((place / "records" / "dataset.json").read_text())
    assert dataset["num_records"] == 12
    dry = door("lorbms_tf.train", *train_words(place), "--dry_run")
    assert "--chunk_size=4" in dry and "classifier" in dry and not (place / "run").exists()
    assert "3 steps in" in door("lorbms_tf.train", *train_words(place))
    assert "nothing left to do" in door("lorbms_tf.train", *train_words(place))
    saved = json.loads((place / "run" / "config.json").read_text())
    assert saved["tau"] == pytest.approx(dataset["distance_quantiles"]["0.5"])

    out = door("lorbms_tf.evaluate", f"--run_dir={place}/run", records, f"--out={place}/s.jsonl")
    scores = json.loads(out.splitlines()[-1])
    assert scores["records"] == 12 and 0 <= scores["mix_fidelity"] <= 1 and scores["psnr"] > 0
    assert json.loads((place / "s.jsonl").read_text()) == scores

    sheet = place / "sheet.png"
    door("lorbms_tf.render", "scenes", f"--run_dir={place}/run", records, "--rows=3",
         f"--out={sheet}")  # fmt: skip
    assert Image.open(sheet).width > 400
    door("lorbms_tf.export", f"--run_dir={place}/run", f"--export_dir={place}/served")
    assert (place / "served" / "1" / "saved_model.pb").is_file()


@pytest.mark.parametrize(
    "words, message",
    [
        (["--chunk=4"], "Unknown command line flag 'chunk'"),
        (["--image_size=48"], "--image_size=48"),
        (["--records=absent/*"], "no record files match 'absent/*'"),
        (["stray"], "unexpected argument 'stray'"),
    ],
)
def test_mistakes_are_one_clear_line(place, words, message):
    assert message in door("lorbms_tf.train", *train_words(place), *words, fails=True)


def test_export_before_any_checkpoint(place):
    error = door("lorbms_tf.export", f"--run_dir={place}/none", f"--export_dir={place}/x",
                 fails=True)  # fmt: skip
    assert "no run directory" in error
