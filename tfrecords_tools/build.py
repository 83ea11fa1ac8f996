"""Photos to records:

python -m tfrecords_tools.build --images=my_photos --out=data/mine --min_size=128

Filter, fixed versions, features of all quadrants, k-means and in-cluster nearest neighbours of each
quadrant, sharded records, and a dataset.json beside them (thesis, 3.4, 4.1 and algorithm 2). The
same settings give the same bytes, also where a build was killed and started again; but for
build_cost.json, which says how long it took.
"""

import json
import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lorbms_tf.cli import command, flags, stored_config
from lorbms_tf.cli.settings import of_values
from lorbms_tf.data import dataset_file, records
from lorbms_tf.errors import UserError
from lorbms_tf.features import registry
from lorbms_tf.features.network import FeatureNetwork
from lorbms_tf.files import atomic_path, is_dir, read_json, write_json
from tfrecords_tools import (
    build_cost,
    build_report,
    engines,
    preparation,
    provenance,
    quadrant_features,
    work_folder,
)
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.work_folder import WorkFolder


def build(config: BuildConfig) -> dict[str, Any]:
    """Builds the records and returns the content of dataset.json.

    Continues where the same build was killed. Raises UserError, with one message that names the
    flag or file, for whatever the user can mend; --out then is as it was before.
    """
    work_folder.recover(config.out)
    check(config)
    engine = engines.of(config)
    stages = preparation.Stages()
    with stages("feature network"):
        network = quadrant_features.network_of(config)
    places = preparation.places_of(config)
    with preparation.hold(config, network, places) as work:
        continued = work_folder.worth_keeping(work)
        prepared = preparation.prepare(config, places, work, network, stages, engine)
        dataset = _write(config, work, network, prepared, stages, engine)
        cost = build_cost.measured(stages, config.engine, continued)
        write_json(work.records / dataset_file.COST_FILE, cost)
        with stages("publishing"):
            if not config.overwrite and _holds_files(Path(config.out)):
                raise UserError(f"--out={config.out} exists already: somebody made it meanwhile")
            work_folder.publish(work, config.out)
    print(build_report.summary(dataset, config.out, stages.seconds))
    for line in engine.told():
        print(f"  {line}")
    return dataset


def build_records(**settings: Any) -> dict[str, Any]:
    """As `python -m tfrecords_tools.build`, from Python: settings by the names of its flags.

    Returns the content of dataset.json. Raises UserError, as `build`.
    """
    return build(of_values(BuildConfig, settings))


def check(config: BuildConfig, replaces_out: bool = True) -> None:
    """Finds out before the long stages what would fail in them. Raises UserError.

    replaces_out: whether records are to lie at --out, or else only features beside it.
    """
    if not config.tfds and not is_dir(config.images):
        raise UserError(f"--images: image folder {config.images} does not exist or is not a folder")
    registry.check_quadrant_network(config.features, config.weights)
    out = work_folder.place_of(config.out)
    if not os.path.lexists(out):
        parent = next(folder for folder in out.parents if folder.exists())
        if not parent.is_dir() or not os.access(parent, os.W_OK):
            raise UserError(f"--out={out} cannot be made: {parent} is no folder to write in")
    elif not out.is_dir():
        raise UserError(f"--out={out} is a file; name a folder")
    elif os.path.ismount(out):
        raise UserError(f"--out={out} is the root of a disk: name a folder inside it")
    elif replaces_out and _holds_files(out):
        stored_config.refuse_other(out, f"--out={out}", own=stored_config.RECORDS)
        if not config.overwrite:
            raise UserError(f"--out={out} exists already: name another folder, or pass --overwrite")
        if not (out / records.DATASET_FILE).is_file():
            raise UserError(
                f"--overwrite replaces folders of records only, and --out={out} holds no "
                f"{records.DATASET_FILE}: name another folder"
            )


def _holds_files(folder: Path) -> bool:
    return folder.is_dir() and any(folder.iterdir())


def _write(
    config: BuildConfig,
    work: WorkFolder,
    network: FeatureNetwork,
    prepared: preparation.Prepared,
    stages: preparation.Stages,
    engine: engines.Engine,
) -> dict[str, Any]:
    """Records and dataset.json in the work folder, unless they are there; gives dataset.json."""
    settings = json.dumps(config.recorded(), sort_keys=True)
    if work.complete.exists() and work.complete.read_text() == settings and work.records.exists():
        return read_json(work.records / records.DATASET_FILE)
    work.complete.unlink(missing_ok=True)
    shutil.rmtree(work.records, ignore_errors=True)
    work.records.mkdir()
    found, shards = engine.records(config, work, prepared, stages)
    collected = prepared.collected
    dataset = build_report.describe(
        config, prepared.photo_counts, collected.skipped, collected.items, network, found, shards
    )
    dataset["features"] |= {
        "compared_dimension": prepared.features.shape[2],
        "explained_variance": prepared.explained,
    }
    dataset["duplicates"] = prepared.duplicates
    pixels = zip((item.photo_id for item in collected.items), collected.content_hashes, strict=True)
    dataset |= provenance.chain(dataset, provenance.source_hash(pixels))
    write_json(work.records / records.DATASET_FILE, dataset)
    with atomic_path(work.complete) as temporary:
        temporary.write_text(settings)
    return dataset


def main(argv: Sequence[str]) -> None:
    """The command: reads the flags, prints them, and builds or plans."""
    command.refuse_arguments(argv)
    config = flags.read(BuildConfig)
    print(flags.as_text(config))
    if config.dry_run:
        check(config)
        print(build_report.plan(config))
    else:
        build(config)


def console_main() -> None:
    """The entry point of the console script."""
    flags.define(BuildConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
