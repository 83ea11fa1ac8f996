"""Scores of sets of scenes: mixes, and reconstructions, against real images.

One pass over each set makes the features that all scores share. What a score is worth depends on
the extractor, the resize and the real images, so all of them go where the score goes.
"""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np

from lorbms_tf.evaluation import frechet
from lorbms_tf.evaluation.classifier_score import classifier_score
from lorbms_tf.evaluation.kernel_distance import kernel_distance
from lorbms_tf.evaluation.lines import PATCHES
from lorbms_tf.evaluation.precision_recall import NEIGHBOURS, PrecisionRecall, precision_recall
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.evaluation.sliced_wasserstein import paired_distance, sliced_wasserstein

SETS = ("mix", "reconstruction")
REFERENCES = "reference"  # the set that was rendered; "real" may be another
FEATURES = "extractor"  # in `Score.protocol`: of features, which need an extractor
_SPLITS = 10  # of the classifier score, as published
_LEAST_SPLIT = 100  # images: with fewer in each, the score would say more of their number

_PARTS = ("features", "logits")  # of what an extractor gives

# (images [N, H, W, 3] in [-1, 1], images at a time) -> features [N, D] and logits [N, classes]
Extractor = Callable[[np.ndarray, int], tuple[np.ndarray, np.ndarray]]


class Sets(dict):
    """The sets of images to be scored, and what is made of them once, when it is first asked for.

    By name: the images, "seed", and of each set NAME_features [N, D], NAME_logits [N, classes] and
    NAME_shares (`precision_recall`, against "real").

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
        super().__init__({**images, "seed": seed})

    def __missing__(self, name: str) -> Any:
        of, _, what = name.rpartition("_")
        if of not in self.images or what not in (*_PARTS, "shares"):
            raise KeyError(name)
        if what == "shares":  # precision and recall come of the same distances
            self[name] = precision_recall(self["real_features"], self[f"{of}_features"])
            return self[name]
        if self._extractor is None:
            raise ValueError("scores of features need an extractor")
        values = self._extractor(self.images[of], self._batch_size)
        # In random order, as records of one shard may be alike; each set in an order of its own: a
        # mix shall not meet its own reference in a block.
        place = list(self.images).index(of)
        order = np.random.default_rng([self.seed, place]).permutation(len(values[0]))
        self.update({f"{of}_{part}": v[order] for part, v in zip(_PARTS, values, strict=True)})
        return self[name]


def _classifier_score(logits: np.ndarray) -> float:
    return classifier_score(logits, _SPLITS if len(logits) >= _SPLITS * _LEAST_SPLIT else 1).value


def _kernel(real: np.ndarray, made: np.ndarray) -> float:
    return kernel_distance(real, made).value


def _precision(shares: PrecisionRecall) -> float:
    return shares.precision


def _recall(shares: PrecisionRecall) -> float:
    return shares.recall


def _sliced_wasserstein(real: np.ndarray, made: np.ndarray, seed: int) -> float:
    count = min(len(real), len(made))  # sorted projections are compared one to one
    return _mean(sliced_wasserstein(real[:count], made[:count], seed))


def _paired_sliced_wasserstein(references: np.ndarray, made: np.ndarray, seed: int) -> float:
    # Not of "real": a picture belongs to its own reference.
    return paired_distance(references, made, seed)


def _mean(levels: dict[int, float]) -> float:
    return float(np.mean(list(levels.values())))


class _Kind(NamedTuple):
    """A score of any of `SETS`.

    compute: the values that it reads, in their order.
    reads: their names; "{}" stands for the set's.
    """

    compute: Callable[..., float]
    reads: tuple[str, ...]
    stated: dict[str, Any]  # fields of `Score`

    def of(self, name: str) -> Score:
        """The score of one set."""

        def in_order(**values: Any) -> float:
            return self.compute(*values.values())

        return Score(in_order, tuple(read.format(name) for read in self.reads), **self.stated)


_OF_FEATURES = {"protocol": ("real", FEATURES)}
_OF_BOTH = ("real_features", "{}_features")
_OF_PIXELS = ("real", "{}", "seed")
_KINDS = {
    "frechet": _Kind(frechet.frechet_distance, _OF_BOTH, {
        **_OF_FEATURES, "higher_is_better": False, "least": 2,
        "says": "Fréchet distance of features to the real images; lower is better",
    }),
    "kernel": _Kind(_kernel, _OF_BOTH, {
        **_OF_FEATURES, "higher_is_better": False, "least": 2,
        "says": "kernel distance of features; lower is better",
    }),
    "precision": _Kind(_precision, ("{}_shares",), {
        **_OF_FEATURES, "least": NEIGHBOURS + 1,
        "says": "share of the pictures that lie among the real images' features",
    }),
    "recall": _Kind(_recall, ("{}_shares",), {
        **_OF_FEATURES, "least": NEIGHBOURS + 1,
        "says": "share of the real images that lie among the pictures' features",
    }),
    "classifier_score": _Kind(_classifier_score, ("{}_logits",), {
        **_OF_FEATURES, "says": "sure about each picture, varied over all; higher is better",
    }),
    "swd": _Kind(_sliced_wasserstein, _OF_PIXELS, {
        "higher_is_better": False, "protocol": ("real", PATCHES),
        "says": "sliced Wasserstein distance of patches; lower is better",
    }),
    "swd_paired": _Kind(_paired_sliced_wasserstein, (REFERENCES, "{}", "seed"), {
        "higher_is_better": False,
        "says": "the same with patches from the same places of a reference and its "
        "reconstruction; 0 for a copy",
    }),
}  # fmt: skip
# By name, such as frechet_mix and swd_reconstruction. A mix has no picture that it is to equal.
SCORES = {
    f"{kind}_{name}": of_set.of(name)
    for kind, of_set in _KINDS.items()
    for name in (SETS if kind != "swd_paired" else ("reconstruction",))
}
# Of lines that were written before patches were drawn apart (`evaluation.lines`).
FORMER = {"swd_paired_mix": _KINDS["swd_paired"].of("mix")}


def caution(name: str, sets: Sets) -> str:
    """What is to be known beside one of `SCORES` that has been computed; "" where nothing is."""
    kind, _, of = name.rpartition("_")
    if kind != "frechet":
        return ""
    count = min(len(sets[f"{part}_features"]) for part in ("real", of))
    return frechet.caution(count, sets[f"{of}_features"].shape[1])
