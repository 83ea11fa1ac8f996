"""The thesis's ablation, configs/ablation/thesis.cfg, whole in small: table 4.5 with its scores.

Its four variants are trained and the last three checkpoints of each are scored by the Inception
graph's own code, which reads a small stand-in for the graph. All doors run in one process: sixteen
times TensorFlow's import would take minutes.
"""

import json

import numpy as np
import pytest

from lorbms_tf.files import sha256_file
from tests import copies, inception_graph, tiny
from tests.end_to_end.test_whole_way import SIZES

VARIANTS = ("full", "no_cls", "no_rec", "no_adv")

# The flags of the sweep make room for those of the door that it runs, and come back after it.
IN_ONE_PROCESS = """
import sys
import tensorflow as tf
from absl import flags as absl_flags
from lorbms_tf.cli import child_process
from tests import command_runner
FLAGS = absl_flags.FLAGS
outside = set(FLAGS)
def run(words, name, out, early=None):
    kept = {flag: FLAGS[flag] for flag in set(FLAGS) - outside}
    for flag in kept:
        delattr(FLAGS, flag)
    told = command_runner.problem(list(words[2:]), True, False)
    for flag, value in kept.items():
        FLAGS[flag] = value
    FLAGS.mark_as_parsed()
    if told:
        sys.exit(f"{name}: {told}")
    return False
child_process.run = run
tf.config.run_functions_eagerly(True)
sys.exit(command_runner.problem(["lorbms_tf.sweep", *sys.argv[1:]], True, False) or 0)
"""


@pytest.fixture(scope="module")
def swept(tmp_path_factory):
    """The folder of the sweep, and the stand-in for the Inception graph."""
    folder = tmp_path_factory.mktemp("ablation")
    records = tiny.write_records(folder / "records", count=4, draw=tiny.noise)
    graph, _ = inception_graph.write(folder)
    words = [
        "--flagfile=configs/ablation/thesis.cfg", *SIZES, "--tau=4", "--batch_size=4",
        "--epochs=3", "--checkpoint_every_steps=1", f"--records={records}",
        f"--eval_records={records}", f"--real_records={records}", f"--out={folder}/out",
        f"--extractor_weights={graph}",
    ]  # fmt: skip
    done = copies.run(["-c", IN_ONE_PROCESS, *words])
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-4000:]
    return folder / "out", graph


def lines_of(folder, variant):
    """What `lorbms_tf.evaluate` said of each checkpoint of a variant."""
    return json.loads((folder / variant / "seed_0.json").read_text())["lines"]


def test_each_variant_is_trained_with_its_own_weight_left_out(swept):
    folder, _ = swept
    for variant in VARIANTS:
        made = json.loads((folder / "runs" / variant / "seed_0" / "config.json").read_text())
        left_out = variant.replace("no_", "lambda_")
        for weight in ("lambda_cls", "lambda_rec", "lambda_adv"):
            assert (made[weight] == 0) == (weight == left_out), (variant, weight)
        assert made["epochs"] == 3 and made["autoencoder_steps"] == 0


def test_the_last_three_epochs_are_scored_as_the_thesis_scores_them(swept):
    folder, graph = swept
    found = {variant: lines_of(folder, variant) for variant in VARIANTS}
    for variant, lines in found.items():
        assert [line["step"] for line in lines] == [1, 2, 3]
        for line in lines:
            assert line["protocol"]["extractor"] == "inception_2015"
            assert line["protocol"]["extractor_sha256"] == sha256_file(graph)
            assert line["protocol"]["real_images"] == 4
            assert line["frechet_inception_2015_mix"] >= 0, variant
            # The inception score lies between 1 and the number of classes.
            score = line["classifier_score_inception_2015_mix"]
            assert 1 - 1e-6 <= score <= inception_graph.CLASSES
    frechet = {
        variant: [line["frechet_inception_2015_mix"] for line in lines]
        for variant, lines in found.items()
    }
    assert len(set(frechet["full"])) == 3  # of three checkpoints, not thrice of one
    assert frechet["full"] != frechet["no_rec"]


def test_the_table_has_the_means_of_the_three_epochs(swept):
    folder, _ = swept
    rows = [json.loads(line) for line in (folder / "table.jsonl").read_text().splitlines()]
    assert [row["variant"] for row in rows] == list(VARIANTS)
    for row in rows:
        lines = lines_of(folder, row["variant"])
        for name in ("frechet_inception_2015_mix", "psnr", "mix_fidelity"):
            assert row["scores"][name]["mean"] == pytest.approx(
                np.mean([line[name] for line in lines])
            )
    text = (folder / "table.txt").read_text()
    assert all(variant in text for variant in VARIANTS)
