"""How `lorbms_tf.evaluate` and `lorbms_tf.sweep` score the thesis's runs, on records."""

from typing import Any

from lorbms_tf.errors import UserError
from lorbms_tf.evaluation.scores import Score
from lorbms_tf.lorbms.score_config import ScoreConfig, ScoringConfig
from lorbms_tf.training.method import Evaluation, Measured

_COMPARED = {
    "swaps": "swap matrix by pixels",
    "feature_swaps": "swap matrix by features",
}


def _origin(config: ScoringConfig) -> dict[str, Any]:
    if not config.run_dir:
        raise UserError("--run_dir is required")
    if not config.records:
        raise UserError("--records is required")
    from lorbms_tf.data import dataset_file, records

    return origin(config, dataset_file.hash_of(records.find_shards(config.records)))


def origin(config: ScoringConfig, digest: str | None) -> dict[str, Any]:
    """What a line of scores says of run and records.

    digest: what tells the records from others (`dataset_file.hash_of`).
    """
    return {
        "run_dir": config.run_dir,
        "records_glob": config.records,
        "dataset_hash": digest,
        "seed": config.seed,
        "limit": config.limit,
    }


def _measure(config: ScoringConfig) -> Measured:
    from lorbms_tf.lorbms import scoring
    from lorbms_tf.lorbms.signs import never_mixed

    scored = scoring.score(config)
    notes = [never_mixed(scored.trained, scored.scores["step"])]
    notes.append(scored.bad.summary() if scored.bad.count else "")
    for name, swaps in scored.swaps.items():
        notes.append(f"{_COMPARED[name]} (row: chunk swapped; column: how far a quadrant follows):")
        notes += ["  " + " ".join(f"{value:.3f}" for value in row) for row in swaps.follows]
    notes += [f"caution: {text}" for text in scored.cautions]
    return Measured(scored.scores, [note for note in notes if note])


def _check(protocol: ScoreConfig) -> None:
    from lorbms_tf.lorbms import scoring

    scoring.check_metrics(protocol)


def _names(protocol: ScoreConfig) -> list[str]:
    from lorbms_tf.lorbms.scores import registry

    return [registry.shown_name(name, protocol.extractor) for name in protocol.metrics]


def _score(name: str) -> Score | None:
    from lorbms_tf.lorbms.scores import registry

    return registry.shown_score(name)


def _conditions(config: ScoringConfig) -> dict[str, Any]:
    return {"real": config.real_records or "the references", "resize": config.resize}


def _fixed(protocol: ScoreConfig) -> dict[str, Any]:
    from lorbms_tf.lorbms import scoring

    return scoring.patches(protocol.metrics)


EVALUATION = Evaluation(
    protocol=ScoreConfig,
    config=ScoringConfig,
    origin=_origin,
    measure=_measure,
    check=_check,
    names=_names,
    score=_score,
    conditions=_conditions,
    fixed=_fixed,
)
