"""Pictures whose mean perceptual distance from a set of pictures is smallest, and their scores:

python -m lorbms_tf.image_mean --images=photos --distances=l2,mmd,mmd++ --out=results/means
"""

import sys

from lorbms_tf.cli import command, flags
from lorbms_tf.perceptual.mean_config import ImageMeanConfig


def main(argv) -> None:
    """Prints the table, and where the sheet and the page are."""
    command.refuse_arguments(argv)
    config = flags.read(ImageMeanConfig)
    from lorbms_tf.perceptual import image_mean  # loads TensorFlow

    results = image_mean.run(config)
    print(
        f"Sliced Wasserstein distances (Karras et al.) of {config.num_problems} {config.problems} "
        "problems by level, +- standard error over problems; lower is better:"
    )
    print(results.table)
    for path in results.paths:
        print(f"wrote {path}", file=sys.stderr)


def console_main() -> None:
    """Entry point of the console script `lorbms-image-mean`."""
    flags.define(ImageMeanConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
