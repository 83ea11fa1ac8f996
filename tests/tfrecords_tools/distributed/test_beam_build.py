"""The build on Apache Beam: the same files as the local path makes, to the byte."""

import shutil

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from lorbms_tf.features.network import FeatureNetwork
from tests.tfrecords_tools import making
from tests.tfrecords_tools.making import build_config, content, siblings
from tfrecords_tools import build, image_chunks, items, neighbours, sources

pytestmark = pytest.mark.extras  # what needs Apache Beam is imported by the tests themselves

TWO_PROCESSES = (
    "--runner=DirectRunner --direct_num_workers=2 --direct_running_mode=multi_processing"
)
REDUCED = {"pca": 2, "l2_normalize": True, "feature_dtype": "float16"}


class Killed(BaseException):
    """Nothing catches it, as nothing catches SIGKILL."""


@pytest.fixture(autouse=True)
def small_pieces(monkeypatch):
    """Several chunks, blocks and parts also of few photos."""
    monkeypatch.setattr(image_chunks, "photos_in_chunk", lambda num_versions: 4)
    monkeypatch.setattr("tfrecords_tools.distributed.photos.BLOCK", 5)
    monkeypatch.setattr("tfrecords_tools.distributed.assembly.PART", 4)


def by_both(photos, **changes):
    """The files that the local path and Beam make of the same photos."""
    made = []
    for name in ("local", "beam"):
        out = photos.parent / f"by_{name}"
        flags = {**changes, "beam_flags": changes.get("beam_flags", "") if name == "beam" else ""}
        build.build(build_config(photos, out=str(out), engine=name, **flags))
        made.append(content(out))
    return made


@pytest.mark.parametrize(
    "changes",
    [
        {"versions": "tr_v5"},
        {"versions": "original,flip", "num_clusters": 2, **REDUCED},
        {"sample_photos": 12, "near_duplicates": -1, "num_shards": 1, "prefix": "x", "seed": 5},
    ],
    ids=lambda changes: "-".join(changes),
)
def test_the_files_of_the_local_path(photos, quick_features, changes):
    local, beam = by_both(photos, **changes)
    assert len(local) == changes.get("num_shards", 3) + 1
    assert beam == local
    assert siblings(photos) == ["by_beam", "by_local", "photos"]


def test_clusters_of_a_single_image_are_left(photos, quick_features, capsys):
    local, beam = by_both(photos, num_clusters=14)
    assert beam == local
    assert "counted by Beam: searches that left their cluster: 56" in capsys.readouterr().out


def test_bad_photos_and_copies_are_counted_as_ever(photos, quick_features, capsys):
    whole = (photos / "p000.png").read_bytes()
    (photos / "cut.png").write_bytes(whole[: len(whole) // 2])
    (photos / "text.jpg").write_text("no image")
    Image.new("RGB", (1, 40)).save(photos / "thin.png")
    shutil.copy(photos / "p001.png", photos / "copy.png")
    local, beam = by_both(photos, versions="original,flip")
    assert beam == local and b'"unreadable": 2' in beam["dataset.json"]
    told = capsys.readouterr().out
    for line in (
        "photos read: 18",
        "photos dropped: unreadable: 2",
        "photos dropped: smaller than 16 px: 1",
        "images made: 30",
        "quadrants assigned: 120",
        "searches: 120",
        "records written: 30",
        "shards written: 3",
    ):
        assert f"counted by Beam: {line}\n" in told
    assert "2 unreadable (cut.png, text.jpg), 1 smaller than 16 px (thin.png)" in told


def test_a_photo_that_breaks_after_the_filter(photos, quick_features, third_breaks, capsys):
    local, beam = by_both(photos, versions="original,flip", num_clusters=2)
    assert beam == local and b"p003.png: missing" in beam["dataset.json"]
    assert "counted by Beam: photos skipped later: 1\n" in capsys.readouterr().out


def test_two_processes(photos):
    local, beam = by_both(photos, versions="original,flip", beam_flags=TWO_PROCESSES)
    assert beam == local


def test_the_portable_job_server(photos, quick_features, tmp_path):
    from apache_beam.runners.portability import local_job_service

    server = local_job_service.LocalJobServicer(str(tmp_path / "staged"))
    port = server.start_grpc_server()
    try:
        flags = (
            f"--runner=PortableRunner --job_endpoint=localhost:{port} --environment_type=LOOPBACK"
        )
        local, beam = by_both(photos, num_clusters=2, beam_flags=flags)
    finally:
        server.stop()
    assert beam == local


def test_too_few_photos(tmp_path, quick_features):
    ten = making.write_photos(tmp_path / "ten", 10)
    with pytest.raises(UserError, match="too few photos: 10 photos found.*at least 11"):
        build.build(build_config(ten, engine="beam"))
    assert siblings(ten) == ["ten"]


def test_an_out_that_exists_is_left_alone(photos, quick_features):
    making.write_photos(photos.parent / "out", 1)
    before = content(photos.parent / "out")
    with pytest.raises(UserError, match="exists already"):
        build.build(build_config(photos, engine="beam"))
    assert content(photos.parent / "out") == before


def test_what_a_worker_says_to_the_user_arrives(photos, quick_features, monkeypatch):
    def broken(self, quadrants):
        return np.full((len(quadrants), 3), np.nan, np.float32)

    monkeypatch.setattr(FeatureNetwork, "__call__", broken)
    with pytest.raises(UserError, match="^the features of an image are not finite"):
        build.build(build_config(photos, engine="beam"))
    assert not (photos.parent / "out").exists()


def die(*args, **kwargs):
    raise Killed


@pytest.mark.parametrize("first, second", [("beam", "local"), ("local", "beam"), ("beam", "beam")])
def test_one_engine_continues_what_another_has_begun(
    photos, quick_features, monkeypatch, first, second
):
    changes = {"versions": "original,flip", "num_clusters": 2, **REDUCED}
    build.build(build_config(photos, out=str(photos.parent / "whole"), **changes))
    with monkeypatch.context() as patch:
        patch.setattr("tfrecords_tools.distributed.engine._fit", die)
        patch.setattr(neighbours, "cluster_all", die)
        with pytest.raises(Killed):
            build.build(build_config(photos, engine=first, **changes))
    monkeypatch.setattr(items, "cut", die)
    monkeypatch.setattr(sources, "fault", die)
    build.build(build_config(photos, engine=second, **changes))
    assert content(photos.parent / "out") == content(photos.parent / "whole")


def test_chunks_that_workers_have_finished_are_not_made_again(photos, quick_features, monkeypatch):
    build.build(build_config(photos, out=str(photos.parent / "whole")))
    read, calls = image_chunks.read, []

    def dying(*args, **kwargs):
        calls.append(1)
        if len(calls) == 2:  # one chunk is where the local path has it, others wait for that
            raise Killed
        return read(*args, **kwargs)

    with monkeypatch.context() as patch:
        patch.setattr(image_chunks, "read", dying)
        with pytest.raises(Killed):
            build.build(build_config(photos, engine="beam"))
    monkeypatch.setattr(items, "cut", die)
    build.build(build_config(photos, engine="beam"))
    assert content(photos.parent / "out") == content(photos.parent / "whole")


def test_a_job_server_that_does_not_answer(photos, quick_features):
    flags = "--runner=PortableRunner --job_endpoint=localhost:1 --job_server_timeout=1"
    with pytest.raises(UserError, match="the job server of .*localhost:1 .*does not answer"):
        build.build(build_config(photos, engine="beam", beam_flags=flags))


@pytest.mark.parametrize(
    "flags, message",
    [
        ("--runner=NoRunner", "--runner=NoRunner: .*NoRunner"),
        ("--direct_num_workers=some", "--direct_num_workers=some cannot be read"),
        ("runner=DirectRunner", "runner=DirectRunner is no flag"),
        ("--runner='DirectRunner", "cannot be read: No closing quotation"),
    ],
)
def test_bad_flags_are_one_message(flags, message):
    from tfrecords_tools.distributed import jobs

    with pytest.raises(UserError, match=message):
        jobs.Jobs(flags)
