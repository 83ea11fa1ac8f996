"""The settings of super-resolution, `--method=superres`; the defaults are the paper's.

Amir and Weiss (2021), supplement, 2.3. Each field is one flag of `python -m lorbms_tf.train`.
"""

import math
from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data.photos_config import OWN_SIZE, PhotosConfig
from lorbms_tf.distances import distance_config
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.errors import UserError
from lorbms_tf.training.run_config import RunConfig

FACTOR = 4  # by which the sides grow


@dataclass(frozen=True, kw_only=True)
class SuperresConfig(RunConfig, PhotosConfig, DistanceConfig):
    """Enlarging photos by 4 under any distance."""

    method: str = setting("superres", "What is trained (see `lorbms_tf.methods`).")
    batch_size: int = setting(8, "Photos in a step, over all devices.")
    epochs: int = setting(100, "Passes over the photos.", may_change=True)
    best_metric: str = setting(
        "psnr", "Score (see evaluate) by which the best checkpoint is kept.", may_change=True
    )
    image_size: int = setting(
        128, "Side of the crops in pixels, a multiple of 4; they are reduced to a quarter."
    )
    short_side: int = setting(
        OWN_SIZE,
        "Pixels of a photo's shorter side before it is cropped; -1: its own, 0: --image_size.",
    )
    crop: str = setting(
        "random",
        "Where training cuts the square from a photo; held-out photos are cut at the center.",
        choices=("center", "random"),
    )
    distance: str = setting(
        "mmd++",
        f"What is minimised between enlarged photos and real ones: "
        f"{', '.join(distance_config.NAMES)} or {distance_config.TAPS}NETWORK:LAYER+LAYER.",
    )
    pixel_weight: float = setting(
        0.001, "Weight of the mean squared error of pixels, added to --distance."
    )
    blocks: int = setting(16, "Residual blocks of the network.")
    width: int = setting(64, "Maps of its convolutions.")
    batch_norm: bool = setting(True, "Batch norm in the network, as SRGAN has it.")
    learning_rate: float = setting(1e-3, "Of Adam.")
    halvings: int = setting(
        3, "Times that the learning rate is halved, at equal distances over the run."
    )

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        self.validate_run()
        self.validate_photos()
        DistanceConfig.validate(self)
        distance_config.check_names([self.distance], "distance")
        for name in ("blocks", "width"):
            require(name, getattr(self, name), minimum=1)
        require("halvings", self.halvings, minimum=0)
        for name in ("learning_rate", "pixel_weight"):
            require(name, getattr(self, name), minimum=0, below=math.inf)
        if self.image_size % FACTOR or self.image_size < 16:
            raise UserError(
                f"--image_size={self.image_size} is not valid: a multiple of {FACTOR}, at least 16"
            )
        if self.channels != 3:
            raise UserError(f"--channels={self.channels} is not valid: --method=superres needs 3")
