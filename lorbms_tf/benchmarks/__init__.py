"""What `python -m lorbms_tf.benchmark` measures of every method, and the machine itself."""
