"""Runs that are stopped: by signals, by damaged or vanished records, by losses."""

import dataclasses
import itertools
import os
import signal
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.data import byte_ranges, pipeline, records
from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.training import loop, planning
from tests.training.making import config, variables

pytestmark = pytest.mark.usefixtures("eagerly", "interruptible")


def test_a_corrupt_drawn_candidate_names_the_way_to_find_it(pattern, tmp_path):
    shard = records.find_shards(pattern)[0]
    with tf.io.TFRecordWriter(str(tmp_path / "bad.tfrecord-00000-of-00001")) as writer:
        for raw in records.read_shard(shard):
            record = records.deserialize(raw)
            writer.write(records.serialize(dataclasses.replace(record, image=b"no jpeg")))
    run = loop.Run(
        planning.plan(
            config(str(tmp_path / "bad*"), tmp_path / "run", eval_records=pattern, max_steps=1)
        )
    )
    with pytest.raises(UserError, match=r"bad.tfrecord\S+, record \d.*tfrecords_tools.inspect"):
        run.train()


def test_a_diverged_run_does_not_overwrite_its_checkpoints(pattern, tmp_path):
    run = loop.Run(
        planning.plan(config(pattern, tmp_path, generator_learning_rate=1e30, keep_checkpoints=1))
    )
    with pytest.raises(UserError, match="loss/generator.* not finite at step") as caught:
        run.train()
    # The sixth step, the last, would have been saved too.
    good = tf.train.latest_checkpoint(str(tmp_path / "checkpoints"))
    said = f"that of step {good.rpartition('-')[2]} in" if good else "No checkpoint was written"
    assert said in str(caught.value)


def test_held_out_records_cut_short(pattern, tmp_path):
    whole = Path(records.find_shards(pattern)[0]).read_bytes()
    (tmp_path / "cut.tfrecord-00000-of-00001").write_bytes(whole[:-9])
    made = config(pattern, tmp_path / "run", eval_records=str(tmp_path / "cut*"))
    with pytest.raises(UserError, match="cut.tfrecord.* is cut short"):
        loop.Run(planning.plan(made)).train()


def after_step(run, number, act):
    """Lets `run` call `act` at the end of a step, before anything is written of it."""
    steps, made = run._step, []

    def acting(phase):
        make = steps(phase)

        def step(batch):
            values = make(batch)
            made.append(1)
            if len(made) == number:
                act()
            return values

        return step

    run._step = acting


@pytest.mark.parametrize("number, status", [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_after_the_step_in_hand(pattern, tmp_path, number, status):
    made = config(pattern, tmp_path / "run", checkpoint_every_steps=100)
    run = loop.Run(planning.plan(made))
    after_step(run, 2, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Stopped, match="after step 2 of 6.*same command continues") as stopped:
        run.train()
    assert stopped.value.status == status
    rest = loop.Run(planning.plan(made))
    assert rest.first_step == 2
    for name, value in variables(run).items():
        np.testing.assert_array_equal(value, variables(rest)[name], err_msg=name)


def test_records_that_vanish_are_named_and_the_steps_before_are_saved(
    pattern, tmp_path, monkeypatch
):
    # Files that stay open can be read on; with many shards they are opened at each use.
    monkeypatch.setattr(byte_ranges, "_OPEN_FILES", 0)
    monkeypatch.setattr(pipeline, "_READ_AT_ONCE", 1)
    reads, read = itertools.count(), byte_ranges.ImageReader.read

    def read_until_gone(reader, numbers, draws):
        if next(reads) == 10:  # batches, as far as the input is ahead of the steps
            shard.unlink()
        return read(reader, numbers, draws)

    monkeypatch.setattr(byte_ranges.ImageReader, "read", read_until_gone)
    shard = tmp_path / "gone.tfrecord-00000-of-00001"
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    made = config(
        str(shard), tmp_path / "run", eval_records=pattern, batch_size=6, epochs=500,
        checkpoint_every_steps=10_000, sample_every_steps=10_000,
    )  # fmt: skip
    with pytest.raises(UserError, match="gone.tfrecord.* cannot be read any more: No such file"):
        loop.Run(planning.plan(made)).train()
    with pytest.raises(UserError, match="no record files match"):
        planning.plan(made)
    shard.write_bytes(Path(records.find_shards(pattern)[0]).read_bytes())
    assert loop.Run(planning.plan(made)).first_step >= 1
