"""What does the work of a build: this process, or Apache Beam (`tfrecords_tools.distributed`)."""

from collections.abc import Iterable, Sequence
from typing import Any, Protocol

from lorbms_tf.cli import command
from lorbms_tf.data import records
from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork
from tfrecords_tools import assemble, image_chunks, neighbours, sources
from tfrecords_tools.build_config import BuildConfig
from tfrecords_tools.feature_store import FeatureFile
from tfrecords_tools.items import Collected
from tfrecords_tools.neighbours import Neighbours
from tfrecords_tools.sources import Photo
from tfrecords_tools.work_folder import WorkFolder


class Engine(Protocol):
    """The stages that an engine does in its own way, all with the same results.

    What lies in the work folder between them is the same too: one engine continues what another
    has begun. Prepared and Stages are those of `preparation`.
    """

    def check(
        self, work: WorkFolder, photos: list[Photo], min_size: int, num_workers: int
    ) -> Iterable[tuple[Photo, str]]:
        """Reads photos, as `sources.check_all` does."""

    def images(
        self,
        config: BuildConfig,
        work: WorkFolder,
        features: FeatureFile,
        photos: Sequence[Photo],
        network: FeatureNetwork,
    ) -> Collected:
        """Fills `features`, and the folder of chunks, as `image_chunks.compute` does."""

    def records(
        self, config: BuildConfig, work: WorkFolder, prepared: Any, stages: Any
    ) -> tuple[Neighbours, list[dict[str, Any]]]:
        """Clusters, neighbours and shards, these in work.records and as dataset.json has them."""

    def told(self) -> list[str]:
        """Lines for the end of the summary."""


class Local:
    """All in this process, with threads."""

    def check(self, work, photos, min_size, num_workers):
        return sources.check_all(photos, min_size, num_workers)

    def images(self, config, work, features, photos, network):
        return image_chunks.compute(config, work.chunks, features, photos, network)

    def records(self, config, work, prepared, stages):
        features, items = prepared.features, prepared.collected.items
        with stages("clusters"):
            clustered = neighbours.cluster_all(
                features, config.num_clusters, config.seed, work.keep
            )
        with stages("neighbours"):
            found = neighbours.search_all(
                features, clustered, prepared.identity, records.NUM_CANDIDATES, work.keep
            )
        with stages("records"):
            shards = assemble.write_shards(
                work.records,
                config.prefix,
                config.num_shards,
                items,
                found.indices,
                found.distances,
                config.image_size,
                config.seed,
            )
        return found, shards

    def told(self):
        return []


def of(config: BuildConfig) -> Engine:
    """The engine that --engine names. UserError where it is not installed or its flags are bad."""
    if config.engine == "local":
        return Local()
    try:
        from tfrecords_tools.distributed.engine import Beam
    except ModuleNotFoundError as error:
        if (error.name or "").split(".")[0] != "apache_beam":
            raise
        raise UserError(f"--engine=beam needs Apache Beam: {command.install('beam')}") from error
    return Beam(config.beam_flags)
