"""The networks of the thesis (tables 3.1 to 3.6; features, 3.4), on any Keras backend."""

from lorbms_tf.networks.alexnet import AlexNet
from lorbms_tf.networks.classifier import Classifier
from lorbms_tf.networks.decoder import Decoder
from lorbms_tf.networks.deepcluster import DeepClusterAlexNet
from lorbms_tf.networks.discriminator import Discriminator
from lorbms_tf.networks.encoder import Encoder
from lorbms_tf.networks.spectral_norm import advance_spectral_norms

__all__ = [
    "AlexNet",
    "Classifier",
    "Decoder",
    "DeepClusterAlexNet",
    "Discriminator",
    "Encoder",
    "advance_spectral_norms",
]
