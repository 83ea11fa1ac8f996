"""The exceptions that a person running a command is meant to read."""


class UserError(Exception):
    """A mistake in what the user gave: a flag, a file, a folder.

    The message names the bad flag or file and, where there is a choice, the valid values. Doors
    print it without a traceback (`lorbms_tf.cli.command.run`).
    """


class Stopped(KeyboardInterrupt):
    """A signal has ended the command in good order; the message says where it stands.

    Args:
      message: one line for the user.
      signal_number: of the signal.
    """

    def __init__(self, message: str, signal_number: int):
        super().__init__(message)
        self.signal_number = signal_number
        self.status = 128 + signal_number  # the exit status, as shells count it
