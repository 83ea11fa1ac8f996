r"""Feature networks from one's own photos, without labels: DeepCluster (Caron et al. 2018).

    python -m tfrecords_tools.deepcluster --images=DIR --out=DIR
    python -m tfrecords_tools.build --features=deepcluster \
        --weights=DIR/deepcluster.weights.h5 ...
"""

import shlex
from collections.abc import Sequence
from pathlib import Path

import tensorflow as tf

from lorbms_tf.cli import command, flags
from lorbms_tf.pseudo_labels import clusters
from tfrecords_tools import deepcluster_training
from tfrecords_tools.deepcluster_config import DeepClusterConfig


def plan(config: DeepClusterConfig) -> str:
    """The settings and the size of the network, as lines of text."""
    network = config.network(outputs=0)
    megabytes = 12 * config.input_size**2 / 1e6
    example = clusters.automatic_num_clusters(4 * 1000)
    chosen = config.num_clusters or f"one for every 128 quadrants, {example} for 1000 photos"
    return "\n".join(
        [
            flags.as_text(config),
            f"network     {network.count_params():,} parameters without its head, features of "
            f"{config.dense_widths[-1]}",
            f"clusters    {chosen}",
            f"on disk     {megabytes:.2f} MB of pixels for each photo, in {config.out}/"
            f"{deepcluster_training.CROPS_FILE}",
        ]
    )


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags and trains."""
    command.refuse_arguments(argv)
    config = flags.read(DeepClusterConfig)
    if config.intra_op_threads:
        tf.config.threading.set_intra_op_parallelism_threads(config.intra_op_threads)
        clusters.limit_threads(config.intra_op_threads)
    print(plan(config), flush=True)
    if config.dry_run:
        return
    weights = deepcluster_training.train(config)
    print(
        f"{weights} after {config.epochs} epochs; beside it logs/ (curves), config.json, state.npz "
        f"and {deepcluster_training.CROPS_FILE} (what the same command goes on from)"
    )
    print(f"Curves: {command.script('tensorboard')} --logdir={shlex.quote(config.out)}")
    out = f"data/{Path(config.images).resolve().name}"
    print(
        command.next_step(
            "tfrecords_tools.build",
            features="deepcluster",
            weights=weights,
            images=config.images,
            out=out,
        )
    )


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(DeepClusterConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
