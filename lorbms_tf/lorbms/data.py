"""The records that the thesis's model learns from, as the training loop asks for them."""

import dataclasses
from collections.abc import Callable, Iterable

import numpy as np

from lorbms_tf.data import (
    dataset_file,
    fingerprint,
    index_making,
    pipeline,
    reading,
    record_order,
    records,
    stages,
    storage,
)
from lorbms_tf.data.damage import BadRecords
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import variants
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.training.method import Share


class Records:
    """The training and held-out records of a run, found and checked.

    Attributes:
      shards: the training shards; of the first stage, where there are several.
      bad: where damaged records are counted.
      steps_per_epoch: whole batches.
      fingerprint: of the training shards.

    Raises UserError for records that are missing, cut short, or of another image size.
    """

    def __init__(self, config: LorbmsConfig):
        if not config.records:
            raise UserError("--records is required")
        self._config = config
        self._stages = stages.parse(config.records, config.stages)
        self._shards = [records.find_shards(stage.pattern) for stage in self._stages]
        self.shards = self._shards[0]
        self.bad = BadRecords(config.max_bad_records)
        held_out = records.find_shards(config.eval_records) if config.eval_records else []
        for shards in (*self._shards, held_out):
            self.bad.scan(shards)
            reading.check_image_size(shards, config.image_size, self.bad)
        counts = [index_making.count(shards, self.bad) for shards in self._shards]
        steps = [record_order.count_steps(count, config.batch_size) for count in counts]
        self.steps_per_epoch = steps[0]
        self.fingerprint = fingerprint.fingerprint(sum(self._shards, []))

    def training(self, first_step: int, share: Share):
        """A worker's batches from a step on (`pipeline.training_batches`), stage after stage.

        Every stage begins with a whole epoch of its own.
        """
        self._check_share(self._config.batch_size // share.devices)
        ends = [stage.begin for stage in self._stages[1:]]
        parts = []
        for stage, end, shards in zip(self._stages, [*ends, None], self._shards, strict=True):
            done = max(first_step - stage.begin, 0)
            if end is None:
                parts.append(self._batches(shards, done, share))
            elif first_step < end:
                items = (end - stage.begin - done) * (share.devices // share.workers)
                parts.append(self._batches(shards, done, share).take(items))
        batches = parts[0]
        for part in parts[1:]:
            batches = batches.concatenate(part)
        return batches if len(parts) == 1 else pipeline.in_order(batches)

    def _check_share(self, images: int) -> None:
        """Images mixed with each other are those of one device, which so needs some."""
        mixing = self._config.mixing
        if mixing == variants.TILES and (images < 2 or images % 2):
            raise UserError(
                f"--mixing={mixing} needs an even number of images on each device, not {images}"
            )
        if mixing == variants.BATCH and images < 2:
            raise UserError(f"--mixing={mixing} needs 2 images or more on each device")

    def _batches(self, shards: list[str], first_step: int, share: Share):
        config = self._config
        return pipeline.training_batches(
            index_making.open_index(shards, self.bad),
            config.image_size,
            config.batch_size,
            seed=config.seed,
            first_step=first_step,
            devices=share.devices,
            worker=share.worker,
            workers=share.workers,
            bad=self.bad,
        )

    def checked(self, batches: Iterable) -> Iterable:
        """The training batches; what cannot be read any more becomes a UserError."""
        return pipeline.checked(batches, ",".join(stage.pattern for stage in self._stages))

    def held_out(self, batch_size: int, limit: int | None = None) -> Callable[[], Iterable]:
        """The held-out references, or training references where there are none.

        Their draws follow from the seed, not from the run.
        """
        config = self._config
        pattern = config.eval_records or config.records
        # Made once: each making counts the records and traces their decoding.
        dataset = pipeline.evaluation_batches(
            pattern, config.image_size, batch_size, config.seed, limit, self.bad
        )
        return lambda: pipeline.checked(dataset, pattern)

    def held_out_flags(self) -> dict[str, str]:
        """As `held_out`: the held-out records, or those of training."""
        config = self._config
        bad = {"max_bad_records": str(config.max_bad_records)} if config.max_bad_records else {}
        return {"records": config.eval_records or config.records, **bad}

    def held_out_fingerprint(self) -> list[dict]:
        """Of the shards that `held_out` reads."""
        return fingerprint.fingerprint(records.find_shards(self.held_out_flags()["records"]))

    def description(self) -> str:
        """How many shards there are."""
        counts = [len(shards) for shards in self._shards]
        return f"{' + '.join(map(str, counts))} shards"

    def notes(self, config: LorbmsConfig, total_steps: int) -> list[str]:
        """What to know before the run starts."""
        notes = [autoencoder_note(config, total_steps), tau_warning(config.tau, self.shards)]
        notes += [stage_note(stage, total_steps) for stage in self._stages[1:]]
        if not config.eval_records:
            notes.insert(0, "no --eval_records: the sample pictures show training references")
        return [note for note in notes if note]

    def summary(self) -> str:
        """How many damaged records were skipped; "" where none was."""
        return self.bad.summary() if self.bad.count else ""


def tau_at(quantile: float, shards: list[str]) -> float:
    """The quantile of all [N, 4, 10] distances, interpolated between those that are stored.

    Raises UserError where the shards lie in several folders, or the dataset.json beside them does
    not tell the quantiles.
    """
    folders = sorted(set(map(storage.folder, shards)))
    if len(folders) > 1:
        raise UserError(
            "--tau_quantile needs all --records in one folder with one dataset.json; they lie in "
            f"{', '.join(folders)}: name --tau instead"
        )
    points = _distance_quantiles(folders[0])
    if not points:
        path = storage.joined(folders[0], records.DATASET_FILE)
        raise UserError(f"--tau_quantile needs distance_quantiles in {path}; build anew or --tau")
    return float(np.interp(quantile, *zip(*points, strict=True)))


def tau_warning(tau: float, shards: list[str]) -> str:
    """A sentence where tau lies outside the records' distances, so that it decides nothing."""
    points = _distance_quantiles(storage.folder(shards[0]))
    if not points or points[0][1] <= tau <= points[-1][1]:
        return ""
    return (
        f"warning: --tau={tau:g} lies outside the records' distances "
        f"({points[0][1]:.4g} to {points[-1][1]:.4g}), so every mix replaces "
        "the same number of quadrants; --tau_quantile=0.5 takes their median"
    )


def resolve(config: LorbmsConfig, data: Records) -> LorbmsConfig:
    """The configuration with `tau` set from --tau_quantile, where that is asked for."""
    if config.tau_quantile < 0:
        return config
    return dataclasses.replace(config, tau=tau_at(config.tau_quantile, data.shards))


def autoencoder_note(config: LorbmsConfig, total: int) -> str:
    """A sentence on the steps without mixing, a warning where there are no others; "" without."""
    alone = config.autoencoder_steps
    if not alone:
        return ""
    if total <= alone:
        return (
            f"warning: all {total} steps are of the --autoencoder_steps={alone}, so the model "
            "learns to reconstruct and never to mix: raise --epochs, or lower --autoencoder_steps"
        )
    return (
        f"steps 1 to {alone} train encoder and decoder alone, as an autoencoder (AE in the "
        f"progress lines is its loss); the {total - alone} steps after them mix"
    )


def stage_note(stage: stages.Stage, total: int) -> str:
    """A sentence on a further stage, a warning where the run ends before it."""
    if stage.begin >= total:
        return (
            f"warning: the run ends after step {total}, before --stages={stage.begin}:"
            f"{stage.pattern}: raise --max_steps or --epochs"
        )
    return f"from step {stage.begin + 1} on the run learns from {stage.pattern}"


def _distance_quantiles(folder: str) -> list[tuple[float, float]]:
    """(quantile, squared distance) pairs of a folder's records, ascending; empty if not known."""
    described = dataset_file.read(folder)
    return described.distance_quantiles if described else []
