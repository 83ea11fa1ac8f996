"""Which scores, and how they are measured: the settings that several commands share."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.training.evaluation_config import EvaluationConfig


@dataclass(frozen=True, kw_only=True)
class ScoreConfig:
    """Scores by name, and the protocol of those of features."""

    metrics: tuple[str, ...] = setting(
        ("psnr", "mix_fidelity"),
        "Scores to compute: psnr, ssim, mix_fidelity, swap_locality, swap_cycle_error, "
        "seams_mix, seams_reconstruction, seams_pasted, swd_paired_reconstruction; with _mix or "
        "_reconstruction behind them swd, and of an --extractor frechet, kernel, precision, "
        "recall, classifier_score; of an --extractor too, swap_locality_features.",
    )
    extractor: str = setting(
        "mobilenet_v2",
        "Network of the scores of features: inception_2015 (for FID, IS, KID as published), "
        "mobilenet_v2, resnet50, inception_v3, vgg16 or efficientnet_b0.",
    )
    extractor_weights: str = setting(
        "", "Its weights: classify_image_graph_def.pb for inception_2015, else Keras's with top."
    )
    resize: str = setting("legacy", "How images come to its size.", choices=("legacy", "antialias"))
    real_records: str = setting(
        "", "Records whose references are the real images; empty: those that are rendered."
    )

    def validate(self) -> None:
        """Names and weights are checked where networks may load (`lorbms.scoring`)."""


@dataclass(frozen=True, kw_only=True)
class ScoringConfig(EvaluationConfig, ScoreConfig):
    """Which records are scored, and how candidates are drawn."""

    records: str = setting("", "Glob of held-out record files.")
    limit: int = setting(0, "At most so many records; 0: all.")
    seed: int = setting(0, "Seed of the drawn candidates.")
    max_bad_records: int = setting(0, "Leave out up to so many damaged records.")

    def validate(self) -> None:
        """As `EvaluationConfig.validate`, for all settings."""
        super().validate()
        require("max_bad_records", self.max_bad_records, minimum=0)
