"""Which scores, and how they are measured: the settings that several doors share."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


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


@dataclass(frozen=True, kw_only=True)
class ScoringConfig(ScoreConfig):
    """What to score, and on which records."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting(
        "latest", "Which one of the run: latest, best, or a step; evaluate: or all."
    )
    records: str = setting("", "Glob of held-out record files.")
    batch_size: int = setting(16, "References at a time.")
    limit: int = setting(0, "At most so many records; 0: all.")
    seed: int = setting(0, "Seed of the drawn candidates.")
    max_bad_records: int = setting(0, "Leave out up to so many damaged records.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if not self.run_dir:
            raise UserError("--run_dir is required")
        require("batch_size", self.batch_size, minimum=1)
        require("limit", self.limit, minimum=0)
        require("seed", self.seed, minimum=0)
        require("max_bad_records", self.max_bad_records, minimum=0)
