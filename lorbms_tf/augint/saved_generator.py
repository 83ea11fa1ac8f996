"""Any SavedModel that turns codes into images, and the network that learns to invert it."""

import math
from pathlib import Path
from typing import Any

from lorbms_tf.errors import UserError
from lorbms_tf.files import is_file
from lorbms_tf.networks.inversion import WIDTHS, InversionNetwork
from lorbms_tf.serving import functions

_LEAST_SIDE = 4  # of the maps behind the inversion network's convolutions


class SavedGenerator:
    """A generator [B, D] -> images [B, S, S, C] in [-1, 1] out of a SavedModel.

    It is the signature `decode`, or else `serving_default`, or else the only one.

    Args:
      folder: of the SavedModel.

    Attributes:
      code_size: D.
      image_size: S.
      channels: C.

    Raises UserError where there is none, or it is no such function.
    """

    def __init__(self, folder: str):
        if not is_file(Path(folder) / "saved_model.pb"):
            raise UserError(f"--generator={folder} is no SavedModel: saved_model.pb is not there")
        self._loaded = functions.opened(folder, f"--generator={folder}")
        served = self._loaded.signatures
        wanted = [name for name in ("decode", "serving_default", *served) if name in served]
        if not wanted:
            raise UserError(f"--generator={folder} has no signatures")
        self._function = served[wanted[0]]
        inputs = self._function.structured_input_signature[1]
        outputs = self._function.structured_outputs
        shapes = [[tuple(spec.shape) for spec in specs.values()] for specs in (inputs, outputs)]
        if [len(shape) for shape in shapes[0]] != [2] or [len(s) for s in shapes[1]] != [4]:
            raise UserError(
                f"--generator={folder}: its signature {wanted[0]} takes {shapes[0]} and gives "
                f"{shapes[1]}, not codes [B, D] and images [B, S, S, C]"
            )
        (self._input,), (self._output,) = inputs, outputs
        self.code_size, (_, *sizes) = shapes[0][0][1], shapes[1][0]
        if None in (self.code_size, *sizes) or sizes[0] != sizes[1] or sizes[2] not in (1, 3):
            raise UserError(
                f"--generator={folder}: its images are {sizes}, not squares [S, S, 1|3]"
            )
        self.image_size, _, self.channels = sizes

    def __call__(self, codes: Any) -> Any:
        """Codes [B, D] -> images [B, S, S, C]."""
        return self._function(**{self._input: codes})[self._output]

    def inversion_network(self, seed: int = 0) -> InversionNetwork:
        """The network of table 1, with as many of its convolutions as images of this size take.

        Raises UserError where the side is odd.
        """
        halvings = int(math.log2(self.image_size / _LEAST_SIDE))
        while halvings and self.image_size % 2**halvings:
            halvings -= 1
        if not halvings:
            raise UserError(f"--generator: images of {self.image_size} px cannot be halved")
        return InversionNetwork(
            self.image_size, self.channels, self.code_size, WIDTHS[:halvings], seed
        )
