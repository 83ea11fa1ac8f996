"""Which engine a build gets."""

import sys

import pytest

from lorbms_tf.errors import UserError
from tests.tfrecords_tools.making import build_config, siblings
from tfrecords_tools import build, engines


def test_this_process_is_the_default(photos):
    assert isinstance(engines.of(build_config(photos)), engines.Local)


def test_a_missing_extra_is_named_before_any_work(photos, monkeypatch):
    for name in [*sys.modules]:
        if name.startswith("tfrecords_tools.distributed"):
            monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "apache_beam", None)  # an import then fails
    with pytest.raises(UserError, match=r"pip install .*\[beam\]'"):
        build.build(build_config(photos, engine="beam"))
    assert siblings(photos) == ["photos"]


def test_flags_for_another_engine_are_refused(photos):
    with pytest.raises(UserError, match="--beam_flags is for --engine=beam, not --engine=local"):
        build_config(photos, beam_flags="--runner=DirectRunner").validate()


def test_the_engine_is_no_part_of_what_records_are(photos):
    beam = build_config(photos, engine="beam", beam_flags="--runner=FlinkRunner")
    assert beam.recorded() == build_config(photos).recorded()
