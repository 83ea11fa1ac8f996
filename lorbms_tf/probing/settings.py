"""The settings of `lorbms_tf.probe` and `lorbms_tf.knowledge_transfer`; each is one flag."""

from dataclasses import dataclass

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from lorbms_tf.features.names import PROBED, SAVED_MODEL

OWN, WHOLE = "own", "whole"  # what --folds says instead of numbers


@dataclass(frozen=True, kw_only=True)
class FeatureConfig:
    """Which features of which network; with neither a run nor weights the weights are random."""

    features: str = setting(
        "encoder",
        "Representation: encoder, encoder_before_bottleneck, discriminator, alexnet:LAYER or "
        "deepcluster:LAYER (conv1 to conv5, fc7), or saved_model:DIR.",
    )
    run_dir: str = setting("", "Run directory, or pretrained:NAME, that the weights are of.")
    checkpoint: str = setting("latest", "Which one of the run: latest, best, or a step.")
    weights: str = setting(
        "",
        "A weights file instead, by --save_network, lorbms_tf.knowledge_transfer or "
        "tfrecords_tools.deepcluster.",
    )
    image_size: int = setting(96, "Side of the images that are read, pixels.")
    seed: int = setting(0, "First seed of random weights, classifier, order and augmentation.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        is_saved_model = self.features.startswith(SAVED_MODEL)
        if self.features not in PROBED and not is_saved_model:
            valid = ", ".join(PROBED)
            raise UserError(
                f"--features={self.features} is not valid; valid values: {valid}, {SAVED_MODEL}DIR"
            )
        if self.run_dir and self.weights:
            raise UserError("--run_dir and --weights: the weights are of one or the other")
        network = self.features.partition(":")[0]
        if self.run_dir and network in ("alexnet", "deepcluster"):
            raise UserError(
                f"--features={network} is no part of a run: pass --weights, not --run_dir"
            )
        if (self.run_dir or self.weights) and is_saved_model:
            raise UserError("--features=saved_model has its weights: no --run_dir, no --weights")
        require("image_size", self.image_size, minimum=1)
        require("seed", self.seed, minimum=0, below=2**30)


@dataclass(frozen=True, kw_only=True)
class ProbeConfig(FeatureConfig):
    """A probe; the defaults are the thesis's protocol (section 4.3.1)."""

    dataset: str = setting("", "Labelled images: stl10:DIR, folders:DIR or voc:DIR.")
    train_split: str = setting("", "Part to learn from; empty: train.")
    test_split: str = setting("", "Part to test on; empty: test of stl10, else val.")
    probe: str = setting(
        "linear", "Classifier: one layer, or nearest neighbours.", choices=("linear", "knn")
    )
    finetune: bool = setting(False, "Train the network as well; else it is frozen.")
    folds: str = setting(
        OWN, "own: the folds of the data set (all images if it has none); whole; or their numbers."
    )
    seeds: int = setting(1, "Runs on each fold, with one seed after another from --seed.")
    epochs: int = setting(200, "Passes over the images of a fold.")
    batch_size: int = setting(64, "Images in a step, and features computed at a time.")
    optimizer: str = setting(
        "adam", "Adam, or SGD with momentum 0.9.", choices=("adam", "momentum")
    )
    learning_rate: float = setting(1e-3, "Of the optimizer.")
    views: int = setting(
        0,
        "Augmented views of each image, made once and learnt from in turns (cheaper; frozen "
        "features only); 0: fresh ones in each epoch (thesis).",
    )
    standardize: bool = setting(
        False,
        "Bring each feature to mean 0 and deviation 1 over all images to learn from (frozen "
        "features only; not in the thesis).",
    )
    k: int = setting(20, "Neighbours of --probe=knn.")
    temperature: float = setting(0.07, "Of the weights exp(cosine / temperature) of --probe=knn.")
    baseline: bool = setting(True, "Probe the same network with random weights, too.")
    save_network: str = setting(
        "", "Weights file for the fine-tuned network of a single run, for --weights."
    )
    out: str = setting(
        "",
        "File of results, a JSON line a run: runs that it holds are not run again, and one that "
        "was ended goes on.",
    )
    table: str = setting("", "Only print the results in such a file as a table.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        if self.table:
            return
        super().validate()
        if not self.dataset:
            raise UserError("--dataset is required")
        for name in ("seeds", "epochs", "batch_size", "k"):
            require(name, getattr(self, name), minimum=1)
        require("views", self.views, minimum=0, below=1024)
        for name in ("learning_rate", "temperature"):
            if not getattr(self, name) > 0:
                raise UserError(f"--{name}={getattr(self, name)} is not valid: above 0")
        self.fold_numbers()
        if self.finetune and (self.views or self.probe == "knn"):
            raise UserError("--finetune works with --probe=linear and without --views only")
        if self.finetune and self.standardize:
            raise UserError("--standardize is for frozen features: drop it, or --finetune")
        if self.finetune and self.features.startswith(SAVED_MODEL):
            raise UserError("--finetune: a SavedModel cannot be trained")
        if self.save_network and not self.finetune:
            raise UserError("--save_network needs --finetune: a frozen network stays as it was")

    def fold_numbers(self) -> list[int] | None:
        """The numbers in --folds; None where it is a word. UserError where it is neither."""
        if self.folds in (OWN, WHOLE):
            return None
        words = self.folds.split(",")
        if not all(map(str.isdecimal, words)) or len(set(map(int, words))) < len(words):
            raise UserError(
                f"--folds={self.folds} is not valid: {OWN}, {WHOLE}, or different numbers, as 0,1"
            )
        return [int(word) for word in words]


@dataclass(frozen=True, kw_only=True)
class TransferConfig(FeatureConfig):
    """Knowledge transfer; 2000 clusters are the thesis's, which is silent on the training."""

    images: str = setting("", "Folder of photos, with its subfolders; or stl10:DIR (unlabelled).")
    out: str = setting("", "Folder for clusters, state and weights: made, or continued.")
    num_clusters: int = setting(2000, "Clusters of k-means, the pseudo-labels.")
    pca: int = setting(0, "Cluster so many principal directions, whitened; 0: plain features.")
    alexnet_size: int = setting(96, "Side of the images that AlexNet learns from, pixels.")
    conv_widths: tuple[int, ...] = setting(
        (96, 256, 384, 384, 256), "Maps of AlexNet's five convolutions."
    )
    dense_widths: tuple[int, ...] = setting((4096, 4096), "Widths of its hidden dense layers.")
    epochs: int = setting(60, "Passes over the images.", may_change=True)
    batch_size: int = setting(256, "Images in a step.")
    learning_rate: float = setting(0.05, "Of SGD.", may_change=True)
    momentum: float = setting(0.9, "Of SGD.")
    weight_decay: float = setting(1e-5, "Share of the weights added to their gradients.")
    smallest_area: float = setting(0.33, "Of the random crops of an image, as a share of it.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        super().validate()
        for name in ("images", "out"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        require("num_clusters", self.num_clusters, minimum=2)
        for name in ("alexnet_size", "epochs"):
            require(name, getattr(self, name), minimum=1)
        require("batch_size", self.batch_size, minimum=2)  # batch norm needs company
        for name in ("pca", "learning_rate", "weight_decay"):
            require(name, getattr(self, name), minimum=0)
        require("momentum", self.momentum, minimum=0, below=1)
        if not 0 < self.smallest_area <= 1:
            raise UserError(f"--smallest_area={self.smallest_area}: above 0, at most 1")
