"""Scores of sets of scenes: mixes, and reconstructions, against real images.

One pass over each set makes the features that all scores share. What a score is worth depends on
the extractor, the resize and the real images, so all of them go where the score goes.
"""

from collections.abc import Callable
from typing import NamedTuple

import numpy as np

from lorbms_tf.evaluation.classifier_score import classifier_score
from lorbms_tf.evaluation.frechet import frechet_distance
from lorbms_tf.evaluation.kernel_distance import kernel_distance
from lorbms_tf.evaluation.precision_recall import NEIGHBOURS, PrecisionRecall, precision_recall
from lorbms_tf.evaluation.sliced_wasserstein import sliced_wasserstein

SETS = ("mix", "reconstruction")
REFERENCES = "reference"  # the set that was rendered; "real" may be another
_SPLITS = 10  # of the classifier score, as published
_LEAST_SPLIT = 100  # images: with fewer in each, the score would say more of their number

# (images [N, H, W, 3] in [-1, 1], images at a time) -> features [N, D] and logits [N, classes]
Extractor = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


class Sets:
    """The sets of images to be scored, and their features, made once each when first asked for.

    Args:
      images: "real", "mix", "reconstruction" and "reference": float [N, H, W, 3] in [-1, 1].
      extractor: None where no score of features is asked for.
      batch_size: images at a time.
      seed: of the order of the samples where a score looks at blocks of them, and of patches.
    """

    def __init__(
        self,
        images: dict[str, np.ndarray],
        extractor: Extractor | None = None,
        batch_size: int = 32,
        seed: int = 0,
    ):
        self.images, self.seed = images, seed
        self._extractor, self._batch_size = extractor, batch_size
        # Not functools.cache, which would keep the images of every checkpoint that is scored.
        self._passes: dict[str, tuple[np.ndarray, np.ndarray]] = {}
        self._shares: dict[str, PrecisionRecall] = {}

    def _pass(self, name: str) -> tuple[np.ndarray, np.ndarray]:
        if self._extractor is None:
            raise ValueError("scores of features need an extractor")
        if name not in self._passes:
            features, logits = self._extractor(self.images[name], self._batch_size)
            # Each set in an order of its own: a mix shall not meet its own reference in a block.
            place = list(self.images).index(name)
            order = np.random.default_rng([self.seed, place]).permutation(len(features))
            self._passes[name] = features[order], logits[order]
        return self._passes[name]

    def features(self, name: str) -> np.ndarray:
        """[N, D], in random order: records of one shard may be alike."""
        return self._pass(name)[0]

    def precision_recall(self, name: str) -> PrecisionRecall:
        """Of one set against the real images: both come of the same distances."""
        if name not in self._shares:
            self._shares[name] = precision_recall(self.features("real"), self.features(name))
        return self._shares[name]

    def logits(self, name: str) -> np.ndarray:
        """[N, classes], in the order of `features`."""
        return self._pass(name)[1]


class Score(NamedTuple):
    """How a score is computed: from (sets, name of the set) to a number; least: images a set."""

    compute: Callable[[Sets, str], float]
    of_features: bool
    least: int = 1


def _frechet(sets: Sets, name: str) -> float:
    return frechet_distance(sets.features("real"), sets.features(name))


def _kernel(sets: Sets, name: str) -> float:
    return kernel_distance(sets.features("real"), sets.features(name)).value


def _precision(sets: Sets, name: str) -> float:
    return sets.precision_recall(name).precision


def _recall(sets: Sets, name: str) -> float:
    return sets.precision_recall(name).recall


def _classifier_score(sets: Sets, name: str) -> float:
    logits = sets.logits(name)
    return classifier_score(logits, _SPLITS if len(logits) >= _SPLITS * _LEAST_SPLIT else 1).value


def _sliced_wasserstein(sets: Sets, name: str) -> float:
    real, made = sets.images["real"], sets.images[name]
    count = min(len(real), len(made))  # sorted projections are compared one to one
    return _mean(sliced_wasserstein(real[:count], made[:count], sets.seed))


def _paired_sliced_wasserstein(sets: Sets, name: str) -> float:
    # Not "real": a picture belongs to its own reference.
    return _mean(
        sliced_wasserstein(sets.images[REFERENCES], sets.images[name], sets.seed, paired=True)
    )


def _mean(levels: dict[int, float]) -> float:
    return float(np.mean(list(levels.values())))


_KINDS = {
    "frechet": Score(_frechet, of_features=True, least=2),
    "kernel": Score(_kernel, of_features=True, least=2),
    "precision": Score(_precision, of_features=True, least=NEIGHBOURS + 1),
    "recall": Score(_recall, of_features=True, least=NEIGHBOURS + 1),
    "classifier_score": Score(_classifier_score, of_features=True),
    "swd": Score(_sliced_wasserstein, of_features=False),
}
# By name, such as frechet_mix and swd_reconstruction.
SCORES = {f"{kind}_{name}": (score, name) for kind, score in _KINDS.items() for name in SETS}
SCORES["swd_paired_reconstruction"] = (
    Score(_paired_sliced_wasserstein, of_features=False),
    "reconstruction",
)


def needs_extractor(metrics) -> bool:
    """Whether any of these metrics is one of features."""
    return any(name in SCORES and SCORES[name][0].of_features for name in metrics)


def compute(name: str, sets: Sets) -> float:
    """One of `SCORES`. ValueError where it cannot be computed: too few images, or not finite."""
    score, of = SCORES[name]
    return score.compute(sets, of)


def caution(name: str, sets: Sets) -> str:
    """What is to be known beside one of `SCORES` that has been computed; "" where nothing is."""
    score, of = SCORES[name]
    if score is not _KINDS["frechet"]:
        return ""
    count = min(len(sets.features(part)) for part in ("real", of))
    width = sets.features(of).shape[1]
    if count > width:
        return ""
    return (
        f"a Fréchet distance of {count} images with features of {width} numbers comes out too "
        f"high, and the fewer images, the higher: compare it with those of {count} images only, "
        f"or take well over {width} (papers: 50,000)"
    )
