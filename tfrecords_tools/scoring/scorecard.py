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
from tfrecords_tools.notes import note_lines
from tfrecords_tools.scoring import agreement, appearance, graph, measures, truth
from tfrecords_tools.scoring.graph import Graph
from tfrecords_tools.scoring.measures import Comparison, Shape

RESPELT = "photos that they name otherwise in case, Unicode form or \\"
FEW_PHOTOS = 100  # with fewer a table says that its scores are rough
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
    many of those have no annotation. photos: the photos that the others are versions of.
    notes: what was odd in the annotations, as `notes.Notes.as_json` gives it.
    """

    labels: dict[str, Comparison]
    looks: dict[str, Comparison]
    shape: Shape
    random_shape: Shape
    records: int
    scored: int
    unlabelled: int
    photos: int
    notes: dict[str, Any]

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
    labels, known = {}, np.ones(len(found.sample), bool)
    if loaded:
        labels, known = _label_scores(found, others, loaded, crop_seed(shards, found))
    return Scorecard(
        labels=labels,
        looks=_look_scores(found, others),
        shape=_shape(found.indices, num_references),
        random_shape=measures.shape(drawn),
        records=num_references,
        scored=len(found.sample),
        unlabelled=int((~known).sum()),
        photos=len(np.unique(photos[found.sample][known])),
        notes=loaded.notes.as_json() if loaded else {},
    )


def _shape(indices: np.ndarray, num_references: int) -> Shape:
    if indices.max() < num_references:
        return measures.shape(indices)
    # Candidates that are no references of these shards: nobody knows whom they have chosen.
    nothing = float("nan")
    return Shape(nothing, 0, nothing, nothing)


def _label_scores(found: Graph, others: np.ndarray, loaded: truth.Truth, seed: int):
    """The scores by name, and bool [R], which references are annotated."""
    references, candidates = found.sample, found.indices[found.sample]
    wanted = np.unique(np.concatenate([references, candidates.ravel(), others.ravel()]))
    labels = truth.labels(loaded, found.names, wanted, seed)
    for photo_id in sorted({found.names[image][0] for image in wanted} - loaded.photos.keys()):
        if loaded.photo(photo_id):
            loaded.notes.add(RESPELT, photo_id)
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
    return scores, known


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
        f"{card.records} records, {card.scored} of them scored; +- one standard error over photos"
    ]
    if card.labels:
        lines.append(_header("by labels: higher is better", "difference"))
        lines += [_line(name, found, 100, " %") for name, found in card.labels.items()]
    lines.append(_header("by look, from 0 to 1: lower is better", "ratio"))
    lines += [_line(name, found, 1, "") for name, found in card.looks.items()]
    lines.append(_header("graph of all records", ""))
    for title, (key, better) in GRAPH_ROWS.items():
        own, random = graph_text(card.shape, key), graph_text(card.random_shape, key)
        lines.append(f"  {title:<44}{own:>17}{random:>17}  {better} is better")
    return "\n".join(lines + [f"  {line}" for line in cautions(card)])


def cautions(card: Scorecard) -> list[str]:
    """What to know before believing the scores, one sentence each; none where all is well."""
    lines = [f"annotations: {line}" for line in note_lines(card.notes)]
    if card.unlabelled:
        lines.append(f"{card.unlabelled} references have no annotation and are left out above")
    if card.photos < FEW_PHOTOS:
        # The rule of three: what n draws do not show once has, at 95 %, a share of 3 / n at most.
        room = min(100.0, 300 / card.photos)
        lines.append(
            f"caution: only {card.photos} photos: standard errors are rough, and a score of 0 % or "
            f"100 % may be off by up to {room:.1f} %"
        )
    return lines


def _header(title: str, contrast: str) -> str:
    return f"  {title:<44}{'candidates':>17}{'random':>17}{contrast:>18}".rstrip()


GRAPH_ROWS = {  # title -> field of Shape, and which end is the better
    "images that are never a candidate": ("never_chosen", "lower"),
    "candidate of so many at most": ("most_often", "lower"),
    "skewness of how often": ("skewness", "lower"),
    "candidates that choose back": ("reciprocity", "higher"),
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
