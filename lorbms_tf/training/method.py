"""What a method gives, and what the training loop asks of it: between shared rooms and papers.

The loop, planning, checkpoints, reports, the watch and the doors know no network, optimizer, loss,
score or picture of any paper; they know these protocols. A method is a value, `Method`, found by
name in `lorbms_tf.methods`.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, NamedTuple, Protocol

from lorbms_tf.evaluation.scores import Score
from lorbms_tf.training.run_config import RunConfig
from lorbms_tf.training.sheet_config import SheetConfig


class Share(NamedTuple):
    """Which part of every batch a worker makes.

    devices: among which a batch is divided, over all workers.
    worker: whose share this is, from 0.
    workers: how many there are, with equally many devices each.
    """

    devices: int = 1
    worker: int = 0
    workers: int = 1


class Trainable(Protocol):
    """A `keras.Model` that the loop can train.

    loss_share: one over the number of devices, whose gradients are summed; set by the loop.
    dynamic_shapes: False where XLA compiles the step; set by the loop.
    """

    loss_share: float
    dynamic_shapes: bool

    @property
    def saved_networks(self) -> Mapping[str, Any]:
        """Every network that a checkpoint holds, by name, moving averages among them."""

    @property
    def optimizers_by_name(self) -> Mapping[str, Any]:
        """The optimizers (`lorbms_tf.training.optimizers.Adam`) by the name of what they change."""

    @property
    def state(self) -> Mapping[str, Any]:
        """Further variables that a run needs to go on bit for bit: flags, balances, seeds."""

    def phase(self, step: int) -> str:
        """The name of the step method of a step (from 1), by the configuration alone."""

    def monitor(self) -> dict[str, Any]:
        """Scalars that are logged beside those of a step, such as spectral norms."""

    def infer(self, batch: dict) -> dict[str, Any]:
        """What the model makes of a held-out batch; changes no variable and draws nothing."""

    def signatures(self) -> Mapping[str, Any]:
        """What `lorbms_tf.export` serves (`lorbms_tf.serving.signature.Signature`) by name.

        The first is `serving_default`, too.
        """


class Data(Protocol):
    """What a run learns from, found and checked."""

    steps_per_epoch: int
    fingerprint: list[dict]  # tells these data from others; kept in the run directory

    def training(self, first_step: int, share: Share) -> Any:
        """A `tf.data.Dataset` of a worker's batches from a step on, by seed and step alone."""

    def checked(self, batches: Iterable) -> Iterable:
        """The batches; what cannot be read any more becomes a UserError."""

    def held_out(self, batch_size: int, limit: int | None = None) -> Callable[[], Iterable]:
        """Gives the same held-out batches at each call; at most `limit` references."""

    def held_out_flags(self) -> Mapping[str, str]:
        """The flags by which `lorbms_tf.evaluate` finds the held-out data."""

    def held_out_fingerprint(self) -> list[dict]:
        """As `fingerprint`, of the held-out data."""

    def description(self) -> str:
        """What there is, in some words: "8 shards"."""

    def notes(self, config: Any, total_steps: int) -> Sequence[str]:
        """Sentences to tell before a run starts; warnings begin with "warning: "."""

    def summary(self) -> str:
        """A sentence for the end of a run, such as on damaged records; "" for none."""


class ParameterRow(NamedTuple):
    """A network in the table of parameters.

    name: of the network.
    count: its trainable parameters.
    sees: how much of its input, in some words; "" where nothing is said.
    """

    name: str
    count: int
    sees: str = ""


class Sheet(NamedTuple):
    """One picture of `lorbms_tf.render`, whose name is the subcommand.

    config: its settings, whose fields are the flags.
    draw: (config) -> a Pillow image. UserError for runs, files and flags that cannot be used.
    says: what it shows, a line for --help.
    """

    config: type[SheetConfig]
    draw: Callable[[Any], Any]
    says: str


class Measured(NamedTuple):
    """What `Evaluation.measure` gives.

    values: "step" (of the checkpoint), how many "records" were looked at, and what else says how
      the scores were measured ("protocol"); then the scores by name, None where one cannot be
      computed, with the reasons by the same names in "missing".
    notes: lines to print beside the scores.
    """

    values: dict[str, Any]
    notes: Sequence[str] = ()


class Evaluation(NamedTuple):
    """How `lorbms_tf.evaluate` scores a run, and `lorbms_tf.sweep` its variants.

    Methods that learn from photos have a ready one: `lorbms_tf.training.photo_scores.evaluation`.

    protocol: the settings that say which scores, "metrics" among them, and how they are measured:
      what variants of a sweep share.
    config: the protocol, and which run on which data: run_dir, checkpoint, batch_size, limit, seed.
    origin: (config) -> what a line of scores says of run and data: "run_dir", what they were found
      by, "dataset_hash" (None: not known), "seed" and "limit". UserError where one is missing.
    measure: (config) -> `Measured`.
    check: (protocol) -> UserError for scores that cannot be taken.
    names: (protocol) -> the names that its scores have in a line.
    score: (a name in a line) -> its `Score`, for direction and unit; None for an unknown one.
    conditions: (config) -> what the settings say of a line's "protocol".
    fixed: (protocol) -> what no setting says of it: lines of before it was so count no more.
    """

    protocol: type
    config: type
    origin: Callable[[Any], dict[str, Any]]
    measure: Callable[[Any], Measured]
    check: Callable[[Any], None]
    names: Callable[[Any], Sequence[str]]
    score: Callable[[str], Score | None]
    conditions: Callable[[Any], dict[str, Any]] = lambda config: {}
    fixed: Callable[[Any], dict[str, Any]] = lambda protocol: {}


class Report(NamedTuple):
    """What `lorbms_tf.report` shows of a run, beside settings, parameters, curves and score files.

    subtitle: what the method is, in some words.
    defaults: of the evaluation's settings in place of their own, such as fewer scores.
    data: (the evaluation's config, a `pages.run_page.Described`) adds what the run learned from and
      is looked at on, and gives the config with which it can be; None where there are no such data.
      Without one both are of photos.
    measure: (that config, the `Described`, rows and cell of the sheets) adds scores, sheets and
      sections, and gives the model. Without one the scores of the evaluation are shown, and the
      method's `pictures` of held-out photos.
    charts: (title, names by tag) of scalars that share a chart; others have one each.
    """

    subtitle: str = ""
    defaults: Mapping[str, Any] = {}
    data: Callable[[Any, Any], Any] | None = None
    measure: Callable[[Any, Any, int, int], Any] | None = None
    charts: Sequence[tuple[str, Mapping[str, str]]] = ()


class Benchmark(NamedTuple):
    """One subcommand of `lorbms_tf.benchmark`.

    config: the method's settings of training, with those of the measuring.
    measure: (config, () -> a model of it to train) -> the fields of its JSON line.
    """

    config: type[RunConfig]
    measure: Callable[[Any, Callable[[], Trainable]], dict[str, Any]]


class Method(NamedTuple):
    """One paper's way to train, draw and score.

    config: the settings, whose fields are the flags.
    source: the setting that says what is learned from, such as "records".
    data: (config) -> `Data`. UserError where they cannot be used.
    model: (config, total_steps) -> a compiled `Trainable` to train; ValueError where the sizes do
      not fit each other.
    trained_model: (config) -> the same without optimizers, to load weights into.
    scores: () -> by name, those that are taken of held-out batches, also while training.
    pictures: by name, (batch, what `infer` makes of it) -> a Pillow image; the first is drawn while
      training.
    signs: what collapse looks like: what to say -> (values by name, arrays over steps) -> bool over
      steps. A sign is looked for in steps that have all values of `judged`.
    judged: names of those values.
    short_names: of the values in the progress line, by their full names.
    parameter_rows: (model) -> rows of its table of parameters (`ParameterRow`, or a name and a
      count).
    tracing: (config, name of the step method) -> a line for before its first step.
    evaluation: how a trained model is scored.
    resolve: (config, data) -> the configuration with all that depends on the data.
    derived: (mean values by name, config) -> further scalars, such as shares of a loss.
    caution: (config, step) -> what to know of a model after so many steps; "" for nothing.
    sheets: the pictures of `lorbms_tf.render`, by subcommand.
    report: what its page on a run shows.
    benchmarks: by subcommand of `lorbms_tf.benchmark`; "input" there is for all.
    variants: flagfiles of training that `lorbms_tf.sweep` compares where it is told no others.
    """

    config: type[RunConfig]
    source: str
    data: Callable[[Any], Data]
    model: Callable[[Any, int], Trainable]
    trained_model: Callable[[Any], Trainable]
    scores: Callable[[], Mapping[str, Score]]
    pictures: Mapping[str, Callable[[dict, dict], Any]]
    signs: Mapping[str, Callable[[dict], Any]]
    judged: Sequence[str]
    short_names: Mapping[str, str]
    parameter_rows: Callable[[Trainable], Sequence[tuple]]
    tracing: Callable[[Any, str], str]
    evaluation: Evaluation
    resolve: Callable[[Any, Data], Any] = lambda config, data: config
    derived: Callable[[dict[str, float], Any], dict[str, float]] = lambda means, config: {}
    caution: Callable[[Any, int], str] = lambda config, step: ""
    sheets: Mapping[str, Sheet] = {}
    report: Report = Report()
    benchmarks: Mapping[str, Benchmark] = {}
    variants: Sequence[str] = ()


def parameter_count(network: Any) -> int:
    """How many trainable parameters a network has."""
    return sum(v.value.shape.num_elements() for v in network.trainable_variables)


def parameter_rows(model: Trainable) -> list[tuple[str, int]]:
    """Trainable parameters of each network that a checkpoint holds."""
    return [(name, parameter_count(one)) for name, one in model.saved_networks.items()]


def parameter_table(rows: Sequence[tuple]) -> str:
    """A table of parameters as lines."""
    lines = [ParameterRow(*row) for row in rows]
    return "\n".join(f"{row.name:<15}{row.count:>12,}   {row.sees}".rstrip() for row in lines)
