"""Names of probed layers (`lorbms_tf.features.probed`), for flags; it loads no TensorFlow."""

PROBED = (
    "encoder",
    "encoder_before_bottleneck",
    "discriminator",
    *(
        f"{network}:{layer}"
        for network in ("alexnet", "deepcluster")
        for layer in ("conv1", "conv2", "conv3", "conv4", "conv5", "fc7")
    ),
)
SAVED_MODEL = "saved_model:"
