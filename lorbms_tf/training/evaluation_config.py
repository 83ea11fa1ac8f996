"""What every evaluation of a trained model has."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting


@dataclass(frozen=True, kw_only=True)
class EvaluationConfig:
    """Which model is scored, and on how much."""

    run_dir: str = setting("", "Run directory, or pretrained:NAME.")
    checkpoint: str = setting(
        "latest", "Which one of the run: latest, best, or a step; evaluate: or all."
    )
    batch_size: int = setting(16, "References at a time.")
    limit: int = setting(0, "At most so many references, photos evenly out of all; 0: all.")
    seed: int = setting(0, "Seed of what is drawn.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting.

        A missing --run_dir is told where the run is read: old scores are shown without one.
        """
        require("batch_size", self.batch_size, minimum=1)
        require("limit", self.limit, minimum=0)
        require("seed", self.seed, minimum=0)
