r"""What a representation knows, taught to AlexNet by pseudo-labels (thesis 4.3.1, figure 4.4):

    python -m lorbms_tf.knowledge_transfer --run_dir=R --features=encoder --images=DIR --out=DIR
    python -m lorbms_tf.probe --features=alexnet:conv5 --weights=DIR/alexnet.weights.h5 \
        --dataset=stl10:DIR
"""

from lorbms_tf.cli import command, flags
from lorbms_tf.probing.settings import TransferConfig


def main(argv) -> None:
    """Trains AlexNet, or goes on training it, and tells where its weights are."""
    command.refuse_arguments(argv)
    config = flags.read(TransferConfig)
    from lorbms_tf.probing.knowledge_transfer import transfer  # loads TensorFlow

    path = transfer(config)
    print(f"{config.out}: {path.name}, and what it was made by, which a same command continues")
    print(
        command.next_step(
            "lorbms_tf.probe", features="alexnet:conv5", weights=path, dataset="stl10:DIR"
        )
    )


def console_main() -> None:
    """Entry point of the console script `lorbms-knowledge-transfer`."""
    flags.define(TransferConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
