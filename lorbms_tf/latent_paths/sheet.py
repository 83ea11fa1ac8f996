"""The strips of `lorbms_tf.render paths --metric=...`: one a metric, for the same pictures."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf import progress
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import comma_lists, images
from lorbms_tf.errors import UserError
from lorbms_tf.latent_paths.config import SearchConfig, check_metrics
from lorbms_tf.training.method import Sheet
from lorbms_tf.training.sheet_config import SheetConfig


@dataclass(frozen=True, kw_only=True)
class PathSheetConfig(SheetConfig, SearchConfig):
    """Which two pictures, and by which metrics the way between them is looked for."""

    object: str = setting("", "Picture that the paths lead to.")
    scene: str = setting("", "Picture that they begin with.")
    through: str = setting("", "Pictures that they lead through, in this order, joined by commas.")
    mask: str = setting("", "Of a model with chunks: only these quadrants move, as 0010.")
    metric: tuple[str, ...] = setting(
        (), "One strip each: linear, spherical, pixels, or a distance of docs/distances.md."
    )
    steps: int = setting(9, "Pictures of a strip, both ends included.")
    seed: int = setting(0, "Seed of metrics that are drawn.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        SheetConfig.validate(self)
        SearchConfig.validate(self)
        check_metrics(self.metric, "metric")
        for name in ("object", "scene"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required by `render paths --metric=...`")
        require("steps", self.steps, minimum=2, below=101)


def draw(config: PathSheetConfig) -> Any:
    """The strips, a Pillow image. UserError for bad flags, pictures and weights."""
    config.validate()
    from lorbms_tf.latent_paths import finding, lengths, models, report
    from lorbms_tf.latent_paths.metrics import Metrics

    codec = models.of_run(config.run_dir, config.checkpoint)
    if codec.encode is None:
        raise UserError(f"--run_dir={config.run_dir}: the model encodes no pictures")
    names = (config.scene, *comma_lists.paths(config.through), config.object)
    ends = np.stack([images.read_square(Path(name), codec.side) for name in names])
    if codec.channels == 1:
        ends = ends.mean(axis=-1, keepdims=True)
    legs = finding.walk_ends(codec, ends, config.mask)
    metrics = Metrics(config, config.seed)
    made = {}
    for name in config.metric:
        path = finding.walk(name, codec, legs, metrics)
        made[name] = lengths.decoded(codec.decode, path.codes)
        if not path.whole:
            progress.say(f"stopped: {name} has the best path so far, the metrics behind it none")
            break
    return report.strips(made, 1, config.cell, config.steps)


SHEET = Sheet(PathSheetConfig, draw, "ways between two pictures, a strip a --metric (seed 002)")
