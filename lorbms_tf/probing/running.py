"""One probe: all runs over folds and seeds, of the features and of their random baseline."""

import functools
import hashlib
import json
import time
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import tensorflow as tf

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.files import check_writable
from lorbms_tf.networks import weights_files
from lorbms_tf.probing import augmentation, datasets, features, knn, linear, scores
from lorbms_tf.probing.labelled import Labelled, Part
from lorbms_tf.probing.results import Results
from lorbms_tf.probing.settings import OWN, WHOLE, ProbeConfig
from lorbms_tf.progress import clock, say

_VIEWS_SEED = 0
MOST_VIEWED = 8 << 30  # bytes of features of all views, which are held in memory


class Fold(NamedTuple):
    """Images to learn from: the number of a predefined fold, or None for all; and their places."""

    number: int | None
    places: np.ndarray


def folds(config: ProbeConfig, data: Labelled) -> list[Fold]:
    """What `--folds` says. Raises UserError where the data set has no such fold."""
    whole = [Fold(None, np.arange(len(data.train.images)))]
    if config.folds == WHOLE or (config.folds == OWN and not data.folds):
        return whole
    wanted = config.fold_numbers()
    numbers = range(len(data.folds)) if wanted is None else wanted
    for number in numbers:
        if not 0 <= number < len(data.folds):
            valid = f"0 to {len(data.folds) - 1}" if data.folds else WHOLE
            raise UserError(
                f"--folds={config.folds}: {config.dataset} has no fold {number}; valid: {valid}"
            )
    return [Fold(number, data.folds[number]) for number in numbers]


def protocol(config: ProbeConfig, data: Labelled, used: list[Fold]) -> dict[str, Any]:
    """What must agree between two results for them to compare, ready for JSON."""
    common = {
        "probe": config.probe,
        "dataset": config.dataset.partition(":")[0],
        "dataset_sha256": data.digest(),
        "splits": [config.train_split, config.test_split],
        "folds": WHOLE if used[0].number is None else "predefined",
        "image_size": config.image_size,
        **({"standardized": True} if config.standardize else {}),
    }
    if config.probe == "knn":
        # Votes are often equal; lines that do not say so counted such images in their files' order.
        ties = {"equal_scores": "together"} if data.multi_label else {}
        return {**common, "k": config.k, "temperature": config.temperature, **ties}
    return {
        **common,
        "augmentation": f"{config.views} fixed views" if config.views else "fresh in each epoch",
        "epochs": config.epochs,
        "batch_size": config.batch_size,
        "optimizer": config.optimizer,
        "learning_rate": config.learning_rate,
    }


class Probe:
    """All runs that the flags ask for.

    Attributes:
      data: the labelled images.
      protocol: what was measured how, ready for JSON.

    Raises UserError where the data set or the file of results cannot be used, or the flags do not
    fit them.
    """

    def __init__(self, config: ProbeConfig):
        self.config = config
        self.data = datasets.load(
            config.dataset, config.image_size, config.train_split, config.test_split
        )
        self._folds = folds(config, self.data)
        self.protocol = protocol(config, self.data, self._folds)
        self._results = Results(config.out, self.protocol)
        count = len(self._folds) * config.seeds
        if config.save_network:
            weights_files.check_name(config.save_network, "--save_network=")
            check_writable(config.save_network)
            if count > 1:
                raise UserError(
                    f"--save_network wants a single run, these are {count}: --folds={WHOLE} "
                    "--seeds=1"
                )
        self._total, self._done, self._measured = count, 0, []

    def run(self) -> list[dict[str, Any]]:
        """Does what is not finished, and returns the lines of all runs asked for."""
        config = self.config
        trained = features.make(config, config.seed)
        is_random = trained.weights == features.RANDOM
        seeds = range(config.seed, config.seed + config.seeds)
        jobs = [(seed, is_random) for seed in seeds]
        if config.baseline and not is_random:
            jobs += [(seed, True) for seed in seeds]
            self._total *= 2
        lines, of_trained = [], _Images(config, self.data, trained)
        for seed, random in jobs:
            images = of_trained
            if random:
                found = features.make(config, seed, random=True)
                images = _Images(config, self.data, found)
            save = config.save_network if random == is_random else ""
            lines += [self._line(images, fold, seed, save) for fold in self._folds]
        return lines

    def _line(self, images: "_Images", fold: Fold, seed: int, save: str) -> dict[str, Any]:
        """The line of one run, which is done if it is not finished."""
        found = images.features
        run = {
            "features": found.name,
            "weights": found.weights,
            "weights_sha256": found.weights_hash,
            "finetuned": self.config.finetune,
            "fold": fold.number,
            "seed": seed,
        }
        self._done += 1
        part = "all images" if fold.number is None else f"fold {fold.number}"
        label = f"{found.name}, {found.weights}, {part}, seed {seed}"
        line = self._results.find(run)
        if line is not None and (not save or Path(save).is_file()):
            say(f"{label}: done already (run {self._done} of {self._total}), see {self.config.out}")
            return line
        start = time.monotonic()
        score, parameters = self._score(images, fold, seed, label, self._state(run))
        if save:
            weights_files.write(found.network, save, found.kind)
        self._measured.append(time.monotonic() - start)
        line = {
            **run,
            "mean_average_precision" if self.data.multi_label else "accuracy": score,
            "classifier_parameters": parameters,
            "train_images": len(fold.places),
            "test_images": len(self.data.test.images),
            "seconds": round(self._measured[-1], 1),
        }
        line = self._results.add(line)
        rest = (self._total - self._done) * float(np.mean(self._measured))
        left = f"run {self._done} of {self._total}, ETA of all {clock(rest)}"
        say(f"{label}: {100 * score:.1f} % ({left})")
        return line

    def _score(self, images: "_Images", fold: Fold, seed: int, label: str, state: Path | None):
        """The score of one run and the number of its classifier's parameters."""
        config, data, found = self.config, self.data, images.ready
        test = data.test
        if config.probe == "knn":
            labels = data.train.labels[fold.places]
            made = knn.scores(
                images.train[fold.places], labels, images.test, config.k, config.temperature,
                len(data.classes),
            )  # fmt: skip
            return scores.score(made, test.labels), 0
        found.reset()
        probe = linear.LinearProbe(found, len(data.classes), config, seed)
        views = images.views if config.views else ()
        linear.train(probe, data.train, fold.places, config, seed, label, views, state)
        if config.finetune:
            made = probe.scores(test.images, config.batch_size)
        else:
            made = probe.scores_of(images.test)
        if state:
            state.unlink(missing_ok=True)
        return scores.score(made, test.labels), probe.parameters

    def _state(self, run: dict[str, Any]) -> Path | None:
        """Where a run of the linear probe is kept while it learns; None without `--out`."""
        if not self.config.out:
            return None
        key = json.dumps([run, self.protocol], sort_keys=True)
        name = hashlib.sha256(key.encode()).hexdigest()[:12]
        return Path(f"{self.config.out}.{name}.state.npz")


class _Images:
    """Features of the data set's images by one network, each computed once and when needed."""

    def __init__(self, config: ProbeConfig, data: Labelled, found: FeatureNetwork):
        self.features = found
        self._config, self._data = config, data
        if config.finetune:
            found.remember()  # every run begins with the same weights

    @functools.cached_property
    def ready(self) -> FeatureNetwork:
        """The features as a run reads them: brought to units first where --standardize says so."""
        if self._config.standardize:
            plain = self._whole(self._data.train, "learn from")
            self.features, self.train = features.standardized(self.features, plain)
        return self.features

    @functools.cached_property
    def train(self) -> np.ndarray:
        return self._whole(self._data.train, "learn from")

    @functools.cached_property
    def test(self) -> np.ndarray:
        return self._whole(self._data.test, "test on")

    @functools.cached_property
    def views(self) -> list[np.ndarray]:
        config, images = self._config, self._data.train.images
        size = 4 * config.views * len(images) * self.features.dimension
        if size > MOST_VIEWED:
            raise UserError(
                f"--views={config.views} of {len(images)} images take {size / 2**30:.1f} GiB; at "
                f"most {MOST_VIEWED / 2**30:.0f}: fewer, or 0"
            )

        def view(number: int) -> np.ndarray:
            def augment(pixels, block):
                # Part of the protocol: the same whichever seeds are asked for together.
                seed = tf.stack([_VIEWS_SEED, number * 2**20 + block])
                return augmentation.augment(pixels, seed, config.image_size)

            label = f"{self.features.name}, view {number + 1} of {config.views}"
            return features.compute(self.features, images, config.batch_size, label, augment)

        return [view(number) for number in range(config.views)]

    def _whole(self, part: Part, purpose: str) -> np.ndarray:
        label = f"{self.features.name}, images to {purpose}"
        return features.compute(self.features, part.images, self._config.batch_size, label)
