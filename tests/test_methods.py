"""What every method keeps, whatever it trains: the promises of `lorbms_tf.training.method`.

A new method adds itself to `method_examples.EXAMPLES`. Its commands are in
`test_method_commands.py`. That two devices learn what one learns is tested in
`tests/training/test_strategy.py`, in a process of its own, for every method too.
"""

import dataclasses
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf
from PIL import Image

from lorbms_tf import methods, render, report
from lorbms_tf.distances.distance_config import DistanceConfig
from lorbms_tf.errors import UserError
from lorbms_tf.evaluation import lines
from lorbms_tf.evaluation.scores import gathered
from lorbms_tf.serving import saved_model
from lorbms_tf.training import checkpoints, loop, planning, run_directory
from tests import tiny
from tests.method_examples import EXAMPLES
from tests.pages.reading import Reader

ROOT = Path(__file__).resolve().parents[1]
STEPS, BEFORE = 5, 2  # of a whole run, and of one that goes on to as many


def test_every_method_has_an_example():
    assert set(EXAMPLES) == set(methods.names())


@pytest.fixture(scope="module", params=methods.names())
def name(request):
    return request.param


@pytest.fixture(scope="module")
def place(tmp_path_factory, name):
    return tmp_path_factory.mktemp(name)


@pytest.fixture(scope="module")
def given(place, name):
    """The settings that name the data."""
    return EXAMPLES[name].write_data(place / "data")


def train(name, given, run_dir, steps):
    config = EXAMPLES[name].config(
        **given, run_dir=str(run_dir), batch_size=2, max_steps=steps, epochs=9, sample_rows=2,
        log_every_steps=1, checkpoint_every_steps=2, seed=3,
    )  # fmt: skip
    with tiny.eagerly():
        run = loop.Run(planning.plan(config))
        done = run.train()
    return run, done


@pytest.fixture(scope="module")
def run(name, given, place):
    """A run of `STEPS` steps without a break."""
    return train(name, given, place / "whole", STEPS)[0]


def values(model):
    """Everything that a run needs to go on, by name."""
    named = {**checkpoints.model_variables(model), **model.state}
    for name, optimizer in model.optimizers_by_name.items():
        named |= {f"{name} {i}": variable for i, variable in enumerate(optimizer.variables)}
    return {name: np.array(variable) for name, variable in named.items()}


def bits(array):
    return array.astype("S").tobytes() if array.dtype == object else array.tobytes()


def same(first, second):
    assert first.keys() == second.keys() and first
    different = [name for name in first if bits(first[name]) != bits(second[name])]
    assert not different


def test_a_run_that_stopped_goes_on_bit_for_bit(run, name, given, place):
    begun, done = train(name, given, place / "parts", BEFORE)
    assert done == BEFORE
    before = values(begun.model)
    again, done = train(name, given, place / "parts", STEPS)
    assert done == STEPS - BEFORE
    same(values(run.model), values(again.model))
    weights = values(run.model)
    assert any(bits(before[key]) != bits(weights[key]) for key in weights)


@pytest.fixture(scope="module")
def batch(run):
    return next(iter(run.plan.data.held_out(4)()))


@pytest.fixture(scope="module")
def made(run, batch):
    with tiny.eagerly():
        return run.model.infer(batch)


def test_inference_changes_nothing_and_draws_nothing(run, batch, made):
    before = values(run.model)
    with tiny.eagerly():
        again = run.model.infer(batch)
    same(before, values(run.model))
    same(*({key: np.asarray(value) for key, value in one.items()} for one in (made, again)))


def test_held_out_batches_are_the_same_at_each_call(run):
    batches = run.plan.data.held_out(4)
    first, second = ([dict(batch) for batch in batches()] for _ in range(2))
    assert len(first) == len(second) == 2
    for one, other in zip(first, second, strict=True):
        same(*({key: np.asarray(value) for key, value in b.items()} for b in (one, other)))


def test_every_picture_draws(run, batch, made):
    assert run.plan.method.pictures
    for name, draw in run.plan.method.pictures.items():
        low, high = draw(batch, made).convert("L").getextrema()
        assert low < high, name
    samples = run.folder / run_directory.SAMPLES
    assert (samples / "step_00000000.png").is_file()


def test_every_score_is_finite(run):
    scores, batches = run.plan.method.scores(), run.plan.data.held_out(4)
    assert run.plan.config.best_metric in scores
    reads = [name for score in scores.values() for name in score.reads]
    compact = [name for score in scores.values() for name in score.compact]
    with tiny.eagerly():
        arrays = gathered(run.model.infer, batches(), reads, compact)
    for name, score in scores.items():
        assert np.isfinite(score.of(arrays)), name


def test_the_export_computes_what_the_model_infers(run, name, batch, made, place):
    example, folder = EXAMPLES[name], place / "export" / "1"
    assert saved_model.write(run.model, folder) < 1e-4
    served = example.serve(tf.saved_model.load(str(folder)).signatures, batch, made)
    assert served
    for key, value in served.items():
        np.testing.assert_allclose(value, made[key], atol=1e-4, err_msg=key)


def test_every_signature_says_what_it_takes(run):
    for name, one in run.model.signatures().items():
        assert one.inputs and one.networks, name
        given = one.examples(np.random.default_rng(0), 3)
        assert [spec.name for spec in one.inputs] == list(given)
        for spec in one.inputs:
            assert spec.shape[0] is None and spec.is_compatible_with(given[spec.name]), name


def test_every_sheet_draws(run, name, given, place):
    settings = EXAMPLES[name].sheets(given, place)
    assert set(settings) == set(run.plan.method.sheets)
    for sheet, values in settings.items():
        kind, out = run.plan.method.sheets[sheet].config, place / f"{sheet}.png"
        config = kind(run_dir=str(run.folder), out=str(out), cell=32, **values)
        config.validate()
        with tiny.eagerly():
            assert render.render(run.plan.method.sheets[sheet], config) == out
        with Image.open(out) as picture:
            low, high = picture.convert("L").getextrema()
        assert low < high and run.plan.method.sheets[sheet].says, sheet


def asked(run):
    """The settings of an evaluation of the run on its held-out data."""
    evaluation = run.plan.method.evaluation
    data = {flag: value for flag, value in run.plan.data.held_out_flags().items() if value}
    known = {field.name for field in dataclasses.fields(evaluation.config)}
    assert set(data) <= known
    config = evaluation.config(run_dir=str(run.folder), batch_size=4, **_typed(evaluation, data))
    config.validate()
    return config


def _typed(evaluation, values):
    """Values of flags, as the settings have them."""
    fields = {field.name: field.default for field in dataclasses.fields(evaluation.config)}
    return {name: type(fields[name])(value) for name, value in values.items()}


def test_an_evaluation_gives_finite_scores_that_it_knows(run):
    evaluation, config = run.plan.method.evaluation, asked(run)
    evaluation.check(config)
    origin = evaluation.origin(config)
    assert {"run_dir", "dataset_hash", "seed", "limit"} <= set(origin) and lines.source(origin)
    with tiny.eagerly():
        values = evaluation.measure(config).values
    assert values["step"] == STEPS and values["records"] == 8 and "missing" not in values
    names = evaluation.names(config)
    assert names and lines.score_names([{**origin, **values}]) == list(names)
    for score in names:
        assert np.isfinite(values[score]) and evaluation.score(score).shown(values[score]), score
    line = json.loads(lines.text(origin, values))
    assert lines.answers(line, origin, names, evaluation.conditions(config))
    assert evaluation.score("no_such_score") is None
    with pytest.raises(UserError, match="no metric 'no_such_score'; valid names: "):
        evaluation.check(dataclasses.replace(config, metrics=("no_such_score",)))


def test_the_page_on_a_run_shows_its_scores_pictures_and_settings(run, place):
    method, config, out = run.plan.method, asked(run), place / "report.html"
    with tiny.eagerly():
        report.report(method, config, report.ReportConfig(out=str(out), rows=2, cell=32))
    page = Reader(out.read_text("utf-8"))
    words = " ".join(page.text)
    for expected in ("Scores", "Configuration", "--batch_size", "after step 5", "parameters"):
        assert expected in words, expected
    for score in method.evaluation.names(config):
        assert method.evaluation.score(score).says in words
    assert any(link.startswith("data:image/jpeg") for link in page.links)
    assert "cannot be computed" not in words and "not here" not in words


def test_what_a_run_leaves_opens_again(run, name):
    model, config = run_directory.load_model(str(run.folder))
    assert config == run.plan.config and config.method == name
    trained, opened = (checkpoints.model_variables(one) for one in (run.model, model))
    same(*({key: np.array(one[key]) for key in opened} for one in (trained, opened)))


def test_data_tell_themselves_apart(run):
    data = run.plan.data
    assert data.fingerprint and data.held_out_fingerprint() and data.held_out_flags()
    json.dumps([data.fingerprint, data.held_out_fingerprint()])
    assert data.description() and data.steps_per_epoch == 4


def test_what_is_judged_and_shortened_is_logged(run):
    method, logged = run.plan.method, set()
    for path in (run.folder / run_directory.LOGS).glob("events*"):
        for event in tf.compat.v1.train.summary_iterator(str(path)):
            logged |= {value.tag for value in event.summary.value}
    assert method.judged and set(method.judged) <= logged
    assert any(name in logged for name in method.short_names)
    for path in method.variants:
        assert (ROOT / path).is_file(), path


def test_a_run_of_before_there_were_methods_is_of_the_first(run_dir, tmp_path):
    """And opens: its configuration has no method, and no setting that came later."""
    folder = tmp_path / "old"
    shutil.copytree(run_dir, folder)
    path = folder / "config.json"
    values = json.loads(path.read_text())
    later = {"method", "init_from", "perceptual", "lambda_perceptual", "perceptual_autoencoder"}
    later |= {"pause_discriminator"}
    later |= {field.name for field in dataclasses.fields(DistanceConfig)}
    assert later <= set(values)
    path.write_text(json.dumps({name: v for name, v in values.items() if name not in later}))
    assert run_directory.read_config(str(folder)).method == methods.DEFAULT
    assert run_directory.method_of(str(folder)) is methods.get(methods.DEFAULT)
    model, _ = run_directory.load_model(str(folder))
    images = np.zeros((1, tiny.IMAGE_SIZE, tiny.IMAGE_SIZE, 3), np.float32)
    former, _ = run_directory.load_model(run_dir)
    np.testing.assert_array_equal(model.encode(images), former.encode(images))
