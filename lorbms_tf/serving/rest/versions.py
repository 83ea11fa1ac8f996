"""The versions of a model in a folder, as TensorFlow Serving looks for them: the highest is served.

A new version is loaded beside the one that is served, which stays until the new one is ready.
"""

import contextlib
import re
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import numpy as np
import tensorflow as tf
from tensorflow.core.protobuf import saved_model_pb2

from lorbms_tf.errors import UserError
from lorbms_tf.serving.rest.tensors import BadRequest
from lorbms_tf.tensorflow_paths import without_signs

SAVED_MODEL = "saved_model.pb"
WATCH_SECONDS = 2.0
_NUMBER = r"0|[1-9][0-9]{0,17}"  # the protos' 64 bits hold it, and the folder is named so


class Version(NamedTuple):
    """A loaded SavedModel.

    number: of the folder.
    signatures: by name, functions of named tensors to named tensors.
    definitions: by name, the `SignatureDef` protos, for metadata.
    """

    number: int
    signatures: Mapping
    definitions: Mapping
    model: object  # keeps the variables alive

    def input_specs(self, signature: str) -> dict[str, tf.TensorSpec]:
        """The inputs of a signature by name."""
        return self.signatures[signature].structured_input_signature[1]

    def outputs(self, signature: str, inputs: Mapping[str, tf.Tensor]) -> dict[str, np.ndarray]:
        """What a signature makes of its inputs. BadRequest for inputs that the model refuses."""
        try:
            made = self.signatures[signature](**inputs)
            return {name: value.numpy() for name, value in made.items()}
        except (tf.errors.InvalidArgumentError, tf.errors.OutOfRangeError) as error:
            raise BadRequest(_plain(error.message)) from error
        except UnicodeDecodeError as error:  # a message that holds the bytes of a broken file
            raise BadRequest("a picture is broken") from error


def _plain(message: str) -> str:
    """The part of TensorFlow's message that is about the input, without its places in the code."""
    lines = [line.strip() for line in message.split("\n")]
    said = [line for line in lines if "assertion failed" in line]
    places = ("Graph execution error", "Detected at", "File ", "Stack trace", "<stack traces")
    said += [line for line in lines if line and not line.startswith(places)]
    text = re.sub(r"^\{\{.*?\}\} ?|\[\[.*|\[Op:.*|[][]", "", said[0] if said else lines[0])
    return text.replace("assertion failed: ", "").strip() or "the inputs do not fit"


def numbers(folder: Path) -> list[int]:
    """The versions that a folder holds, ascending; UserError where it cannot be read."""
    try:
        names = [path.name for path in folder.iterdir() if (path / SAVED_MODEL).is_file()]
    except OSError as error:
        raise UserError(f"--export_dir={folder} cannot be read: {error.strerror}") from error
    return sorted(int(name) for name in names if re.fullmatch(_NUMBER, name))


def load(folder: Path, number: int) -> Version:
    """A version of a folder, ready to be used. UserError where it has no signatures."""
    path = folder / str(number)
    try:
        with without_signs(path) as readable:
            model = tf.saved_model.load(readable)
        proto = saved_model_pb2.SavedModel.FromString((path / SAVED_MODEL).read_bytes())
    except Exception as error:  # TensorFlow raises errors of many kinds for broken files
        raise UserError(f"{path} cannot be loaded: {str(error).splitlines()[0]}") from error
    if not model.signatures:
        raise UserError(f"{path} is a SavedModel without signatures")
    definitions = dict(proto.meta_graphs[0].signature_def)
    return Version(number, dict(model.signatures), definitions, model)


class Versions:
    """What is served of a folder, and a thread that looks for higher versions.

    Raises UserError where the folder holds no version.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        found = numbers(folder)
        if not found:
            raise UserError(
                f"--export_dir={folder} holds no exported model (a folder such as {folder / '1'} "
                "with a saved_model.pb): python -m lorbms_tf.export makes one"
            )
        self._current = load(folder, found[-1])
        self._failed: set[int] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._watch, daemon=True)

    def get(self, number: int | None = None) -> Version:
        """The version that is served. BadRequest, status 404, where another is asked for."""
        current = self._current
        if number not in (None, current.number):
            raise BadRequest(f"version {number} is not served; served: {current.number}", 404)
        return current

    def look(self) -> bool:
        """Loads a version that is higher than the served one; whether there was one."""
        with contextlib.suppress(UserError):
            new = [n for n in numbers(self.folder) if n > self._current.number]
            new = [n for n in new if n not in self._failed]
            if new:
                try:
                    self._current = load(self.folder, new[-1])
                    print(f"serving version {new[-1]}", flush=True)
                    return True
                except UserError as error:
                    self._failed.add(new[-1])
                    print(f"warning: {error}; version {self._current.number} stays", flush=True)
        return False

    def __enter__(self) -> "Versions":
        self._thread.start()
        return self

    def __exit__(self, *error) -> None:
        self._stop.set()
        self._thread.join()

    def _watch(self) -> None:
        while not self._stop.wait(WATCH_SECONDS):
            self.look()
