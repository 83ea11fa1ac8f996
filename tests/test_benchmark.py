"""Every benchmark on a tiny model: fields and sanity of the JSON line, never a time."""

import dataclasses
import importlib.util
import json
import math

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf import benchmark
from lorbms_tf.benchmark import DistancesConfig, InputConfig
from lorbms_tf.benchmarks import batch_speed, distance_speed, input_speed, machine
from lorbms_tf.data import index_making, records
from lorbms_tf.distances import distance_config
from lorbms_tf.errors import UserError
from lorbms_tf.features import named_distances
from lorbms_tf.lorbms.benchmarks import mix_latency, serve
from lorbms_tf.lorbms.benchmarks.settings import BenchmarkConfig
from lorbms_tf.lorbms.method import METHOD
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from tests import tiny
from tests.distances.pictures import photo


def config(**changes):
    sizes = dataclasses.asdict(tiny.config())
    quick = {"steps": 1, "calls": 2, "matrix_side": 32, "batch_size": 2}
    return BenchmarkConfig(**{**sizes, **quick, **changes})


@pytest.fixture
def eagerly():
    """Without graphs, whose tracing would take far longer than the steps."""
    with tiny.eagerly():
        yield


def measure(subcommand, config):
    if subcommand == benchmark.INPUT:
        return benchmark.measure_input(METHOD, config, InputConfig(steps=1, seconds=0.0))
    return benchmark.measure(subcommand, METHOD, config)


def positive(value) -> bool:
    if isinstance(value, dict):
        return bool(value) and all(positive(entry) for entry in value.values())
    return math.isfinite(value) and value > 0


@pytest.mark.parametrize("parts", [1, 2])
def test_train_step(eagerly, parts):
    made = measure("train_step", config(attribute_parts=parts))
    json.dumps(made, allow_nan=False)
    for name in (
        "images_per_s", "seconds_per_step", "seconds_per_update", "first_call_seconds",
        "peak_memory_gb", "threads", "float32_matrix_flops", "share_of_matrix_rate",
        "multiply_adds_per_image",
    ):  # fmt: skip
        assert positive(made[name]), name
    phases = {"generator", "discriminator", "classifier"}
    assert set(made["seconds_per_update"]) == set(made["updates_per_step"]) == phases
    assert made["device"] and made["precision"] == "float32" and made["batch_size"] == 2
    operations = 2.0 * made["multiply_adds_per_image"]["iteration"] * made["images_per_s"]
    assert made["share_of_matrix_rate"] == pytest.approx(operations / made["float32_matrix_flops"])


def test_input(eagerly, glob, monkeypatch):
    monkeypatch.setattr(input_speed, "_LONG_EPOCH", 11)
    made = measure("input", config(records=glob))
    json.dumps(made, allow_nan=False)
    assert set(made["records_per_s"]) == {"batch_4"}  # of 5 records
    rates = made["records_per_s"]["batch_4"]
    assert set(rates) == {"as_it_is", "decoding_all", "loose_files"}
    assert positive(rates) and made["records"] == 5 and positive(made["resume_seconds"])
    assert 0 <= made["share_of_step_waiting"] <= 1
    ratio = rates["as_it_is"] / rates["loose_files"]
    assert made["times_loose_files"] == {"batch_4": pytest.approx(ratio)}


def test_input_of_any_data(eagerly, glob):
    made_for = config(records=glob)
    data, model = METHOD.data(made_for), METHOD.model(made_for, 1)
    made = batch_speed.measure(made_for, data, model, steps=1, seconds=0.0)
    json.dumps(made, allow_nan=False)
    assert positive(made["references_per_s"]) and 0 <= made["share_of_step_waiting"] <= 1
    assert made["benchmark"] == "input" and made["batch_size"] == 2


def test_of_a_record_little_more_than_five_images_is_read(tmp_path):
    glob = tiny.write_records(tmp_path, 40, draw=tiny.noise)
    index = index_making.open_index(records.find_shards(glob))
    read = input_speed.bytes_a_record(index, config(batch_size=2), batches=400)
    _, rows = index.take(np.arange(40))
    five, whole = 5 * rows["size"].mean(), rows["length"].mean()
    assert 0.8 * five < read < 2 * five < whole / 3


def test_other_ways_to_read_give_the_same_kind_of_batch(glob, tmp_path):
    shards = records.find_shards(glob)
    for dataset in (
        input_speed.decoding_all(shards, config()),
        input_speed.loose_files(list(input_speed.write_files(shards, tmp_path)), config()),
    ):
        reference, candidates = next(iter(dataset))
        assert reference.shape == (2, 32, 32, 3) and candidates.shape == (2, 4, 32, 32, 3)
        assert -1 <= float(tf.reduce_min(candidates)) < float(tf.reduce_max(candidates)) <= 1
    assert len(list(tmp_path.rglob("*.jpg"))) == 5 * 41


@pytest.mark.parametrize("exported", [False, True])
def test_mix_latency(exported, tmp_path, monkeypatch):
    monkeypatch.setattr(mix_latency, "BATCH_SIZES", (1, 3))
    if exported:
        model = Lorbms(tiny.config())
        for version in ("2", "10"):
            tf.saved_model.save(
                served := saved_model.ServedModel(model), str(tmp_path / version),
                signatures=served.functions,
            )  # fmt: skip
    made = measure("mix_latency", config(export_dir=str(tmp_path) if exported else ""))
    json.dumps(made, allow_nan=False)
    for name in ("mix", "decode"):
        assert set(made[name]) == {"batch_1", "batch_3"} and positive(made[name])
        for times in made[name].values():
            assert times["median_ms"] <= times["p95_ms"]


@pytest.mark.extras
def test_serve(monkeypatch):
    monkeypatch.setattr(serve, "CLIENTS", (1, 2))
    monkeypatch.setattr(serve, "BATCH_SIZES", (1,))
    made = measure("serve", config())
    json.dumps(made, allow_nan=False)
    assert set(made["requests"]) == {"mix_bytes", "decode_bytes"}
    for rates in made["requests"].values():
        assert positive(rates) and set(rates) == {"body_bytes", "clients_1", "clients_2"}
    assert set(made["milliseconds"]) == {"mix", "decode"}
    for batches in made["milliseconds"].values():
        assert positive(batches) and set(batches) == {"batch_1"}
        times = batches["batch_1"]
        ratio = times["tensorflow"] / times["onnxruntime"]
        assert times["times_onnxruntime"] == pytest.approx(ratio) and times["python"] > 0


def test_serve_without_the_packages_of_the_server(monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(UserError, match="needs the package uvicorn: .*pip install .*serve"):
        measure("serve", config(export_dir="e"))


def test_distance(monkeypatch, eagerly):
    monkeypatch.setattr(distance_speed, "SIDES", (32,))
    monkeypatch.setattr(distance_speed, "BATCH", 1)
    names = ("mmd", distance_config.TO_CONV2_2)
    made = benchmark.measure_distances(DistancesConfig(distances=names, calls=2))
    json.dumps(made, allow_nan=False)
    assert set(made["seconds"]) == set(names) and positive(made["seconds"])
    seconds = [made["seconds"][name]["32px"] for name in names]
    ratio = made["mmd_times_vgg16_to_conv2_2"]["32px"]
    assert ratio == pytest.approx(seconds[0] / seconds[1])
    with pytest.raises(UserError, match="--distances: no distance 'speed'"):
        DistancesConfig(distances=("speed",)).validate()


@pytest.mark.extras
def test_plain_forms_in_pytorch_give_our_distances():
    torch = pytest.importorskip("torch")
    from lorbms_tf.benchmarks import torch_distances

    torch.manual_seed(0)
    settings = distance_config.DistanceConfig(mmd_features=4096, vgg16_weights="none")
    forms = torch_distances.forms(("mmd", "vgg16", "l2"), settings, threads=1)
    assert set(forms) == {"mmd", "vgg16"}
    pair = photo(0, 32, 2), photo(1, 32, 2)
    for form in forms.values():
        gradient = np.asarray(form(*pair, 0))
        assert gradient.shape == (2, 3, 32, 32) and np.isfinite(gradient).all()
    exact = named_distances.make("mmd_exact", settings)(*pair)
    channels_first = [torch.from_numpy(p.transpose(0, 3, 1, 2).copy()) for p in pair]
    found = torch_distances._mmd(settings)(*channels_first)
    np.testing.assert_allclose(found, exact, rtol=0.1)


@pytest.mark.parametrize(
    "subcommand, changes, reason",
    [
        ("input", {"records": ""}, "--records is required"),
        ("input", {"records": "nowhere/*"}, "no record files match"),
        ("mix_latency", {"export_dir": "nowhere"}, "--export_dir=nowhere holds no exported model"),
    ],
)
def test_what_cannot_be_measured(subcommand, changes, reason):
    with pytest.raises(UserError, match=reason):
        measure(subcommand, config(**changes))


@pytest.mark.parametrize("words", [["benchmark"], ["benchmark", "speed"]])
def test_unknown_benchmarks_are_refused_with_the_valid_ones(words):
    with pytest.raises(UserError, match="train_step, input, mix_latency, serve, distance"):
        benchmark.main(words)


@pytest.mark.parametrize("name", ["steps", "calls", "matrix_side"])
def test_settings_are_checked(name):
    with pytest.raises(UserError, match=f"--{name}=0"):
        config(**{name: 0}).validate()
    if name == "steps":
        with pytest.raises(UserError, match="--steps=0"):
            InputConfig(steps=0).validate()


def test_a_matrix_rate_is_a_rate():
    assert positive(machine.matrix_rate(16, repetitions=1)) and machine.threads() >= 1


def test_the_json_line_is_short():
    made = benchmark._rounded({"a": {"b": 1.23456789}, "c": 3, "d": "name", "e": 1.0e9 / 3})
    assert made == {"a": {"b": 1.2346}, "c": 3, "d": "name", "e": 333330000.0}
