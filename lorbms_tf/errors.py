"""The one exception that a person running a command is meant to read."""


class UserError(Exception):
    """A mistake in what the user gave: a flag, a file, a folder.

    The message names the bad flag or file and, where there is a choice, the valid values. Doors
    print it without a traceback (`lorbms_tf.command.run`).
    """
