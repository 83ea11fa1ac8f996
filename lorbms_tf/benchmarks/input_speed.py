"""How many records a second the input gives: as it is, decoding all 41 images, from loose files."""

import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import tensorflow as tf

from lorbms_tf.benchmarks import machine
from lorbms_tf.data import images, pipeline, records

_WARM_UP_BATCHES = 5
_LOOSE_RECORDS = 1000  # at most so many records' images are written as files


def _rate(dataset: tf.data.Dataset, batch_size: int, seconds: float) -> float:
    """Records a second over at least `seconds`, and at least one batch, after a warm-up."""
    batches = iter(dataset)
    for _ in range(_WARM_UP_BATCHES):
        next(batches)
    start, made = time.perf_counter(), 0
    while made == 0 or time.perf_counter() - start < seconds:
        next(batches)
        made += batch_size
    return made / (time.perf_counter() - start)


def _mapped(dataset: tf.data.Dataset, decode, config) -> tf.data.Dataset:
    """Shuffled, decoded and batched like the training pipeline, without end."""
    dataset = dataset.shuffle(config.shuffle_buffer, config.seed).repeat()
    dataset = dataset.map(decode, num_parallel_calls=tf.data.AUTOTUNE)
    dataset = dataset.batch(config.batch_size, drop_remainder=True)
    dataset = dataset.map(lambda *batch: [images.tf_to_float(pixels) for pixels in batch])
    return dataset.prefetch(tf.data.AUTOTUNE)


def decoding_all(shards: list[str], config) -> tf.data.Dataset:
    """Batches for which all 41 images of a record are decoded, and four then chosen."""

    def decode(serialized):
        parsed = records.parse(serialized, ("reference/image", "candidates/image"))
        flat = tf.reshape(parsed["candidates/image"], [-1])  # [40]
        decoded = tf.map_fn(
            lambda jpeg: images.tf_decode(jpeg, config.image_size), flat,
            fn_output_signature=tf.uint8,
        )  # fmt: skip
        reference = images.tf_decode(parsed["reference/image"], config.image_size)
        return reference, tf.gather(decoded, [0, 10, 20, 30])

    return _mapped(tf.data.TFRecordDataset(shards), decode, config)


def loose_files(shards: list[str], folder: Path, config) -> tf.data.Dataset:
    """Batches for which five image files are opened a record, as the thesis's code does.

    Every candidate lies in a file of its own, written here; a reference's draws pick their paths.
    """
    paths = list(_write_files(shards, folder))
    references = tf.constant([reference for reference, _ in paths])
    candidates = tf.constant([grid for _, grid in paths])  # [N, 4, 10]

    def decode(index):
        draws = tf.random.uniform([4], maxval=records.NUM_CANDIDATES, dtype=tf.int32)
        chosen = tf.gather(candidates[index], draws, axis=1, batch_dims=1)  # [4]
        files = [references[index], *tf.unstack(chosen)]
        decoded = [images.tf_decode(tf.io.read_file(file), config.image_size) for file in files]
        return decoded[0], tf.stack(decoded[1:])

    return _mapped(tf.data.Dataset.range(len(paths)), decode, config)


def _write_files(shards: list[str], folder: Path) -> Iterator[tuple[str, list[list[str]]]]:
    number = 0
    for shard in shards:
        for raw in records.read_shard(shard):
            record = records.deserialize(raw)
            place = folder / f"{number:06d}"
            place.mkdir()

            def write(name: str, jpeg: bytes, place=place) -> str:
                (place / name).write_bytes(jpeg)
                return str(place / name)

            grid = [
                [write(f"{q}_{k}.jpg", jpeg) for k, jpeg in enumerate(row)]
                for q, row in enumerate(record.candidate_images)
            ]
            yield write("reference.jpg", record.image), grid
            number += 1
            if number == _LOOSE_RECORDS:
                return


def waiting_share(batches: Iterator[dict], step, steps: int) -> float:
    """The share of the time of `steps` training steps that is spent waiting for their batches."""
    machine.wait_for(step(next(batches)))  # traced, and the pipeline filled
    start, waited = time.perf_counter(), 0.0
    for _ in range(steps):
        asked = time.perf_counter()
        batch = next(batches)
        waited += time.perf_counter() - asked
        machine.wait_for(step(batch))
    return waited / (time.perf_counter() - start)


def measure(config, model, steps: int, seconds: float) -> dict:
    """The fields of the JSON line.

    Args:
      config: a `TrainConfig` with `records`.
      model: built from it and compiled; its training steps are what input is waited for.
      steps: training steps over which the wait is measured.
      seconds: for each of the three ways to read.

    Raises UserError for records that are missing or do not fit.
    """
    shards = records.find_shards(config.records)
    pipeline.check_image_size(shards, config.image_size)

    def as_it_is() -> tf.data.Dataset:
        return pipeline.training_batches(
            shards, config.image_size, config.batch_size, config.seed,
            shuffle_buffer=config.shuffle_buffer,
        )  # fmt: skip

    rates = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, made in (
            ("as_it_is", as_it_is),
            ("decoding_all", lambda: decoding_all(shards, config)),
            ("loose_files", lambda: loose_files(shards, Path(folder), config)),
        ):
            rates[name] = _rate(made(), config.batch_size, seconds)
            machine.say(f"{rates[name]:.0f} records a second, {name}")
    machine.say("waiting for input in training")
    step = tf.function(model.train_step, autograph=False)
    waited = waiting_share(pipeline.checked(as_it_is(), config.records), step, steps)
    return {
        "benchmark": "input",
        "records_per_s": rates,
        "times_decoding_all": rates["as_it_is"] / rates["decoding_all"],
        "times_loose_files": rates["as_it_is"] / rates["loose_files"],
        "share_of_step_waiting": waited,
        "batch_size": config.batch_size,
        "image_size": config.image_size,
        "records": sum(records.count(path) for path in shards),
        "steps": steps,
        **machine.described(),
    }
