"""A curriculum: several sets of records, one after the other, in one run."""

from typing import NamedTuple

from lorbms_tf.errors import UserError


class Stage(NamedTuple):
    """A set of records, and the steps that learn from it.

    begin: steps that are done before the first of the stage; 0 for the first one.
    pattern: glob of its shards.
    """

    begin: int
    pattern: str


def parse(records: str, stages: tuple[str, ...]) -> list[Stage]:
    """The stages of a run, the first one first; one where `stages` is empty.

    Args:
      records: glob of the first.
      stages: "STEP:GLOB" of each further one, where STEP steps are done before it.

    Raises UserError, naming --stages, where one is not written so, or the steps do not grow.
    """
    found = [Stage(0, records)]
    for text in stages:
        step, colon, pattern = text.partition(":")
        if not colon or not pattern.strip() or not step.strip().isdecimal():
            raise UserError(
                f"--stages: {text!r} is not STEP:GLOB, such as 1000:data/b/*.tfrecord-*"
            )
        if int(step) <= found[-1].begin:
            raise UserError(f"--stages: step {int(step)} does not come after {found[-1].begin}")
        found.append(Stage(int(step), pattern.strip()))
    return found
