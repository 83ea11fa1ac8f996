"""Photos with labels as squares of one size, in memory where they fit, else decoded as they come.

Every photo keeps its place. In training the place of one that cannot be read is taken by the next
that can be; among held-out photos it stays empty. So what a step learns from follows from its
number and the files alone.
"""

import itertools
import os
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from PIL import Image

from lorbms_tf.data import images, photo_names
from lorbms_tf.data.images import BadImage
from lorbms_tf.data.photo_folders import NO_CLASS
from lorbms_tf.data.photo_sources import Listing, listing
from lorbms_tf.data.photos_config import OWN_SIZE, PhotosConfig
from lorbms_tf.errors import UserError
from lorbms_tf.progress import say, track

MOST_IN_MEMORY = 1 << 30  # bytes of decoded photos that are kept
_SAMPLED = 16  # photos by which the size of all is judged
_MOST_TRIED = 1000  # photos in a row that cannot be read
_DECODED_TOGETHER = 64
_CENTER = (0.5, 0.5)


class Photos:
    """All photos that a flag names.

    Args:
      text: as --photos and --eval_photos name them.
      config: what is cut out of each.
      flag: "photos" or "eval_photos".
      classes: names of classes that have the first labels already.

    Attributes:
      labels: int32 [N], places in `classes`; -1 where a photo has no class.
      classes: those given, then those of these photos that are new, sorted.
      fingerprint: a dict for each place of photos, see `lorbms_tf.data.fingerprint`.

    Raises UserError where a place is missing, has no photos or cannot be downloaded.
    """

    def __init__(
        self, text: str, config: PhotosConfig, flag: str = "photos", classes: Sequence[str] = ()
    ):
        found = [listing(source) for source in photo_names.sources(text, flag)]
        if not found:
            raise UserError(f"--{flag} is required")
        self._config, self._listings = config, found
        self._starts = np.cumsum([0, *(len(one.labels) for one in found)])
        new = {name for one in found for name in one.classes} - set(classes)
        self.classes = (*classes, *sorted(new))
        self.labels = np.concatenate([_renumbered(one, self.classes) for one in found])
        self.fingerprint = [one.fingerprint for one in found]
        self._pool = ThreadPoolExecutor(os.cpu_count())  # Pillow decodes outside Python's lock
        self._bad: dict[int, BadImage] = {}
        self._told = 0  # how many of them a user knows of
        self._kept: list[np.ndarray | None] | None = None

    def __len__(self) -> int:
        return len(self.labels)

    def read_ahead(self) -> None:
        """Decodes all photos now and keeps them, where they fit; says which cannot be read.

        Raises UserError where none can be read.
        """
        if self._kept is not None or self._size() > MOST_IN_MEMORY:
            return
        decoded = self._pool.map(self._decoded, range(len(self)))
        many = len(self) > 1000
        self._kept = list(
            track(decoded, total=len(self), label="reading", unit="photo") if many else decoded
        )
        if len(self._bad) == len(self):
            raise UserError(self.summary())
        self.tell()

    def take(self, numbers: np.ndarray, draws: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Photos to learn from, and their labels.

        Args:
          numbers: int [n], of photos.
          draws: float [n, 3] in [0, 1): where a random square is cut (from above, from the left),
            and below 0.5 the photo is mirrored if there is `flip`.

        Returns:
          uint8 [n, S, S, C] and int32 [n].

        Raises UserError where one cannot be read, nor any of those after it.
        """
        each = self._pool.map if self._kept is None else map
        usable = list(each(self._usable, numbers))
        places = np.array([number for number, _ in usable])
        where = draws[:, :2] if self._config.crop == "random" else [_CENTER] * len(usable)
        size = self._config.image_size
        pixels = np.stack([cut(p, size, u) for (_, p), u in zip(usable, where, strict=True)])
        if self._config.flip:
            mirrored = draws[:, 2] < 0.5
            pixels[mirrored] = pixels[mirrored, :, ::-1]
        return pixels, self.labels[places]

    def held_out(self, limit: int | None = None) -> Iterator[tuple[np.ndarray, int]]:
        """The central square of each photo that can be read, and its label; at most `limit`.

        Fewer than all are taken evenly out of all: of sorted folders each class gives its share.
        At the end it says which could not be read, once. UserError where none could.
        """
        size, given, order = self._config.image_size, 0, self._order(limit)
        for start in range(0, len(order), _DECODED_TOGETHER):
            numbers = order[start : start + _DECODED_TOGETHER]
            for number, pixels in zip(numbers, self._pool.map(self._scaled, numbers), strict=True):
                if given == limit:
                    self.tell()
                    return
                if pixels is not None:
                    given += 1
                    yield cut(pixels, size, _CENTER), int(self.labels[number])
        if not given:
            raise UserError(self.summary())
        self.tell()

    def _order(self, limit: int | None) -> np.ndarray:
        """All numbers, those that are evenly out of all first; the others replace bad photos."""
        numbers = np.arange(len(self))
        if limit is None or not 0 < limit < len(self):
            return numbers
        first = np.arange(limit) * len(self) // limit
        return np.concatenate([first, np.delete(numbers, first)])

    def summary(self) -> str:
        """How many photos could not be read, with the reasons and an example of each; "" if all."""
        return images.left_out([self._bad[number] for number in sorted(self._bad)], len(self))

    def tell(self) -> None:
        """Says (stderr) which photos could not be read, unless it has said so already."""
        if len(self._bad) > self._told:
            self._told = len(self._bad)
            say(f"warning: {self.summary()}")

    def _size(self) -> float:
        """About how many bytes all decoded photos have."""
        numbers = np.unique(np.linspace(0, len(self) - 1, _SAMPLED).astype(int))
        sizes = [p.nbytes for p in self._pool.map(self._decoded, numbers) if p is not None]
        return float(np.mean(sizes)) * len(self) if sizes else 0.0

    def _usable(self, number: int) -> tuple[int, np.ndarray]:
        """The photo of a number, or the first after it that can be read, with its number."""
        for tried in itertools.islice(itertools.count(int(number)), min(len(self), _MOST_TRIED)):
            place = tried % len(self)
            pixels = self._scaled(place)
            if pixels is not None:
                return place, pixels
        raise UserError(self.summary())

    def _scaled(self, number: int) -> np.ndarray | None:
        return self._kept[number] if self._kept is not None else self._decoded(number)

    def _decoded(self, number: int) -> np.ndarray | None:
        """A photo as `scaled` gives it; None, and noted, where it cannot be used."""
        number = int(number)
        if number in self._bad:
            return None
        place = int(np.searchsorted(self._starts, number, "right")) - 1
        source, own = self._listings[place], number - int(self._starts[place])
        try:
            return scaled(source.read(own), self._config)
        except BadImage as error:
            self._bad[number] = BadImage(source.name(own), error.reason)
            return None


def _renumbered(one: Listing, classes: tuple[str, ...]) -> np.ndarray:
    """Labels of one place among the classes of all, int32."""
    places = np.array([*map(classes.index, one.classes), NO_CLASS], np.int32)
    return places[one.labels]  # -1 is the last of them


def scaled(photo: np.ndarray, config: PhotosConfig) -> np.ndarray:
    """A photo as training keeps it: scaled, in the wanted colours, cut where the cut is known.

    Reduced by area averaging, enlarged by cubic splines.

    Args:
      photo: uint8 [H, W, 3] or [H, W, 1].
      config: sizes and colours.

    Returns:
      uint8 [h, w, C] with both sides at least `image_size`.

    Raises BadImage where a photo that is not scaled is smaller than that.
    """
    size, grey = config.image_size, config.channels == 1
    opened = Image.fromarray(photo[..., 0] if photo.shape[-1] == 1 else photo)
    opened = opened.convert("L" if grey else "RGB")
    short = min(opened.size)
    wanted = config.short_side or size
    if wanted == OWN_SIZE and short < size:
        width, height = opened.size
        raise BadImage("", f"too small ({width}x{height} pixels)")
    if wanted not in (OWN_SIZE, short):
        kind = Image.Resampling.BOX if wanted < short else Image.Resampling.BICUBIC
        opened = opened.resize([max(wanted, round(n * wanted / short)) for n in opened.size], kind)
    pixels = np.asarray(opened)
    if config.white_ink and _has_bright_edge(pixels):
        pixels = 255 - pixels
    pixels = pixels.reshape(*pixels.shape[:2], config.channels)
    return pixels if config.crop == "random" else cut(pixels, size, _CENTER)


def cut(pixels: np.ndarray, size: int, where: Sequence[float]) -> np.ndarray:
    """A square of `size` pixels out of [H, W, C].

    where: its place from above and from the left, 0 to 1; (0.5, 0.5) is the center.
    """
    top, left = (
        min(int(part * (extent - size + 1)), extent - size)
        for part, extent in zip(where, pixels.shape[:2], strict=True)
    )
    return pixels[top : top + size, left : left + size]


def _has_bright_edge(grey: np.ndarray) -> bool:
    edge = np.concatenate([grey[0], grey[-1], grey[:, 0], grey[:, -1]])
    return float(edge.mean()) > 127.5
