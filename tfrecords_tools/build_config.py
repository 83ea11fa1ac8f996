"""The settings of `python -m tfrecords_tools.build`; each is one flag."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError
from tfrecords_tools import duplicates, feature_store, sources, tfds_source, versions

SMALLEST_IMAGE = 32  # pixels; the classifier takes no smaller ones

# Where the results go and how fast they are made says nothing about what they are.
_NOT_RECORDED = (
    "out",
    "num_workers",
    "dry_run",
    "overwrite",
    "expect_images",
    "unexpected",
    "engine",
    "beam_flags",
)


@dataclass(frozen=True, kw_only=True)
class BuildConfig:
    """From photos to records (thesis, 3.4, 4.1 and appendix A)."""

    images: str = setting("", "Folder of photos; without --annotations with its subfolders.")
    annotations: str = setting("", "COCO annotation file; empty: every photo in the folder.")
    source: str = setting(
        "auto",
        "Layout of --images: auto (COCO with --annotations, else any folder), classes (a folder "
        "for each class, as ImageNet), voc (the folder of JPEGImages and Annotations).",
        choices=sources.KINDS,
    )
    tfds: str = setting(
        "", "NAME:SPLIT of TensorFlow Datasets, unpacked into --images first (extra tfds)."
    )
    out: str = setting("", "Folder for the shards and dataset.json; must not exist yet.")
    overwrite: bool = setting(
        False, "Replace an older folder of records at --out, once the new one is complete."
    )
    prefix: str = setting("data", "Shards are named PREFIX.tfrecord-00000-of-00008.")
    min_size: int = setting(200, "Both sides of a photo have at least so many pixels.")
    min_boxes: int = setting(4, "Annotated objects in a photo; not used without --annotations.")
    sample_photos: int = setting(
        0, "Keep so many photos, drawn at random by --seed from all that pass; 0: all."
    )
    expect_images: int = setting(
        0, "How many images there should be, to be told of a difference; 0: no expectation."
    )
    unexpected: str = setting(
        "warn", "What another number than --expect_images leads to.", choices=("warn", "fail")
    )
    versions: str = setting(
        "original",
        f"Versions of each photo, comma-separated: {', '.join(versions.VERSIONS)}, "
        f"or the sets {', '.join(versions.SETS)}.",
    )
    features: str = setting(
        "alexnet",
        "Feature network that quadrants are compared by: alexnet, deepcluster, mobilenet_v2, "
        "keras:NAME, saved_model:DIR, encoder:RUN_DIR or discriminator:RUN_DIR (docs/records.md).",
    )
    weights: str = setting(
        "",
        "Weights file of the feature network, imagenet for networks of Keras, or none for random "
        "weights; empty: random for alexnet, ImageNet for networks of Keras; deepcluster needs it.",
    )
    feature_size: int = setting(
        0, "Side of the quadrants that the feature network reads, pixels; 0: its own choice."
    )
    l2_normalize: bool = setting(
        False, "Give all feature vectors the length 1 (after --pca, as in DeepCluster)."
    )
    pca: int = setting(
        0, "Compare so many principal components of the features; 0: the features themselves."
    )
    feature_dtype: str = setting(
        "float32",
        "How features are stored while the build works; float16 takes half the disk.",
        choices=feature_store.DTYPES,
    )
    near_duplicates: int = setting(
        16,
        "Photos whose perceptual hashes (256 bits) differ in at most so many bits are never "
        "each other's candidates; -1: such hashes are not made.",
    )
    num_clusters: int = setting(
        0, "Clusters of each quadrant's k-means; 0: one for every 500 images."
    )
    image_size: int = setting(
        64, "Side of the images in the records, pixels; a power of two, >= 32."
    )
    seed: int = setting(0, "Seed of crops, alexnet's weights, k-means and the order of records.")
    num_workers: int = setting(0, "Threads that read and cut photos; 0: one for each core.")
    num_shards: int = setting(8, "Number of record files.")
    engine: str = setting(
        "local",
        "What does the work: local (this process) or beam (Apache Beam; extra beam). Both make the "
        "same records.",
        choices=("local", "beam"),
    )
    beam_flags: str = setting(
        "",
        "Pipeline options for --engine=beam, as one text: '--runner=DirectRunner "
        "--direct_num_workers=2 --direct_running_mode=multi_processing' (docs/beam.md).",
    )
    dry_run: bool = setting(False, "Print the plan and stop.")

    def validate(self) -> None:
        """Raises UserError, naming the flag and its valid values, for the first bad setting."""
        for name in ("images", "out"):
            if not getattr(self, name):
                raise UserError(f"--{name} is required")
        if not self.prefix or set(self.prefix) & set("/\\*?[],"):
            raise UserError(
                f"--prefix={self.prefix} is not valid: a file name without / \\ * ? [ ] ,"
            )
        for name in ("min_size", "num_shards"):
            require(name, getattr(self, name), minimum=1)
        for name in (
            "min_boxes",
            "num_clusters",
            "num_workers",
            "seed",
            "feature_size",
            "sample_photos",
            "expect_images",
        ):
            require(name, getattr(self, name), minimum=0)
        require("num_shards", self.num_shards, minimum=1, below=100_000)
        require("seed", self.seed, minimum=0, below=2**31 - 4)  # k-means takes a signed 32-bit seed
        if self.image_size < SMALLEST_IMAGE or self.image_size & (self.image_size - 1):
            raise UserError(
                f"--image_size={self.image_size} is not valid: models train on images of a power "
                f"of two, at least {SMALLEST_IMAGE} (32, 64, 128, 256, ...)"
            )
        if self.source != "auto" and (self.annotations or self.tfds):
            raise UserError(f"--source={self.source} takes neither --annotations nor --tfds")
        if self.tfds:
            tfds_source.parse(self.tfds)
        if self.beam_flags and self.engine != "beam":
            raise UserError(f"--beam_flags is for --engine=beam, not --engine={self.engine}")
        require("pca", self.pca, minimum=0)
        require("near_duplicates", self.near_duplicates, minimum=-1, below=duplicates.BITS)
        self.version_names()

    def version_names(self) -> tuple[str, ...]:
        """The versions that `versions` stands for. UserError where one is unknown."""
        return versions.parse(self.versions)

    def recorded(self) -> dict[str, Any]:
        """What dataset.json keeps: all settings that decide the content of the records."""
        values = dataclasses.asdict(self)
        return {name: value for name, value in values.items() if name not in _NOT_RECORDED}
