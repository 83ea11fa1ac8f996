"""A real training process, killed at any moment and started again, against one left alone."""

import os
import random
import signal
import time
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.cli import flags
from lorbms_tf.errors import UserError
from lorbms_tf.training import checkpoints, run_directory
from tests import copies, tiny

STEPS = 60
EVERY = 3  # steps between checkpoints: an epoch, as it happens
PATIENCE = 900.0  # seconds; only a hanging process takes so long
# Another seed, another moment to be killed at; the seed of a failure is in its output.
SEED = int(os.environ.get("KILL_SEED", "0"))
# What is promised bit for bit is promised for one device and one number of threads.
SAME_ARITHMETIC = {"CUDA_VISIBLE_DEVICES": "", "TF_NUM_INTRAOP_THREADS": "1"}


def config(place: Path, name: str):
    return tiny.config(
        encoder_layers=(1, 0, 0, 0),
        generator_updates=1,
        records=str(place / "records" / "*.tfrecord-*"),
        eval_records=str(place / "records" / "*.tfrecord-*"),
        run_dir=str(place / name),
        batch_size=2,
        max_steps=STEPS,
        checkpoint_every_steps=EVERY,
        log_every_steps=1,
        sample_every_steps=STEPS,
        sample_rows=2,
        evaluate_every_steps=STEPS // 4,
        evaluate_records=2,
        seed=3,
    )


class Training:
    """A process of `python -m lorbms_tf.train` on one run directory, and what it has reached."""

    def __init__(self, made):
        self.folder = Path(made.run_dir) / run_directory.CHECKPOINTS
        self.former = self.reached()
        words = flags.as_text(made).splitlines()
        # Into a file: nobody reads a pipe while the process is watched.
        self._log = Path(made.run_dir).with_suffix(".log").open("w+", encoding="utf-8")
        self.process = copies.Copy(
            ["-m", "lorbms_tf.train", *words],
            stdout=self._log,
            stderr=self._log,
            env={**os.environ, **SAME_ARITHMETIC},
        )

    def reached(self) -> int:
        return max(checkpoints.steps(self.folder), default=0)

    def log(self) -> str:
        self._log.seek(0)
        return self._log.read()

    def wait_until(self, reached, pause: float = 0.1) -> None:
        begun = time.monotonic()
        while not reached():
            assert self.process.poll() is None, self.log()
            assert time.monotonic() - begun < PATIENCE, self.log()
            time.sleep(pause)

    def finish(self) -> None:
        assert self.process.wait(PATIENCE) == 0, self.log()

    def kill(self) -> None:
        self.process.kill()
        assert self.process.wait() == -signal.SIGKILL

    def __enter__(self) -> "Training":
        return self

    def __exit__(self, *error) -> None:
        self.process.kill()  # where a test has failed it may still be at work
        self.process.wait()
        self._log.close()


def kill_in_mid_step(training: Training) -> None:
    """Kills some time after a second new checkpoint."""
    training.wait_until(lambda: training.reached() >= training.former + 2 * EVERY)
    pause = random.Random(SEED).uniform(0, 0.2)
    print(f"KILL_SEED={SEED}: killed {pause:.3f} s after a checkpoint")
    time.sleep(pause)
    training.kill()


def kill_in_mid_write(training: Training) -> None:
    """Kills as soon as a checkpoint is seen being written, after a first new one."""
    training.wait_until(lambda: training.reached() > training.former)
    training.wait_until(lambda: any(training.folder.glob(".step-*.tmp")), pause=0)
    training.kill()


def refuse_a_second(training: Training, made) -> None:
    message = f"trained in by process {training.process.pid} "
    with pytest.raises(UserError, match=message), run_directory.locked(made.run_dir):
        pass


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("resume")
    tiny.write_records(folder / "records", 7, draw=tiny.noise)
    return folder


@pytest.fixture(scope="module")
def whole(place):
    """The run directory of an uninterrupted run."""
    made = config(place, "whole")
    with Training(made) as training:
        training.finish()
    return Path(made.run_dir)


@pytest.fixture(scope="module")
def killed(place):
    """The run directory of a run that was killed twice on its way."""
    made = config(place, "killed")
    for number, kill in enumerate((kill_in_mid_step, kill_in_mid_write)):
        with Training(made) as training:
            if number == 0:
                training.wait_until(training.reached)
                refuse_a_second(training, made)
            kill(training)
            print(f"killed after step {training.reached()}:", *sorted(os.listdir(training.folder)))
    with Training(made) as training:
        assert training.former >= 3 * EVERY
        training.finish()
        assert f"from step {training.former}" in training.log()
    return Path(made.run_dir)


def variables(folder: Path) -> dict[str, np.ndarray]:
    path, _ = checkpoints.find(folder / run_directory.CHECKPOINTS)
    reader = tf.train.load_checkpoint(path)
    names = [name for name in reader.get_variable_to_shape_map() if name.startswith(
        ("variables/", "optimizers/", "step/"))]  # fmt: skip
    return {name: np.asarray(reader.get_tensor(name)) for name in names}


def logged(folder: Path) -> dict[str, list[tuple[int, bytes]]]:
    """Every scalar, as TensorBoard finds it: (step, bytes of its value), by name."""
    found = {}
    for path in sorted((folder / run_directory.LOGS).glob("events*")):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            for value in event.summary.value:
                if value.metadata.plugin_data.plugin_name == "scalars" or value.tag in found:
                    number = tf.make_ndarray(value.tensor).tobytes()
                    found.setdefault(value.tag, []).append((event.step, number))
    return found


def test_a_killed_run_ends_as_the_uninterrupted_one_bit_for_bit(whole, killed):
    expected, found = variables(whole), variables(killed)
    assert expected.keys() == found.keys()
    different = [n for n in expected if expected[n].tobytes() != found[n].tobytes()]
    assert not different
    # Adam's moments (two for each), singular vectors and batch norm's statistics are among them.
    assert len(found) > 150
    assert found["step/.ATTRIBUTES/VARIABLE_VALUE"] == STEPS


def test_every_step_is_logged_once_with_the_value_of_the_uninterrupted_run(whole, killed):
    expected, found = logged(whole), logged(killed)
    assert [step for step, _ in found["loss/generator"]] == list(range(1, STEPS + 1))
    for name in ("loss/generator", "loss/discriminator", "loss/classifier", "eval/psnr"):
        assert found[name] == expected[name], name
    assert [step for step, _ in found["eval/mix_fidelity"]] == [15, 30, 45, 60]


def test_nothing_half_written_is_left(killed):
    folder = killed / run_directory.CHECKPOINTS
    assert checkpoints.steps(folder) == [STEPS - 2 * EVERY, STEPS - EVERY, STEPS]
    assert not [p for p in killed.rglob("*") if p.name.endswith(".tmp")]
    assert len(list(folder.glob("step-*"))) == 2 * 3
    best = list((folder / checkpoints.BEST).glob("*.index"))
    assert len(best) == 1
