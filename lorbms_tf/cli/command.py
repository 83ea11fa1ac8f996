"""How every command line door starts: absl parses the flags, user errors are shown plainly."""

import errno
import itertools
import multiprocessing
import os
import shlex
import shutil
import signal
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from absl import app, flags, logging

from lorbms_tf.cli import help_page, stderr_filter
from lorbms_tf.cli.flags import flagfile_lines
from lorbms_tf.errors import Stopped, UserError

_PACKAGES = ("lorbms_tf.", "tfrecords_tools.")
_SCRIPTS = "lorbms-"  # what the names of console scripts begin with
_HELP = {f"{dashes}{name}" for dashes in ("-", "--") for name in ("h", "help", "helpshort", "?")}


def run(main: Callable[[Sequence[str]], int | None]) -> None:
    """Runs `main(argv)` under absl and exits with its return value.

    A `UserError` becomes one line "error: ..." on stderr and exit code 1; any other exception is
    a fault of ours and keeps its traceback. Ctrl-C exits with 130, as shells do, and `Stopped`
    with 128 plus the number of its signal. --help prints `help_page.text`.
    """

    def guarded(argv: Sequence[str]) -> int | None:
        try:
            return main(argv)
        except UserError as error:
            return _fail(error)
        except Stopped as stop:
            print(stop, file=sys.stderr)
            return stop.status
        except KeyboardInterrupt:
            print("interrupted", file=sys.stderr)
            return 130

    if hasattr(sys.stdout, "reconfigure"):  # lines come when they are printed, in a pipe, too
        sys.stdout.reconfigure(line_buffering=True)
    logging.set_verbosity(logging.WARNING)
    try:
        argv = with_flagfiles(sys.argv)
    except UserError as error:
        sys.exit(_fail(error))
    try:
        if _asks_for_help(argv):
            print(help_page.text(sys.modules[main.__module__].__doc__ or "", python()))
            sys.exit(0)
        app.run(guarded, argv=argv, flags_parser=_parsed)
    except SystemExit:
        stderr_filter.end_well()
        raise
    except BrokenPipeError:  # what reads our output, such as `head`, has seen enough
        stderr_filter.end_well()
        _leave_stdout()
        sys.exit(128 + signal.SIGPIPE)
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        stderr_filter.end_well()
        _leave_stdout()
        sys.exit(_fail("cannot write all that this prints: the disk is full"))


def _leave_stdout() -> None:
    """What is still to be written to stdout goes nowhere."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _fail(error: Exception | str) -> int:
    print(f"error: {error}", file=sys.stderr)
    return 1


def with_flagfiles(argv: Sequence[str]) -> list[str]:
    """The command line with the flags of its flagfiles, in front, in place of their names.

    Raises UserError where one cannot be read.
    """
    program, *words = flagfiles_first(argv)
    lines = []
    while words and words[0].startswith(("--flagfile=", "-flagfile=")):
        lines += flagfile_lines(words.pop(0).partition("=")[2])
    return [program, *lines, *words]


def early_value(name: str, default: str) -> str:
    """The value of a flag on the command line or in its flagfiles, before any flag is defined.

    `default` where it is not there, or a flagfile cannot be read, which `run` tells.
    """
    try:
        words = with_flagfiles(sys.argv)[1:]
    except UserError:
        return default
    value = default
    for word, after in itertools.pairwise([*words, ""]):
        if word == "--":
            break
        flag, equals, given = word.lstrip("-").partition("=")
        if word.startswith("-") and flag == name:
            value = given if equals else after
    return value


def early_word(words: Sequence[str]) -> str:
    """The first of these words that is on the command line, before any flag is defined; or ""."""
    return next((word for word in sys.argv[1:] if word in words), "")


def _parsed(argv: Sequence[str]) -> list[str]:
    """The words on the command line that are no flags, as absl's own parser gives them."""
    try:
        return flags.FLAGS(argv)
    except flags.Error as error:
        sys.exit(_fail(f"{error} (--help lists the flags)"))


def _asks_for_help(argv: Sequence[str]) -> bool:
    words = list(argv[1:])
    return bool(_HELP & set(words[: words.index("--")] if "--" in words else words))


def hold_back_chatter() -> None:
    """In a process that is a door: holds TensorFlow's chatter back, unless --verbosity=1 asks.

    To be done before TensorFlow is imported, which says most of it.
    """
    main = sys.modules.get("__main__")
    spec = getattr(main, "__spec__", None)
    is_door = spec is not None and spec.name.startswith(_PACKAGES)
    is_door = is_door or Path(sys.argv[0]).name.startswith(_SCRIPTS)
    if is_door and multiprocessing.parent_process() is None and stderr_filter.wanted(sys.argv[1:]):
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")  # notes that help nobody here
        stderr_filter.start()


def python() -> str:
    """How a shell calls the Python that runs this: ".venv/bin/python", or "python"."""
    here = os.path.relpath(sys.executable)
    return "python" if here.startswith(os.pardir) else shlex.quote(here)


def line(module: str, *words: str, **values: object) -> str:
    """A command that calls a door, to be pasted into a shell.

    Args:
      module: the door, such as "lorbms_tf.train".
      words: what is no flag, as it is: a subcommand, "...".
      values: flags, in this order; their values are quoted where a shell would read signs in them.
    """
    named = [f"--{name}={shlex.quote(str(value))}" for name, value in values.items()]
    return " ".join([python(), "-m", module, *words, *named])


def next_step(module: str, *words: str, **values: object) -> str:
    """A `line` after "Next: "; a second one says which Python, where a shell's is another."""
    step = f"Next: {line(module, *words, **values)}"
    if python() == "python" and shutil.which("python") != sys.executable:
        step += f"\n  (python: {shlex.quote(sys.executable)})"
    return step


def script(name: str) -> str:
    """How a shell calls a script that was installed beside this Python, such as "tensorboard"."""
    here = os.path.relpath(Path(sys.executable).parent / name)
    return name if here.startswith(os.pardir) else shlex.quote(here)


def install(extra: str) -> str:
    """The command that installs an extra of this package, for the message where it is missing."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "constraints.txt").is_file():  # not a checkout
        return f"{python()} -m pip install 'lorbms-tf[{extra}]'"
    here = os.path.relpath(root)
    constraints = shlex.quote(os.path.normpath(f"{here}/constraints.txt"))
    return f"{python()} -m pip install -c {constraints} -e {shlex.quote(f'{here}[{extra}]')}"


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
        raise UserError(f"{given}; valid: {', '.join(valid)} ({line(door, valid[0], '...')})")
    refuse_arguments(argv[1:])
    return argv[1]


def refuse_arguments(argv: Sequence[str]) -> None:
    """Raises UserError for words on the command line that are neither flags nor their values."""
    if len(argv) < 2:
        return
    word = argv[1]
    text = f"unexpected argument {word!r}: every setting is a flag, --name=value (see --help)"
    if os.path.exists(word):
        folder = os.path.dirname(word) or "."
        glob = shlex.quote(os.path.join(folder, "*"))
        text += (
            ". If your shell made it of a glob: flags take a folder, "
            f"--images={shlex.quote(folder)}, or a glob in quotes, --records={glob}"
        )
    elif len(argv) > 2 or " " in " ".join(sys.argv[1:]):
        text += "; a value with spaces is quoted: --name='my photos'"
    raise UserError(text)


hold_back_chatter()
