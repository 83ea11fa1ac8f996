"""How a user names photos: folders, keras:NAME[:SPLIT] and tfds:NAME[:SPLIT], joined by commas.

Commas and spaces at the ends are part of a folder's name where it is there.
"""

from typing import NamedTuple

from lorbms_tf.data import comma_lists
from lorbms_tf.errors import UserError
from lorbms_tf.files import is_dir

KERAS = ("mnist", "cifar10", "cifar100")
KERAS_SPLITS = ("train", "test")
FOLDER = "folder"
DEFAULT_SPLITS = {"photos": "train", "eval_photos": "test"}


class Source(NamedTuple):
    """One place of photos.

    kind: "folder", "keras" or "tfds".
    name: the folder's path, or the name of the dataset.
    split: of the dataset; "" for a folder.
    """

    kind: str
    name: str
    split: str

    @property
    def text(self) -> str:
        """As a user names it, with its split."""
        return self.name if self.kind == FOLDER else f"{self.kind}:{self.name}:{self.split}"


def sources(text: str, flag: str = "photos") -> list[Source]:
    """The places that a flag names; none for "".

    flag: "photos" or "eval_photos", which says the split of a dataset that is named without one.

    Raises UserError, naming the flag and the valid values, for a dataset or split that cannot be.
    """
    if not text:
        return []
    names = comma_lists.meanings(text, is_dir)
    return [_source(name, f"--{flag}={text}", flag) for name, _ in names]


def text_with_splits(text: str, flag: str) -> str:
    """The value of a flag with all splits written out, so that it names the same anywhere."""
    return ",".join(source.text for source in sources(text, flag))


def _source(part: str, given: str, flag: str) -> Source:
    if not part:
        raise UserError(f"{given} has an empty name between its commas")
    kind, colon, rest = part.partition(":")
    if not colon or kind not in ("keras", "tfds"):
        return Source(FOLDER, part, "")
    name, _, split = rest.partition(":")
    split = split or DEFAULT_SPLITS[flag]
    if kind == "keras" and (name not in KERAS or split not in KERAS_SPLITS):
        names = ", ".join(f"keras:{name}" for name in KERAS)
        raise UserError(
            f"{given}: {part} is not valid; valid are {names}, each also with :train or :test"
        )
    if not name:
        raise UserError(f"{given}: {part} names no dataset; write tfds:NAME or tfds:NAME:SPLIT")
    return Source(kind, name, split)
