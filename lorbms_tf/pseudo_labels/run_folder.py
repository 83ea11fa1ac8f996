"""The folder of a training that goes on where it was ended."""

from pathlib import Path
from typing import Any

from lorbms_tf.cli import stored_config
from lorbms_tf.errors import UserError
from lorbms_tf.files import remove_leftovers


def prepare(config: Any, kind: str) -> Path:
    """Makes the folder `config.out`, or finds the run that is there; writes its config.json.

    kind: the command whose run it is, as its module is called.

    Raises UserError where there is a run with other settings, or of another command, or something
    else.
    """
    folder, flag = Path(config.out), f"--out={config.out}"
    if stored_config.is_begun(folder, kind, flag):
        old = stored_config.read(folder, kind, type(config), flag)
        differing = stored_config.differences(old, config)
        if differing:
            raise UserError(
                f"{folder} holds a run with other settings; name another --out, or set back:\n  "
                + "\n  ".join(differing)
            )
    stored_config.write(folder, kind, config)
    remove_leftovers(folder)
    return folder
