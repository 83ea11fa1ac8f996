"""The settings of `python -m tfrecords_tools.deepcluster`; each is one flag."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet


@dataclass(frozen=True, kw_only=True)
class DeepClusterConfig:
    """DeepCluster on the quadrants of photos; the defaults are as published (Caron et al. 2018)."""

    images: str = setting("", "Folder of photos, with its subfolders.")
    out: str = setting("", "Folder for weights, state and logs: made, or continued.")
    min_size: int = setting(200, "Both sides of a photo have at least so many pixels.")
    max_photos: int = setting(0, "Learn from so many photos, drawn by the seed; 0: all.")
    input_size: int = setting(224, "Side of the quadrants that the network reads, pixels.")
    stem_stride: int = setting(4, "Stride of the first convolution; 2 keeps more of small inputs.")
    conv_widths: tuple[int, ...] = setting(
        (96, 256, 384, 384, 256), "Maps of the five convolutions."
    )
    dense_widths: tuple[int, ...] = setting(
        (4096, 4096), "Widths of the hidden dense layers; the last is the length of a feature."
    )
    num_clusters: int = setting(0, "Clusters of k-means; 0: one for every 128 quadrants.")
    pca: int = setting(256, "Principal directions that are clustered, whitened.")
    epochs: int = setting(200, "Clusterings, each learnt for one pass.", may_change=True)
    batch_size: int = setting(256, "Quadrants in a step.")
    learning_rate: float = setting(0.05, "Of SGD.", may_change=True)
    momentum: float = setting(0.9, "Of SGD.")
    weight_decay: float = setting(1e-5, "Share of the weights added to their gradients.")
    smallest_area: float = setting(0.08, "Of the random crops of a quadrant, as a share of it.")
    seed: int = setting(0, "Seed of weights, crops, k-means and order.")
    num_workers: int = setting(
        0, "Threads that read photos; 0: one for each core.", may_change=True
    )
    intra_op_threads: int = setting(
        0, "CPU threads of the arithmetic; 0: as many as cores.", may_change=True
    )
    dry_run: bool = setting(False, "Print the plan and stop.", may_change=True)

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        for name in ("images", "out"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        for name in ("min_size", "input_size", "stem_stride", "pca", "epochs"):
            require(name, getattr(self, name), minimum=1)
        require("batch_size", self.batch_size, minimum=2)  # batch norm needs company
        for name in ("max_photos", "num_clusters", "num_workers", "intra_op_threads"):
            require(name, getattr(self, name), minimum=0)
        if self.num_clusters == 1:
            raise UserError("--num_clusters=1 is nothing to learn: at least 2, or 0")
        require("seed", self.seed, minimum=0, below=2**31 - 1 - self.epochs)
        require("learning_rate", self.learning_rate, minimum=0)
        require("weight_decay", self.weight_decay, minimum=0)
        require("momentum", self.momentum, minimum=0, below=1)
        if not 0 < self.smallest_area <= 1:
            raise UserError(f"--smallest_area={self.smallest_area}: above 0, at most 1")

    def network(self, outputs: int) -> DeepClusterAlexNet:
        """The network of these sizes. Raises UserError where they make none."""
        try:
            return DeepClusterAlexNet(
                image_size=self.input_size,
                conv_widths=self.conv_widths,
                dense_widths=self.dense_widths,
                outputs=outputs,
                stem_stride=self.stem_stride,
                seed=self.seed,
            )
        except ValueError as error:
            raise UserError(
                f"--input_size, --stem_stride, --conv_widths or --dense_widths: {error}"
            ) from error
