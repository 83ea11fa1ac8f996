"""Pictures by a trained model; --help names those of a run's method, and their flags:

python -m lorbms_tf.render scenes --run_dir=R --records=GLOB --rows=12 --out=sheet.png
python -m lorbms_tf.render transfer --run_dir=R --object=A.jpg --scene=B.jpg --mask=0010 --out=t.png
python -m lorbms_tf.render transfer --run_dir=R --pairs=FILE --out=t.png
python -m lorbms_tf.render paths --run_dir=R --object=A.jpg --scene=B.jpg --mask=1111 --out=p.png
python -m lorbms_tf.render reconstructions --run_dir=R --records=GLOB --rows=6 --out=r.png
python -m lorbms_tf.render pasted --run_dir=R --records=GLOB --rows=5 --out=p.png
"""

from collections.abc import Sequence
from pathlib import Path

from lorbms_tf import methods
from lorbms_tf.cli import command, flags, help_page
from lorbms_tf.pages import pictures
from lorbms_tf.training import run_directory
from lorbms_tf.training.method import Method, Sheet
from lorbms_tf.training.run_directory import MethodConfig


def render(sheet: Sheet, config) -> Path:
    """Draws one picture and writes it; returns its path.

    Raises UserError for bad flags and files, each named with its valid values.
    """
    return pictures.save(sheet.draw(config), config.out)


def sheets_of(method: Method) -> dict[str, Sheet]:
    """The pictures of a method, and those of all that it has not itself.

    With --metric on the command line `paths` is the one of all, which measures.
    """
    shared = methods.shared_sheets()
    if command.early_value("metric", ""):
        return {**method.sheets, **shared}
    return {**method.sheets, **{k: v for k, v in shared.items() if k not in method.sheets}}


def main(argv: Sequence[str]) -> None:
    """Renders what the first word on the command line says."""
    sheets = sheets_of(run_directory.asked_method())
    subcommand = command.subcommand(
        argv,
        "lorbms_tf.render",
        tuple(sheets),
        none="what should be rendered?",
        unknown="no {!r} to render",
    )
    sheet = sheets[subcommand]
    config = flags.read(sheet.config)
    print(f"wrote {render(sheet, config)}")
    page = {name: getattr(config, name, "") for name in ("run_dir", "records", "photos")}
    page = {name: value for name, value in page.items() if value}
    print(command.next_step("lorbms_tf.report", **page, out="report.html"))


def console_main() -> None:
    """Entry point of the console script `lorbms-render`."""
    sheets = sheets_of(run_directory.method_of_flags())
    asked = command.early_word(tuple(sheets))
    for name in [asked] if asked else sheets:
        flags.define(sheets[name].config)
    flags.define(MethodConfig)
    help_page.tell(
        "\n".join(["Pictures:", *(f"  {name}: {sheet.says}" for name, sheet in sheets.items())])
    )
    command.run(main)


if __name__ == "__main__":
    console_main()
