"""The folder of a training that goes on where it was ended."""

from pathlib import Path
from typing import Any

from lorbms_tf import config as settings
from lorbms_tf.errors import UserError
from lorbms_tf.files import read_json, remove_leftovers, write_json

CONFIG_FILE = "config.json"


def prepare(config: Any) -> Path:
    """Makes the folder `config.out`, or finds the run that is there; writes its config.json.

    Raises UserError where there is a run with other settings, or something else.
    """
    folder = Path(config.out)
    path = folder / CONFIG_FILE
    if path.is_file():
        old = settings.from_dict(type(config), read_json(path), str(path))
        differing = settings.differences(old, config)
        if differing:
            raise UserError(
                f"{folder} holds a run with other settings; name another --out, or set back:\n  "
                + "\n  ".join(differing)
            )
    elif folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise UserError(f"--out={folder} is not empty and holds no run: name another folder")
    write_json(path, settings.to_dict(config))
    remove_leftovers(folder)
    return folder
