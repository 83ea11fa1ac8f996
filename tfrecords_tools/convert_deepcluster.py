r"""DeepCluster's published checkpoint to a weights file for `--features=deepcluster`.

    python -m tfrecords_tools.convert_deepcluster --checkpoint=checkpoint.pth.tar \
        --out=deepcluster.weights.h5

Needs PyTorch (extra `[torch]`), which nothing else here does.
"""

import pickle
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import setting
from lorbms_tf.errors import UserError
from lorbms_tf.features import deepcluster
from lorbms_tf.files import is_file
from lorbms_tf.networks.deepcluster import SOBEL, DeepClusterAlexNet, trunk_side

IMAGE_SIZE = 224  # the published network reads nothing else
_CONVS = (0, 4, 8, 11, 14)  # places in the published network's "features"; each norm is one after
_DENSE = (1, 4)  # in its "classifier"
_UNUSED = ("top_layer.", "num_batches_tracked")  # starts and ends of names that features ask not


@dataclass(frozen=True, kw_only=True)
class ConvertConfig:
    """What to convert."""

    checkpoint: str = setting("", "The checkpoint of PyTorch, such as checkpoint.pth.tar.")
    out: str = setting("", f"Weights file to write; its name ends in {deepcluster.SUFFIX}.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        for name in ("checkpoint", "out"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        if not self.out.endswith(deepcluster.SUFFIX):
            raise UserError(f"--out={self.out}: the name must end in {deepcluster.SUFFIX}")
        if not is_file(self.checkpoint):
            raise UserError(f"--checkpoint: there is no file {self.checkpoint}")


def load(path: str) -> dict[str, np.ndarray]:
    """The tensors of a checkpoint by name. Nothing but tensors and plain values is unpickled.

    Raises UserError where PyTorch is missing or the file is no such checkpoint.
    """
    try:
        import torch
    except ImportError as error:
        raise UserError(f"PyTorch is missing: {command.install('torch')}") from error
    try:
        stored = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, ValueError, EOFError, pickle.UnpicklingError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else repr(error)
        raise UserError(f"--checkpoint={path} is no checkpoint of PyTorch: {reason}") from error
    state = stored.get("state_dict") if isinstance(stored, Mapping) else None
    if not isinstance(state, Mapping) or not all(
        isinstance(value, torch.Tensor) for value in state.values()
    ):
        raise UserError(
            f"--checkpoint={path} has no 'state_dict' of tensors, as DeepCluster's checkpoints do"
        )
    return {name: value.numpy() for name, value in state.items()}


def convert(state: Mapping[str, np.ndarray], source: str = "the checkpoint") -> DeepClusterAlexNet:
    """DeepCluster's AlexNet with the tensors of a state_dict; widths are taken from them.

    Names may have "module." in them, as DataParallel leaves them. Layouts: convolutions
    [out, in, k, k], dense layers [out, in], the first of which reads its maps as [C, h, w].

    Raises UserError, naming the tensor, where one is missing, left over or of another shape.
    """
    tensors = _Tensors(state, source)
    _check_sobel(tensors)
    convs = [_conv(tensors, place) for place in _CONVS]
    norms = [_norm(tensors, place + 1) for place in _CONVS]
    dense = [_dense(tensors, place) for place in _DENSE]
    widths = [kernel.shape[-1] for kernel, _ in convs]
    dense[0] = (_from_channels_first(dense[0][0], widths[-1], tensors), dense[0][1])
    network = DeepClusterAlexNet(
        image_size=IMAGE_SIZE,
        conv_widths=tuple(widths),
        dense_widths=tuple(kernel.shape[-1] for kernel, _ in dense),
    )
    for layers, values in (
        (network.convs, convs),
        (network.norms, norms),
        (network.dense, dense),
    ):
        for index, (layer, given) in enumerate(zip(layers, values, strict=True)):
            shapes = [tuple(weight.shape) for weight in layer.weights]
            if shapes != [value.shape for value in given]:
                raise UserError(
                    f"{source} is not DeepCluster's AlexNet: {type(layer).__name__} {index + 1} "
                    f"has shapes {[value.shape for value in given]}, expected {shapes}"
                )
            layer.set_weights(given)
    tensors.check_all_used()
    return network


class _Tensors:
    """The tensors of a state_dict by plain name; remembers which were used."""

    def __init__(self, state: Mapping[str, np.ndarray], source: str):
        self._state = {name.replace("module.", ""): value for name, value in state.items()}
        self._used: set[str] = set()
        self.source = source

    def take(self, name: str, rank: int) -> np.ndarray:
        value = self._state.get(name)
        if value is None:
            present = ", ".join(sorted(self._state)[:6])
            raise UserError(
                f"{self.source} is not DeepCluster's AlexNet: it has no tensor {name!r} (but "
                f"{present}, ...)"
            )
        if value.ndim != rank:
            raise UserError(
                f"{self.source} is not DeepCluster's AlexNet: {name} has shape {value.shape}"
            )
        self._used.add(name)
        return np.asarray(value, np.float32)

    def check_all_used(self) -> None:
        start, end = _UNUSED
        unused = set(self._state) - self._used
        left = sorted(n for n in unused if not n.startswith(start) and not n.endswith(end))
        if left:
            raise UserError(
                f"{self.source} is not DeepCluster's AlexNet: it has {', '.join(left)} too"
            )


def _check_sobel(tensors: _Tensors) -> None:
    """The edge filters are constants here; another network's must not pass for them."""
    weights = {
        "sobel.0.weight": np.full((1, 3, 1, 1), 1 / 3, np.float32),
        "sobel.0.bias": np.zeros(1, np.float32),
        "sobel.1.weight": np.array(SOBEL, np.float32)[:, None],  # [2, 1, 3, 3]
        "sobel.1.bias": np.zeros(2, np.float32),
    }
    for name, expected in weights.items():
        found = tensors.take(name, expected.ndim)
        if found.shape != expected.shape or not np.allclose(found, expected, atol=1e-6):
            raise UserError(f"{tensors.source}: {name} is not DeepCluster's edge filter")


def _conv(tensors: _Tensors, place: int) -> list[np.ndarray]:
    kernel = tensors.take(f"features.{place}.weight", 4)  # [out, in, k, k]
    return [kernel.transpose(2, 3, 1, 0), tensors.take(f"features.{place}.bias", 1)]


def _norm(tensors: _Tensors, place: int) -> list[np.ndarray]:
    names = ("weight", "bias", "running_mean", "running_var")
    return [tensors.take(f"features.{place}.{name}", 1) for name in names]


def _dense(tensors: _Tensors, place: int) -> tuple[np.ndarray, np.ndarray]:
    kernel = tensors.take(f"classifier.{place}.weight", 2)  # [out, in]
    return kernel.T, tensors.take(f"classifier.{place}.bias", 1)


def _from_channels_first(kernel: np.ndarray, channels: int, tensors: _Tensors) -> np.ndarray:
    """The first dense kernel, its inputs from the order [C, h, w] to [h, w, C]."""
    side = trunk_side(IMAGE_SIZE)
    inputs, units = kernel.shape
    if inputs != channels * side * side:
        raise UserError(
            f"{tensors.source} is not DeepCluster's AlexNet for {IMAGE_SIZE} px: "
            f"classifier.{_DENSE[0]} reads {inputs} values, not {channels} x {side} x {side}"
        )
    maps = kernel.reshape(channels, side, side, units)
    return maps.transpose(1, 2, 0, 3).reshape(inputs, units)


def run(config: ConvertConfig) -> str:
    """Converts, and returns what to tell. Raises UserError as `load` and `convert` do."""
    network = convert(load(config.checkpoint), f"--checkpoint={config.checkpoint}")
    deepcluster.write(network, config.out)
    sizes = network.settings
    return (
        f"{config.out}: {network.count_params():,} parameters, fc7 of {sizes['dense_widths'][-1]}, "
        f"reads {sizes['image_size']} px\n"
        + command.next_step(
            "tfrecords_tools.build",
            features="deepcluster",
            weights=config.out,
            images="my_photos",
            out="data/my_photos",
        )
    )


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags and converts."""
    command.refuse_arguments(argv)
    print(run(flags.read(ConvertConfig)))


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(ConvertConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
