"""The settings of `lorbms_tf.paths` and of the strips of `lorbms_tf.render paths --metric=...`."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.distances.distance_config import DistanceConfig, check_names
from lorbms_tf.errors import UserError

PLAIN = ("linear", "spherical")  # paths that nothing is measured for
PIXELS = "pixels"
WAYS = ("none", "channels", "luma")  # to equalise brightness and contrast
_SOURCES = ("records", "photos", "synthesized")


@dataclass(frozen=True, kw_only=True)
class SearchConfig(DistanceConfig):
    """How a path between two codes is found."""

    segments: int = setting(32, "Steps of a path at the end, a power of two.")
    adam_steps: int = setting(
        40, "Steps of Adam at most at 2 and 4 segments; half as many after each further doubling."
    )
    rate: float = setting(0.05, "Adam's rate, as a share of the distance between the two codes.")
    tolerance: float = setting(
        1e-3, "Double the segments when ten steps lower the energy by less than this share."
    )
    equalise: str = setting(
        "channels",
        "Make brightness and contrast of a path's pictures alike before they are compared: of "
        "each colour channel, of the luma, or not. A metric NAME/WAY has its own.",
        choices=WAYS,
    )
    judge: str = setting(PIXELS, "By which metric the linear and the spherical path are measured.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        require("adam_steps", self.adam_steps, minimum=1)
        if self.segments < 2 or self.segments & (self.segments - 1):
            raise UserError(f"--segments={self.segments} is not valid: a power of two from 2 on")
        for name in ("rate", "tolerance"):
            require(name, getattr(self, name), minimum=0)
        check_metrics([self.judge], "judge", plain=())


def check_metrics(names, flag: str, plain: tuple[str, ...] = PLAIN) -> None:
    """Raises UserError for a metric that does not exist, listing those that do."""
    if not names:
        raise UserError(f"--{flag} must name at least one metric")
    bare = []
    for name in names:
        name, slash, way = name.partition("/")
        if slash and way not in WAYS:
            raise UserError(f"--{flag}: no way {way!r} to equalise; valid: {', '.join(WAYS)}")
        bare.append(name)
    check_names(bare, flag, (*plain, PIXELS))


@dataclass(frozen=True, kw_only=True)
class PathsConfig(SearchConfig):
    """Which model, which pairs of pictures, and what is measured of their paths."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    saved_model: str = setting(
        "",
        "Instead of --run_dir: a SavedModel with the signature decode, and encode; without encode "
        "codes are drawn from a normal distribution.",
    )
    metrics: tuple[str, ...] = setting(
        ("linear", "spherical", PIXELS),
        "One path each: linear, spherical, or the shortest by pixels or by a distance of "
        "docs/distances.md, such as vgg19 or mmd.",
    )
    pairs: int = setting(20, "How many pairs of pictures.")
    records: str = setting("", "Glob of record files whose references are the pictures.")
    photos: str = setting("", "Or a folder of photos.")
    synthesized: bool = setting(False, "Or scenes that are drawn for this.")
    mask: str = setting(
        "", "Of a model with chunks: only these quadrants move, as 0010 for bottom left."
    )
    sphere: str = setting(
        "auto",
        "Codes lie on a sphere and stay there; auto: where all that are encoded have length one.",
        choices=("auto", "yes", "no"),
    )
    extractor: str = setting(
        "", "Network for the Frechet distance of pictures in the middle of the paths; see evaluate."
    )
    extractor_weights: str = setting("", "Its weights file.")
    seed: int = setting(0, "Seed of pairs, scenes and draws.")
    out: str = setting("", "Folder for the strips, the plot, the scores and the film.")
    strips: int = setting(5, "Pairs that are drawn as strips.")
    video: bool = setting(False, "Also a film of each pair's paths, an animated WebP.")

    def validate(self) -> None:
        """As `SearchConfig.validate`, for all settings."""
        super().validate()
        if bool(self.run_dir) == bool(self.saved_model):
            raise UserError("name either --run_dir or --saved_model")
        check_metrics(self.metrics, "metrics")
        sources = sum(bool(getattr(self, name)) for name in _SOURCES)
        if sources > 1 or (not sources and not self.saved_model):
            raise UserError("name the pictures by one of --records, --photos and --synthesized")
        require("pairs", self.pairs, minimum=1)
        require("strips", self.strips, minimum=0)
        require("seed", self.seed, minimum=0)
        if self.extractor:
            if self.pairs < 2:
                raise UserError(f"--pairs={self.pairs}: --extractor needs at least 2")
            from lorbms_tf.features import registry

            registry.check_score_network(self.extractor, self.extractor_weights)
        if self.video and not self.out:
            raise UserError("--video needs --out, the folder that it is written to")
