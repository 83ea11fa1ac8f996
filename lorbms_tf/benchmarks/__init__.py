"""What `python -m lorbms_tf.benchmark` measures, one file a subcommand."""
