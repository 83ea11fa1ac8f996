"""The build on Apache Beam (`--engine=beam`, extra `beam`): the local path's functions, spread.

Three jobs, and between them what is small or global, in the launching process:

    photos      blocks of photos -> why each is dropped                            (photos.py)
    images      chunks of photos -> versions, JPEGs, hashes, features              (images.py)
    launcher:   duplicates, --pca, k-means on its sample
    records     assignment, in-cluster search, join with the JPEGs, shards         (search.py,
                                                                                    assembly.py)

Workers read --images and write beside --out, which must lie on a file system that all of them
share. What a worker holds in memory is a chunk, a cluster or 256 records.
"""

import logging

# Warnings that Beam logs where all is well: of an optional package, and of a folder for tests.
_HARMLESS = ("apitools not found", "No semi_persistent_directory found")
_LOGGERS = ("root", "apache_beam.runners.portability.local_job_service")


def _matters(record: logging.LogRecord) -> bool:
    return not any(text in record.getMessage() for text in _HARMLESS)


for _name in _LOGGERS:  # before Beam is imported, which logs the first of them
    logging.getLogger(_name).addFilter(_matters)
