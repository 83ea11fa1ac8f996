"""Runs a SavedModel by TensorFlow's C API alone, as TensorFlow Serving's loader does; a script.

python c_api.py LIBRARY SAVED_MODEL REQUEST

REQUEST is a JSON file: {"inputs": [[operation, index, type, shape, values]], "outputs":
[[operation, index]]}; values are a list of numbers, or of hexadecimal strings for type 7. Prints
the outputs in the same form. No Python of TensorFlow takes part.
"""

import ctypes
import json
import math
import sys

FLOAT, STRING, BOOL = 1, 7, 10
TYPES = {FLOAT: ctypes.c_float, BOOL: ctypes.c_bool}
STRING_BYTES = 24  # of a TF_TString


class Output(ctypes.Structure):
    _fields_ = [("operation", ctypes.c_void_p), ("index", ctypes.c_int)]


class Library:
    """The functions of the C API; a bad status ends the script."""

    def __init__(self, path):
        self._lib = ctypes.CDLL(path)
        self.status = self.call("TF_NewStatus")

    def call(self, name, *args, result=ctypes.c_void_p):
        function = getattr(self._lib, name)
        function.restype = result
        return function(*args)

    def check(self):
        if self.call("TF_GetCode", ctypes.c_void_p(self.status), result=ctypes.c_int):
            sys.exit(self.call("TF_Message", ctypes.c_void_p(self.status), result=ctypes.c_char_p))

    def tensor(self, kind, shape, values):
        count = math.prod(shape)
        size = count * (STRING_BYTES if kind == STRING else ctypes.sizeof(TYPES[kind]))
        dims = (ctypes.c_int64 * len(shape))(*shape)
        made = self.call("TF_AllocateTensor", kind, dims, len(shape), ctypes.c_size_t(size))
        data = self.call("TF_TensorData", ctypes.c_void_p(made))
        if kind == STRING:
            for i, text in enumerate(values):
                text, place = bytes.fromhex(text), ctypes.c_void_p(data + i * STRING_BYTES)
                self.call("TF_StringInit", place)
                self.call("TF_StringCopy", place, text, ctypes.c_size_t(len(text)))
        else:
            (TYPES[kind] * count).from_address(data)[:] = values
        return made

    def values(self, tensor):
        tensor = ctypes.c_void_p(tensor)
        kind = self.call("TF_TensorType", tensor, result=ctypes.c_int)
        rank = self.call("TF_NumDims", tensor, result=ctypes.c_int)
        shape = [self.call("TF_Dim", tensor, i, result=ctypes.c_int64) for i in range(rank)]
        data, count = self.call("TF_TensorData", tensor), math.prod(shape)
        if kind != STRING:
            return [kind, shape, list((TYPES[kind] * count).from_address(data))]
        texts = []
        for i in range(count):
            place = ctypes.c_void_p(data + i * STRING_BYTES)
            size = self.call("TF_StringGetSize", place, result=ctypes.c_size_t)
            start = self.call("TF_StringGetDataPointer", place)
            texts.append(ctypes.string_at(start, size).hex())
        return [kind, shape, texts]


def main(library, folder, request):
    lib = Library(library)
    with open(request, encoding="utf-8") as file:
        asked = json.load(file)
    graph = ctypes.c_void_p(lib.call("TF_NewGraph"))
    options = ctypes.c_void_p(lib.call("TF_NewSessionOptions"))
    tags = (ctypes.c_char_p * 1)(b"serve")
    session = lib.call(
        "TF_LoadSessionFromSavedModel", options, None, folder.encode(), tags, 1, graph, None,
        ctypes.c_void_p(lib.status),
    )  # fmt: skip
    lib.check()

    def outputs(places):
        found = [lib.call("TF_GraphOperationByName", graph, name.encode()) for name, _ in places]
        return (Output * len(places))(
            *(Output(found[i], index) for i, (_, index) in enumerate(places))
        )

    inputs = asked["inputs"]
    given = [lib.tensor(kind, shape, values) for _, _, kind, shape, values in inputs]
    made = (ctypes.c_void_p * len(asked["outputs"]))()
    lib.call(
        "TF_SessionRun", ctypes.c_void_p(session), None,
        outputs([place[:2] for place in inputs]), (ctypes.c_void_p * len(given))(*given),
        len(given), outputs(asked["outputs"]), made, len(made), None, 0, None,
        ctypes.c_void_p(lib.status),
    )  # fmt: skip
    lib.check()
    print(json.dumps([lib.values(tensor) for tensor in made]))


if __name__ == "__main__":
    main(*sys.argv[1:])
