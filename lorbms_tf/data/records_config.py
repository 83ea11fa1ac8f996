"""Which record files a run reads."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.data import stages


@dataclass(frozen=True, kw_only=True)
class RecordsConfig:
    """The settings of a run that learns from records (`lorbms_tf.data.records`)."""

    records: str = setting("", "Glob of the training shards.", may_change=True)
    eval_records: str = setting(
        "", "Glob of held-out shards, for pictures and scores.", may_change=True
    )
    stages: tuple[str, ...] = setting(
        (),
        "A curriculum: STEP:GLOB of further training shards, from which the run learns once STEP "
        "steps are done. Epochs and --tau_quantile are of --records.",
    )
    max_bad_records: int = setting(
        0,
        "Leave out up to so many damaged records. Above 0 all record files are read once at the "
        "start, to find them.",
        may_change=True,
    )

    def validate_records(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        require("max_bad_records", self.max_bad_records, minimum=0)
        stages.parse(self.records, self.stages)
