"""The arrays that scores read, each made when it is first asked for.

Half of the held-out photos, those at odd places, teach the classifiers. The others are judged:
themselves, interpolations between them, and what is made of a few of them.
"""

from functools import cached_property

import numpy as np

from lorbms_tf.augint.classifiers import Classifier
from lorbms_tf.augint.score_config import CLASS_FEATURES, AugintScoringConfig, domain_photos
from lorbms_tf.augint.trained import PixelFade, Trained
from lorbms_tf.training import photo_scores

POINTS = 3  # of a path, at uniform draws (seed 003, A.3)
_MOST_OF_DOMAIN = 20_000  # photos of the training domain that a classifier learns from
_TRAINING, _NOVEL = 0, 1  # the two domains
_PAIRS, _SHARES, _ALIKE, _SEEDS = range(4)  # what is drawn, each for itself


def photos(config: photo_scores.PhotoScoringConfig, most: int = 0) -> tuple:
    """Held-out images float32 [N, S, S, C] and labels int [N]. UserError where there are none.

    most: how many at most, evenly out of all, for folders are sorted by class; 0: all.
    """
    data = photo_scores.held_out(config)
    total = len(data.held_out_photos)
    chosen = np.linspace(0, total - 1, min(most or total, total)).round()
    images, labels, seen = [], [], 0
    for batch in data.held_out(config.batch_size)():
        count = len(batch["label"])
        kept = np.flatnonzero(np.isin(np.arange(seen, seen + count), chosen))
        seen += count
        images.append(np.asarray(batch["image"])[kept])
        labels.append(np.asarray(batch["label"])[kept])
    return np.concatenate(images), np.concatenate(labels)


def pairs(count: int, among: int, random: np.random.Generator) -> np.ndarray:
    """Pairs of two different places out of `among`, int [count, 2]. ValueError for fewer than 2."""
    if among < 2:
        raise ValueError(f"interpolations need at least 2 images, here are {among}")
    first = random.integers(0, among, count)
    return np.stack([first, (first + random.integers(1, among, count)) % among], axis=1)


def groups(labels: np.ndarray, size: int, count: int, random: np.random.Generator) -> np.ndarray:
    """Places of `size` different images of one class, int [count, size], each class as often.

    ValueError where no class has as many.
    """
    members = [np.flatnonzero(labels == name) for name in np.unique(labels) if name >= 0]
    members = [own for own in members if len(own) >= size]
    if not members:
        raise ValueError(f"no class of the photos has {size} images to judge")
    kinds = random.integers(0, len(members), count)
    return np.stack([random.choice(members[kind], size, replace=False) for kind in kinds])


class Arrays:
    """Arrays by the names that scores read: `arrays["novel"]`.

    Raises UserError where run or photos are missing; asking for one may raise ValueError.
    """

    def __init__(self, config: AugintScoringConfig):
        self._config = config
        self._trained = Trained(config.run_dir, config.checkpoint, config.refining_steps)
        fade = config.interpolation == "pixel_fade"
        self._maker = PixelFade() if fade else self._trained
        self.image, self._labels = photos(config, config.limit)
        self.count = len(self.image)
        self._judged = self.image[::2]

    def __getitem__(self, name: str) -> np.ndarray:
        return getattr(self, name)

    def _random(self, kind: int) -> np.random.Generator:
        return np.random.default_rng([self._config.seed, kind])

    @cached_property
    def _codes(self) -> np.ndarray:
        """Of the judged images; all paths share them, for those of wgan_gp take long."""
        return self._maker.encode(self._judged)

    @cached_property
    def reconstruction(self) -> np.ndarray:
        """[N, S, S, C]."""
        made = np.empty_like(self.image)
        made[::2] = self._maker.decode(self._codes)
        made[1::2] = self._maker.reconstructions(self.image[1::2])
        return made

    @cached_property
    def _pairs(self) -> np.ndarray:
        """The places of the two ends of each path, int [P, 2]."""
        return pairs(self._config.paths, len(self._judged), self._random(_PAIRS))

    @cached_property
    def path(self) -> np.ndarray:
        """Images at `POINTS` draws of each path between two judged ones, [M, S, S, C]."""
        return self._paths(self._pairs)

    @cached_property
    def _ends_and_middle(self) -> np.ndarray:
        """Each path of `path` at its ends and halfway, as the model makes them: [P, 3, S, S, C]."""
        shares = np.tile([0.0, 0.5, 1.0], (len(self._pairs), 1))
        return self._maker.between(*(self._codes[column] for column in self._pairs.T), shares)

    @property
    def ends(self) -> np.ndarray:
        """Both ends of all paths, [2P, S, S, C]."""
        return np.concatenate([self._ends_and_middle[:, 0], self._ends_and_middle[:, 2]])

    @property
    def middle(self) -> np.ndarray:
        """What lies halfway on each path, [P, S, S, C]."""
        return self._ends_and_middle[:, 1]

    def _paths(self, places: np.ndarray) -> np.ndarray:
        shares = self._random(_SHARES).uniform(size=(len(places), POINTS))
        made = self._maker.between(*(self._codes[column] for column in places.T), shares)
        return made.reshape(-1, *made.shape[2:])

    @cached_property
    def _domains(self) -> tuple[Classifier, np.ndarray, np.ndarray]:
        """A classifier of the domain, and judged images with their domains."""
        config = self._config
        known, _ = photos(domain_photos(config), _MOST_OF_DOMAIN)
        if len(self.image) < 2 or len(known) < 2:
            raise ValueError("a classifier of two domains needs 2 images of each")
        images = np.concatenate([known[1::2], self.image[1::2]])
        labels = np.repeat([_TRAINING, _NOVEL], [len(known[1::2]), len(self.image[1::2])])
        classifier = Classifier(
            self._trained.config, images, labels, 2, config.classifier_steps, config.seed,
            label="learning to tell the domains",
        )  # fmt: skip
        held_out = np.concatenate([known[::2], self._judged])
        domains = np.repeat([_TRAINING, _NOVEL], [len(known[::2]), len(self._judged)])
        return classifier, held_out, domains

    @cached_property
    def novel(self) -> np.ndarray:
        """Whether each interpolation is taken for one of the novel domain, bool [M]."""
        return self._domains[0](self.path) == _NOVEL

    @cached_property
    def domain_hits(self) -> np.ndarray:
        """Whether the domain of each judged image is told rightly, bool."""
        classifier, images, domains = self._domains
        return classifier(images) == domains

    @cached_property
    def _classes(self) -> Classifier:
        labels = self._labels[1::2]
        labelled = labels >= 0
        if len(np.unique(labels[labelled])) < 2:
            raise ValueError("the photos have no classes: their folders have no sub-folders")
        config = self._config
        return Classifier(
            self._trained.config, self.image[1::2][labelled], labels[labelled],
            int(self._labels.max()) + 1, config.classifier_steps, config.seed,
        )  # fmt: skip

    @cached_property
    def consistent(self) -> np.ndarray:
        """Whether each interpolation between two of a class is taken for that class, bool [M]."""
        labels = self._labels[::2]
        places = groups(labels, 2, self._config.paths, self._random(_ALIKE))
        return self._classes(self._paths(places)) == np.repeat(labels[places[:, 0]], POINTS)

    @cached_property
    def few_shot(self) -> np.ndarray:
        """Whether each picture out of the simplex of some seeds is taken for their class, bool."""
        labels, random = self._labels[::2], self._random(_SEEDS)
        places = groups(labels, self._config.shots, self._config.paths, random)
        weights = random.dirichlet(np.ones(places.shape[1]), len(places))
        made = self._maker.blended(self._codes[places], weights)
        return self._classes(made) == labels[places[:, 0]]

    @cached_property
    def real_features(self) -> np.ndarray:
        """Of the judged images, [N / 2, D]."""
        return self._features(self._judged)

    @cached_property
    def path_features(self) -> np.ndarray:
        """Of the interpolations, [M, D]."""
        return self._features(self.path)

    def _features(self, images: np.ndarray) -> np.ndarray:
        config = self._config
        if config.extractor == CLASS_FEATURES:
            return self._classes.features(images)
        return self._extractor(np.repeat(images, 3 // images.shape[-1], axis=-1))

    @cached_property
    def _extractor(self):
        from lorbms_tf.features import registry

        config = self._config
        return registry.score_network(config.extractor, config.extractor_weights, config.resize)
