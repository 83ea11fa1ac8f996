"""What the reference implementations say of `inputs`, as JSON: `make parity` runs it.

Run by the oracles' own environment (oracles.txt), which holds neither Keras 3 nor this package:

python make_golden.py OUT.json
"""

import json
import sys

import inputs
import numpy as np
import tensorflow as tf
import tensorflow_addons as tfa
import tensorflow_gan as tfgan

BLOCK = 128  # of the kernel distance, so that some cases have several blocks


def numbers():
    found = {"frechet_distance": {}, "kernel_distance": {}, "kernel_standard_error": {}}
    for case in inputs.FEATURES:
        real, generated = map(tf.constant, inputs.features(case))
        found["frechet_distance"][case] = float(
            tfgan.eval.frechet_classifier_distance_from_activations(real, generated)
        )
        distance, error = tfgan.eval.kernel_classifier_distance_and_std_from_activations(
            tf.cast(real, tf.float64), tf.cast(generated, tf.float64), max_block_size=BLOCK
        )
        found["kernel_distance"][case] = float(distance)
        found["kernel_standard_error"][case] = float(error)
    logits = tf.constant(inputs.logits())
    found["classifier_score"] = float(tfgan.eval.classifier_score_from_logits(logits))
    norm = tfa.layers.InstanceNormalization(epsilon=1e-5, center=False, scale=False)
    found["instance_norm"] = np.asarray(norm(inputs.maps()), np.float64).round(9).tolist()
    versions = {"tensorflow": tf, "tensorflow_addons": tfa, "tensorflow_gan": tfgan}
    found["versions"] = {name: module.__version__ for name, module in versions.items()}
    found["block_size"] = BLOCK
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(numbers(), file, sort_keys=True)
        file.write("\n")
