"""Measurements of speed of the thesis's model, by subcommand of `lorbms_tf.benchmark`."""
