"""Which scores of AugIntAE and its baselines, and how they are measured: the flags of evaluate."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from lorbms_tf.augint.scores import SCORES
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.training.photo_scores import PhotoScoreConfig, PhotoScoringConfig

CLASS_FEATURES = "classes"  # an extractor: the classifier of the novel domain's classes


@dataclass(frozen=True, kw_only=True)
class AugintScoreConfig(PhotoScoreConfig):
    """Which scores, and how they are measured."""

    metrics: tuple[str, ...] = setting(
        ("reconstruction_error", "psnr", "ssim"),
        f"Scores to compute: {', '.join(SCORES)}.",
    )
    train_photos: str = setting(
        "", "The domain that the run has learned, for domain_fidelity; empty: its own --photos."
    )
    interpolation: str = setting(
        "model",
        "What makes the interpolations: the run's model, or laying both images over each other.",
        choices=("model", "pixel_fade"),
    )
    paths: int = setting(1667, "Paths between held-out images; three pictures are taken of each.")
    classifier_steps: int = setting(2000, "Steps in which a classifier learns to judge.")
    shots: int = setting(5, "Seed images of few_shot_consistency.")
    refining_steps: int = setting(
        1000, "Steps of descent on the codes of a run of wgan_gp, after its encoder's guess."
    )
    extractor: str = setting(
        CLASS_FEATURES,
        f"Features of frechet_interpolations: {CLASS_FEATURES}: those of the classifier of "
        "the held-out photos' classes; or inception_2015 (for FID as published), mobilenet_v2, "
        "resnet50, inception_v3, vgg16 or efficientnet_b0.",
    )
    extractor_weights: str = setting(
        "", "Its weights: classify_image_graph_def.pb for inception_2015, else Keras's with top."
    )
    resize: str = setting("legacy", "How images come to its size.", choices=("legacy", "antialias"))

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        super().validate()
        for name in ("paths", "classifier_steps", "shots"):
            require(name, getattr(self, name), minimum=1)
        require("refining_steps", self.refining_steps, minimum=0)


@dataclass(frozen=True, kw_only=True)
class AugintScoringConfig(AugintScoreConfig, PhotoScoringConfig):
    """Which run is scored on which photos: those of the novel domain."""

    batch_size: int = setting(128, "Images at a time.")


def conditions(config: AugintScoreConfig) -> dict[str, Any]:
    """What the settings say of how scores were measured."""
    domain = config.train_photos or "the run's photos"
    return {
        "classifier": f"{config.classifier_steps} steps, {domain}",
        "interpolations": f"{config.interpolation}, {config.paths} paths",
        "shots": config.shots,
        "extractor": config.extractor,
    }


def domain_photos(config: AugintScoringConfig) -> PhotoScoringConfig:
    """The settings by which the training domain's photos are read."""
    from lorbms_tf.data import photo_names
    from lorbms_tf.training import run_directory

    photos = config.train_photos
    if not photos:
        own = run_directory.read_config(config.run_dir).photos
        if not own:
            raise UserError("--train_photos is required: the run has no --photos of its own")
        photos = photo_names.text_with_splits(own, "photos")
    return dataclasses.replace(config, photos=photos)
