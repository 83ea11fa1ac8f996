"""Paths by the names of their metrics: straight ones, round ones, and those that are shortest."""

import time
from collections.abc import Callable, Sequence
from typing import NamedTuple

import numpy as np

from lorbms_tf import progress
from lorbms_tf.errors import UserError
from lorbms_tf.latent.slerp import (
    AntipodalCodes,
    check_not_antipodal,
    great_circle,
    line,
    slerp,
    unit_norm,
)
from lorbms_tf.latent_paths import geodesic, lengths
from lorbms_tf.latent_paths.config import PIXELS, PLAIN
from lorbms_tf.latent_paths.metrics import Metrics
from lorbms_tf.latent_paths.models import Codec

_TOLD_EVERY = 10.0  # seconds
_UNIT = 1e-3  # how far from one a length may be


class Ends(NamedTuple):
    """Codes [P, D] at both ends.

    free: which numbers may move, bool [D]; None: all.
    sphere: whether codes lie on the sphere of length one.
    chunks: how many equal parts a code has; 1 for one without chunks.
    """

    starts: np.ndarray
    ends: np.ndarray
    free: np.ndarray | None
    sphere: bool
    chunks: int = 1


def ends_of(codec: Codec, pictures: np.ndarray, mask: str = "", sphere: str = "auto") -> Ends:
    """The codes of pairs of pictures [2, P, S, S, C].

    Where a mask is given, the other quadrants' numbers are those of the first picture.
    """
    return _ends(codec, codec.encode(pictures[0]), codec.encode(pictures[1]), mask, sphere)


def walk_ends(codec: Codec, pictures: np.ndarray, mask: str = "", sphere: str = "auto") -> Ends:
    """The ends of the legs of a walk through several pictures [K, S, S, C]: K - 1 pairs of codes.

    Where a mask is given, the other quadrants' numbers are those of the first picture.
    """
    codes, free = codec.encode(pictures), codec.free(mask)
    if free is not None:
        codes = np.where(free, codes, codes[:1])
    return _ends(codec, *lengths.walk(codes), mask, sphere)


def drawn_ends(codec: Codec, pairs: int, mask: str, sphere: str, seed: int) -> Ends:
    """Pairs of codes from a normal distribution, for a model that encodes no pictures."""
    size = int(np.prod(codec.shape))
    codes = np.random.default_rng(seed).normal(size=(2, pairs, size)).astype(np.float32)
    return _ends(codec, *codes, mask, sphere)


def _ends(codec: Codec, starts: np.ndarray, ends: np.ndarray, mask: str, sphere: str) -> Ends:
    free = codec.free(mask)
    if free is not None:
        ends = np.where(free, ends, starts)
    norms = np.linalg.norm(np.concatenate([starts, ends]), axis=1)
    on_sphere = np.abs(norms - 1).max() < _UNIT if sphere == "auto" else sphere == "yes"
    if on_sphere:
        starts, ends = np.asarray(unit_norm(starts)), np.asarray(unit_norm(ends))
    return Ends(starts, ends, free, bool(on_sphere), codec.chunks)


class Found(NamedTuple):
    """Paths [P, K, D] of one name, and whether the search came to its end."""

    codes: np.ndarray
    whole: bool


def named_paths(name: str, codec: Codec, ends: Ends, metrics: Metrics) -> Found:
    """The paths of a name, `segments` steps each, which are equal where they are the shortest.

    Raises UserError, naming the metric, where codes lie opposite each other on the sphere, or the
    metric is not a number.
    """
    config = metrics.config
    if name in PLAIN:
        try:
            return Found(plain(name, ends, config.segments), True)
        except AntipodalCodes as error:
            raise UserError(f"{name}: {error}") from error
    search = geodesic.Search(
        config.segments, config.adam_steps, config.rate, config.tolerance, ends.sphere
    )
    metric = metrics.metric(name)
    try:
        paths = geodesic.shortest(
            codec.decode,
            metric,
            ends.starts,
            ends.ends,
            search,
            ends.free,
            told=_teller(name, search),
        )
    except (AntipodalCodes, geodesic.NotFinite) as error:
        raise UserError(f"{name}: {error}") from error
    even = lengths.even(codec.decode, metric, paths.codes, config.segments + 1, ends.sphere)
    return Found(_kept(ends, even), paths.whole)


def walk(name: str, codec: Codec, legs: Ends, metrics: Metrics) -> Found:
    """One path [1, K, D] through several codes, the legs of `named_paths` behind each other.

    It has `segments` steps for each leg. Where it is the shortest, they are equal from the first
    code to the last, so the codes between may lie between two of its points.
    """
    parts = named_paths(name, codec, legs, metrics)
    joined = np.concatenate([parts.codes[0], *parts.codes[1:, 1:]])[None]
    if name not in PLAIN and len(parts.codes) > 1:
        points, metric = joined.shape[1], metrics.metric(name)
        joined = lengths.even(codec.decode, metric, joined, points, legs.sphere)
        joined = _kept(legs._replace(starts=legs.starts[:1]), joined)
    return Found(joined, parts.whole)


def plain(name: str, ends: Ends, segments: int) -> np.ndarray:
    """The straight line, or the great circle, in equal steps: [P, segments + 1, D].

    Of codes with chunks each chunk has a circle of its own. On a sphere the line's points are
    brought to length one, as a model's decoder expects them. Raises AntipodalCodes where two codes
    on a sphere are opposite.
    """
    if ends.sphere:
        check_not_antipodal(ends.starts, ends.ends)
    shares = np.linspace(0, 1, segments + 1, dtype=np.float32)[None]
    starts, stops = ends.starts[:, None], ends.ends[:, None]
    if name == "spherical" and ends.sphere:
        return np.asarray(slerp(starts, stops, shares))
    if name == "spherical":
        parts = [np.reshape(end, (len(end), 1, ends.chunks, -1)) for end in (starts, stops)]
        made = np.asarray(great_circle(*parts, shares[..., None]))
        return _kept(ends, made.reshape(*made.shape[:2], -1))
    made = np.asarray(line(starts, stops, shares))
    return np.asarray(unit_norm(made)) if ends.sphere else _kept(ends, made)


def _kept(ends: Ends, codes: np.ndarray) -> np.ndarray:
    """Codes [P, K, D] whose numbers that may not move are those of the start, to the bit."""
    return codes if ends.free is None else np.where(ends.free, codes, ends.starts[:, None])


def _teller(name: str, search: geodesic.Search) -> Callable[[int, int], None]:
    """Says from time to time how far the search is; a step costs as many pictures as segments."""
    levels = [2**k for k in range(1, search.segments.bit_length())]
    costs = {n: n * (geodesic.steps_of(search, n) + 1) for n in levels}
    total = sum(costs.values())
    begun = time.monotonic()
    last = [begun]

    def told(segments: int, step: int) -> None:
        now = time.monotonic()
        if now - last[0] < _TOLD_EVERY:
            return
        last[0] = now
        done = sum(cost for n, cost in costs.items() if n < segments) + segments * step
        left = progress.clock((now - begun) * (total - done) / max(done, 1))
        progress.say(
            f"{name}: {segments} segments, step {step} of {geodesic.steps_of(search, segments)}; "
            f"at most {left} left"
        )

    return told


def check(names: Sequence[str], codec: Codec) -> None:
    """Raises UserError for metrics that cannot see this model's pictures."""
    for name in names:
        bare = name.partition("/")[0]
        if bare not in (*PLAIN, PIXELS) and codec.channels not in (1, 3):
            raise UserError(f"{name} needs pictures of 1 or 3 channels, not {codec.channels}")
