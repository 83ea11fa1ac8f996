"""How every command line door starts: absl parses the flags, user errors are shown plainly."""

import os
import sys
from collections.abc import Callable, Sequence

from absl import app, logging

from lorbms_tf.errors import Stopped, UserError
from lorbms_tf.flags import flagfile_lines


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Runs `main(argv)` under absl and exits with its return value.

    A `UserError` becomes one line "error: ..." on stderr and exit code 1; any other exception is
    a fault of ours and keeps its traceback. Ctrl-C exits with 130, as shells do, and `Stopped`
    with 128 plus the number of its signal.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        try:
            return main(argv)
        except UserError as error:
            print(f"error: {error}", file=sys.stderr)
            return 1
        except Stopped as stop:
            print(stop, file=sys.stderr)
            return stop.status
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # the C++ side's notes help nobody here
    logging.set_verbosity(logging.WARNING)
    try:
        argv = with_flagfiles(sys.argv)
    except UserError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(1)
    app.run(guarded, argv=argv)


def with_flagfiles(argv: Sequence[str]) -> list[str]:
    """The command line with the flags of its flagfiles, in front, in place of their names.

    Raises UserError where one cannot be read.
    """
    program, *words = flagfiles_first(argv)
    lines = []
    while words and words[0].startswith(("--flagfile=", "-flagfile=")):
        lines += flagfile_lines(words.pop(0).partition("=")[2])
    return [program, *lines, *words]


def flagfiles_first(argv: Sequence[str]) -> list[str]:
    """The command line with its flagfiles in front, so that any flag on it wins over them."""
    files, others = [], []
    words = iter(argv[1:])
    for word in words:
        if word in ("--flagfile", "-flagfile"):
            files.append(f"--flagfile={next(words, '')}")
        elif word.startswith(("--flagfile=", "-flagfile=")):
            files.append(word)
        elif word == "--":
            others += [word, *words]
        else:
            others.append(word)
    return [argv[0], *files, *others]


def subcommand(
    argv: Sequence[str], door: str, valid: Sequence[str], none: str, unknown: str
) -> str:
    """The subcommand: the first word on the command line, which must be the only one.

    Args:
      argv: the door's name and the words that are no flags.
      door: how the module is called, for the example in the message.
      valid: the subcommands that there are.
      none: what the message says where the word is missing.
      unknown: what it says where the word is another; "{!r}" stands for the word.

    Raises UserError for a missing, unknown or further word.
    """
    if len(argv) < 2 or argv[1] not in valid:
        given = unknown.format(argv[1]) if len(argv) > 1 else none
        raise UserError(f"{given}; valid: {', '.join(valid)} (python -m {door} {valid[0]} ...)")
    refuse_arguments(argv[1:])
    return argv[1]


def refuse_arguments(argv: Sequence[str]) -> None:
    """Raises UserError for words on the command line that are neither flags nor their values."""
    if len(argv) > 1:
        raise UserError(
            f"unexpected argument {argv[1]!r}: every setting is a flag, --name=value (see --help)"
        )
