"""All scores of a dataset's candidates, each beside random choice."""

import dataclasses
import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json
from tfrecords_tools import versions
from tfrecords_tools.scoring import agreement, appearance, graph, measures, truth
from tfrecords_tools.scoring.graph import Graph
from tfrecords_tools.scoring.measures import Comparison, Shape

TITLES = {
    "category": "same category in the quadrant",
    "colour": "object of the same colour in the quadrant",
    "background": "same kind of place",
    "category_overlap": "categories in both / in either",
    "area_overlap": "boxed area in both / in either, by category",
    "colour_distance": "distance of colours",
    "edges_distance": "distance of edges",
}


@dataclass(frozen=True)
class Scorecard:
    """What is known of how good the candidates are.

    labels: by name, higher is better; contrast is candidates minus random. Empty without labels.
    looks: by name, distances in [0, 1], lower is better; contrast is candidates / random.
    shape, random_shape: of the graph over all records, and of a random one of the same size.
    records: in all. scored: references that labels and looks were computed on. unlabelled: how
    many of those have no annotation.
    """

    labels: dict[str, Comparison]
    looks: dict[str, Comparison]
    shape: Shape
    random_shape: Shape
    records: int
    scored: int
    unlabelled: int

    def as_json(self) -> dict[str, Any]:
        """Ready for JSON: null for what is not known."""
        return _without_nan(dataclasses.asdict(self))


def _without_nan(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nan(inner) for key, inner in value.items()}
    if isinstance(value, list):
        return [_without_nan(inner) for inner in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value


def score(shards: list[str], annotations: str = "", limit: int = 1000, seed: int = 0) -> Scorecard:
    """Scores the candidates of the records in some shards of one dataset.

    Args:
      shards: record files.
      annotations: COCO file of boxes, or the instances.json of drawn scenes; "" for none.
      limit: labels and looks are taken of so many references, drawn by `seed`; 0: of all.
      seed: of that draw and of the images that candidates are compared with.

    Raises UserError where files cannot be used, or no reference has an annotation.
    """
    found = graph.read(shards, limit, seed)
    loaded = truth.load(annotations) if annotations else None
    photos = found.photos
    if len(np.unique(photos[found.sample])) < 2:
        raise UserError("scores need records of two photos at least")
    rng = np.random.default_rng(seed)
    num_references, _, k = found.indices.shape
    everything = np.arange(num_references)
    drawn = measures.draw_others(everything, everything, photos, k, rng)  # the random graph
    others = measures.draw_others(found.sample, found.sample, photos, k, rng)
    labels, unlabelled = {}, 0
    if loaded:
        labels, unlabelled = _label_scores(found, others, loaded, crop_seed(shards, found))
    return Scorecard(
        labels=labels,
        looks=_look_scores(found, others),
        shape=_shape(found.indices, num_references),
        random_shape=measures.shape(drawn),
        records=num_references,
        scored=len(found.sample),
        unlabelled=unlabelled,
    )


def _shape(indices: np.ndarray, num_references: int) -> Shape:
    if indices.max() < num_references:
        return measures.shape(indices)
    # Candidates that are no references of these shards: nobody knows whom they have chosen.
    nothing = float("nan")
    return Shape(nothing, 0, nothing, nothing)


def _label_scores(found: Graph, others: np.ndarray, loaded: truth.Truth, seed: int):
    references, candidates = found.sample, found.indices[found.sample]
    wanted = np.unique(np.concatenate([references, candidates.ravel(), others.ravel()]))
    labels = truth.labels(loaded, found.names, wanted, seed)
    known = labels.known[labels.row[references]]
    if not known.any():
        example = found.names[references[0]][0]
        raise UserError(
            f"--annotations: none of the {len(references)} references that were drawn is in the "
            f"file (for example {example}): is it the one that the records were built with?"
        )
    photos = found.photos[references]
    scores = {
        name: measures.compare(
            function(labels, references, candidates), function(labels, references, others), photos
        )
        for name, function in agreement.scores(loaded).items()
    }
    return scores, int((~known).sum())


def _look_scores(found: Graph, others: np.ndarray) -> dict[str, Comparison]:
    references, candidates = found.sample, found.indices[found.sample]
    looks = appearance.describe(found.pictures, len(found.names))
    return {
        f"{kind}_distance": measures.compare(
            appearance.distances(looks, kind, references, candidates),
            appearance.distances(looks, kind, references, others),
            found.photos[references],
            as_ratio=True,
        )
        for kind in appearance.KINDS
    }


def crop_seed(shards: list[str], found: Graph) -> int:
    """The seed that crops were fixed by, from dataset.json; asked for only where there are crops.

    Raises UserError where it is needed and not known.
    """
    known = versions.VERSIONS
    cropped = any(known[v].scale for v in {v for _, v in found.names} if v in known)
    if not cropped:
        return 0
    path = Path(shards[0]).parent / records.DATASET_FILE
    stored = read_json(path)
    seeds = stored.get("seeds") if isinstance(stored, dict) else None
    seed = seeds.get("crops") if isinstance(seeds, dict) else None
    if not isinstance(seed, int):
        raise UserError(f"{path} does not tell the seed of the crops, which labels need")
    return seed


def table(card: Scorecard) -> str:
    """The scores as lines of text."""
    lines = [
        f"{card.records} records, {card.scored} of them scored; +- one standard error over photos",
        f"  {'':<44}{'candidates':>17}{'random':>17}{'difference':>18}",
    ]
    for name, found in card.labels.items():
        lines.append(_line(name, found, 100, " %"))
    lines.append(f"  {'':<44}{'candidates':>17}{'random':>17}{'ratio':>18}")
    for name, found in card.looks.items():
        lines.append(_line(name, found, 1, ""))
    if card.unlabelled:
        lines.append(f"  {card.unlabelled} references have no annotation and are left out above")
    lines.append(f"  {'':<44}{'candidates':>17}{'random':>17}")
    for title, key in GRAPH_ROWS.items():
        own, random = graph_text(card.shape, key), graph_text(card.random_shape, key)
        lines.append(f"  {title:<44}{own:>17}{random:>17}")
    return "\n".join(lines)


GRAPH_ROWS = {
    "images that are nobody's candidate": "never_chosen",
    "candidate of so many at most": "most_often",
    "skewness of how often": "skewness",
    "candidates that choose back": "reciprocity",
}


def graph_text(found: Shape, key: str) -> str:
    """One number of a graph: a share as per cent, a skewness with decimals, a count as it is."""
    value = getattr(found, key)
    if not math.isfinite(found.never_chosen):
        return "not known"
    if key == "most_often":
        return str(value)
    return f"{value:.2f}" if key == "skewness" else f"{100 * value:.1f} %"


def _line(name: str, found: Comparison, scale: float, unit: str) -> str:
    digits = 1 if scale == 100 else 3

    def text(estimate: measures.Estimate, sign: str = "") -> str:
        value, error = scale * estimate.value, scale * estimate.error
        return f"{value:{sign}.{digits}f} +- {error:.{digits}f}{unit}"

    # A ratio has no unit and no sign.
    contrast = text(found.contrast, "+" if scale == 100 else "")
    own, random = text(found.candidates), text(found.random)
    return f"  {TITLES[name]:<44}{own:>17}{random:>17}{contrast:>18}"
