"""Tools that make the data: synthetic scenes, and TFRecords with scene-mixing candidates.

For notebooks: `tfrecords_tools.build_records(images="photos", out="data/mine")`, as
`python -m tfrecords_tools.build`.
"""

import importlib


def __getattr__(name: str):
    if name != "build_records":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("tfrecords_tools.build").build_records
