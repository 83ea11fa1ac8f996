"""What every run has, whatever it trains: its folder, length, arithmetic, devices and reports."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting


@dataclass(frozen=True, kw_only=True)
class RunConfig:
    """The settings of `python -m lorbms_tf.train` that belong to no method.

    A method's configuration inherits them, and gives `method` its own name as the default.
    """

    method: str = setting("", "What is trained (see `lorbms_tf.methods`).")
    run_dir: str = setting("", "Folder of the run: made, or continued.", may_change=True)
    init_from: str = setting(
        "",
        "Start from the networks of this run (a run directory, or pretrained:NAME), with new "
        "optimizers; empty: from random weights.",
    )
    batch_size: int = setting(12, "References in a step, over all devices.")
    epochs: int = setting(50, "Passes over the references.", may_change=True)
    max_steps: int = setting(0, "Stop after this many steps; 0: by --epochs.", may_change=True)
    schedule: str = setting(
        "constant",
        "Learning rates over the run: as they are, to zero on a half cosine, or to a tenth after "
        "35 % of it and to a tenth of that after 70 %.",
        choices=("constant", "cosine", "steps"),
    )
    warmup_steps: int = setting(
        0, "Steps over which the learning rates rise from 0 before --schedule begins."
    )
    precision: str = setting(
        "float32",
        "Arithmetic of the networks in training; weights, norms and losses stay in float32. "
        "mixed_float16 scales the losses.",
        choices=("float32", "mixed_bfloat16", "mixed_float16"),
    )
    strategy: str = setting(
        "auto",
        "Devices: one; mirrored: all of this host; multi_worker: of all hosts in TF_CONFIG; auto: "
        "the last of these that there is.",
        choices=("auto", "one", "mirrored", "multi_worker"),
        may_change=True,
    )
    device: str = setting(
        "auto",
        "Kind of device; gpu is an error where there is none.",
        choices=("auto", "cpu", "gpu"),
        may_change=True,
    )
    intra_op_threads: int = setting(
        0,
        "CPU threads within one operation, where operations also run beside each other; 0: as many "
        "as cores. Small networks train faster with 1.",
        may_change=True,
    )
    jit: str = setting(
        "auto",
        "Compile the training step with XLA; auto: on a single GPU.",
        choices=("auto", "on", "off"),
        may_change=True,
    )
    seed: int = setting(0, "Seed of weights, order and draws.")
    checkpoint_every_steps: int = setting(1000, "Steps between checkpoints.", may_change=True)
    keep_checkpoints: int = setting(3, "How many of the last checkpoints stay.", may_change=True)
    log_every_steps: int = setting(50, "Steps between TensorBoard scalars.", may_change=True)
    sample_every_steps: int = setting(500, "Steps between sample pictures.", may_change=True)
    sample_rows: int = setting(8, "References in a sample picture.", may_change=True)
    evaluate_every_steps: int = setting(
        0, "Steps between evaluations on held-out references; 0: none, no best.", may_change=True
    )
    evaluate_records: int = setting(
        256, "Score at most so many held-out references; 0: all.", may_change=True
    )
    best_metric: str = setting(
        "", "Score (see evaluate) by which the best checkpoint is kept.", may_change=True
    )
    allow_changes: bool = setting(
        False, "Continue a run with other settings or records than it had.", may_change=True
    )
    collapse_steps: int = setting(
        1000, "Warn of what looks like a collapse for this many steps; 0: never.", may_change=True
    )

    def validate_run(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        for name in ("batch_size", "epochs", "checkpoint_every_steps"):
            require(name, getattr(self, name), minimum=1)
        for name in ("keep_checkpoints", "log_every_steps", "sample_every_steps", "sample_rows"):
            require(name, getattr(self, name), minimum=1)
        counts = ("max_steps", "warmup_steps", "collapse_steps", "intra_op_threads")
        for name in (*counts, "evaluate_every_steps", "evaluate_records", "seed"):
            require(name, getattr(self, name), minimum=0)
