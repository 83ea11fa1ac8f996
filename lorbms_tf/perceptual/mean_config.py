"""The settings of `lorbms_tf.image_mean`."""

import math
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.distances import distance_config
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.sliced_wasserstein import LEAST_SIDE

SPATIAL, GENERATOR = "spatial", "generator"


@dataclass(frozen=True, kw_only=True)
class ImageMeanConfig(DistanceConfig):
    """Which problems are solved under which distances, and where the results go."""

    out: str = setting("", "Folder of the results: made, or continued.")
    problems: str = setting(
        SPATIAL,
        "Sets of pictures: crops of photos, or what a generator makes of codes around one code.",
        choices=(SPATIAL, GENERATOR),
    )
    num_problems: int = setting(20, "How many sets, at least 2.")
    num_targets: int = setting(50, "Pictures in a set.")
    distances: tuple[str, ...] = setting(
        ("l2", "mmd", "mmd++", "scnn", "vgg16", "vgg16_random"),
        f"Distances, the first being what the others are compared with; valid are "
        f"{', '.join(distance_config.NAMES)} and {distance_config.TAPS}NETWORK:LAYER+LAYER.",
    )
    image_size: int = setting(128, "Side of the pictures, pixels: 16, 32, 64, ...")
    images: str = setting(
        "",
        "Folder of photos: those that are cropped, or (generator) those whose codes are in the "
        "middle of the sets, where the model has an encoder.",
    )
    short_side: int = setting(256, "Shorter side of a photo before crops, pixels (spatial).")
    shift: int = setting(4, "Crops lie within so many pixels of the centre (spatial).")
    run_dir: str = setting("", "Run directory of the generator, or pretrained:NAME.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    saved_model: str = setting(
        "", "A SavedModel as the generator: a folder, or FOLDER,signature=NAME."
    )
    code_variance: float = setting(
        0.04, "Variance of the noise around a code, in shares of the code's own (generator)."
    )
    epochs: int = setting(400, "Passes over a set of pictures.")
    batch_size: int = setting(5, "Pictures of a set in a step.")
    learning_rate: float = setting(0.01, "Of Adam.")
    pixel_weight: float = setting(
        0.001, "Weight of the mean squared error of pixels, added to every distance."
    )
    sheet_rows: int = setting(8, "Problems in the sheet of means.")
    seed: int = setting(0, "Seed of problems, draws and scores.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        super().validate()
        if not self.out:
            raise UserError("--out is required")
        if not self.distances:
            raise UserError("--distances: name at least one")
        distance_config.check_names(self.distances, "distances")
        require("num_problems", self.num_problems, minimum=2)
        for name in ("epochs", "batch_size", "sheet_rows"):
            require(name, getattr(self, name), minimum=1)
        require("num_targets", self.num_targets, minimum=self.batch_size)
        for name in ("shift", "seed"):
            require(name, getattr(self, name), minimum=0)
        for name in ("learning_rate", "pixel_weight", "code_variance"):
            require(name, getattr(self, name), minimum=0, below=math.inf)
        if self.image_size < LEAST_SIDE or self.image_size & (self.image_size - 1):
            raise UserError(f"--image_size={self.image_size} is not valid: 16, 32, 64, 128, ...")
        self._check_source()

    def _check_source(self) -> None:
        if self.problems == SPATIAL and not self.images:
            raise UserError("--problems=spatial needs --images=FOLDER of photos")
        if self.problems == GENERATOR and bool(self.run_dir) == bool(self.saved_model):
            raise UserError(
                "--problems=generator needs either --run_dir=R (also pretrained:NAME) or "
                "--saved_model=DIR"
            )
