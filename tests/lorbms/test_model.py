"""The training step: who is updated when, how often, and what stays bit-identical."""

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.lorbms import objective
from lorbms_tf.lorbms.config import ModelConfig
from lorbms_tf.lorbms.method import parameter_rows
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints
from lorbms_tf.training.method import parameter_table
from tests import tiny


@pytest.fixture
def model():
    made = Lorbms(tiny.config(), seed=3)
    made.compile_optimizers()
    return made


def snapshot(model):
    return {
        name: [v.value.numpy() for v in network.variables]
        for name, network in model.networks._asdict().items()
    }


def changed(before, after):
    return {
        name
        for name in before
        if any(not np.array_equal(a, b) for a, b in zip(before[name], after[name], strict=True))
    }


def test_each_phase_changes_its_own_networks_and_no_other_bit(model):
    batch, start = tiny.random_batch(), snapshot(model)
    scene = model._update_generator(batch, {})
    after_generator = snapshot(model)
    assert changed(start, after_generator) == {"encoder", "decoder"}
    model._update_discriminator(scene, {})
    after_discriminator = snapshot(model)
    assert changed(after_generator, after_discriminator) == {"discriminator"}
    model._update_classifier(scene, {})
    assert changed(after_discriminator, snapshot(model)) == {"classifier"}


def test_discriminator_and_classifier_see_the_scene_of_the_last_generator_update(monkeypatch):
    seen = {"forward": [], "discriminator_loss": [], "classifier_loss": []}

    def spy(name, pick):
        real = getattr(objective, name)

        def wrapper(*arguments):
            result = real(*arguments)
            seen[name].append(pick(arguments, result))
            return result

        monkeypatch.setattr(objective, name, wrapper)

    spy("forward", lambda arguments, result: result.mix.numpy())
    for name in ("discriminator_loss", "classifier_loss"):
        spy(name, lambda arguments, result: arguments[1].mix.numpy())
    model = Lorbms(tiny.config(generator_updates=2, generator_learning_rate=1e-2), seed=3)
    model.compile_optimizers()
    model.train_step(tiny.random_batch())
    first, last = seen["forward"]
    assert not np.allclose(first, last, atol=1e-4)
    for name in ("discriminator_loss", "classifier_loss"):
        (mix,) = seen[name]
        np.testing.assert_array_equal(mix, last)


def test_each_optimizer_has_its_own_rate_and_the_betas():
    rates = {"generator": 1e-3, "discriminator": 2e-3, "classifier": 4e-3}
    model = Lorbms(
        tiny.config(
            generator_updates=1,
            adam_beta_1=0.25,
            adam_beta_2=0.75,
            adam_epsilon=1e-12,
            **{f"{name}_learning_rate": rate for name, rate in rates.items()},
        )
    )
    model.compile_optimizers()
    for name, rate in rates.items():
        optimizer = getattr(model, f"{name}_optimizer")
        assert float(optimizer.learning_rate) == pytest.approx(rate)
        assert (optimizer.beta_1, optimizer.beta_2) == (0.25, 0.75)
        assert optimizer.epsilon == 1e-12
    # Adam's first update moves every weight by its rate, whatever the betas are.
    before = [[v.value.numpy() for v in n.trainable_variables] for n in model.networks]
    model.train_step(tiny.random_batch())
    expected = [rates[n] for n in ("generator", "generator", "discriminator", "classifier")]
    for network, old, rate in zip(model.networks, before, expected, strict=True):
        moves = [
            np.abs(v.value.numpy() - o).max()
            for v, o in zip(network.trainable_variables, old, strict=True)
        ]
        assert max(moves) == pytest.approx(rate, rel=1e-2), network.name


def test_updates_are_two_to_one_to_one(model):
    optimizers = (
        model.generator_optimizer,
        model.discriminator_optimizer,
        model.classifier_optimizer,
    )
    before = [int(o.iterations) for o in optimizers]
    model.train_step(tiny.random_batch())
    made = [int(o.iterations) - b for o, b in zip(optimizers, before, strict=True)]
    assert made == [2, 1, 1]


def test_step_returns_finite_losses_and_accuracies(model):
    values = {k: float(v) for k, v in model.train_step(tiny.random_batch()).items()}
    assert all(np.isfinite(v) for v in values.values())
    assert 1 <= values["mix/replaced_quadrants"] <= 3
    for name, value in values.items():
        assert not name.startswith("accuracy/") or 0 <= value <= 1
    for name in ("generator", "reconstruction", "adversarial", "discriminator", "classifier"):
        assert f"loss/{name}" in values


@pytest.fixture(scope="module")
def traced_once():
    """A model, its step as a graph, and its variables: shared, for tracing takes many seconds."""
    model = Lorbms(tiny.config(generator_learning_rate=1e-2), seed=5)
    model.compile_optimizers()
    variables = {**checkpoints.model_variables(model), **checkpoints.optimizer_variables(model)}
    start = {name: variable.numpy() for name, variable in variables.items()}
    return model, tf.function(model.train_step, autograph=False), variables, start


@pytest.fixture
def traced(traced_once):
    """A model as it was made, whatever other tests did to it, and its step as a graph."""
    model, step, variables, start = traced_once
    for name, variable in variables.items():
        variable.assign(start[name])
    return model, step


def test_graph_and_eager_steps_agree(traced):
    model, step = traced
    # The second update sees what the first one did, and Adam's makes much of rounding.
    model.generator_optimizer.learning_rate = 1e-4
    eager = Lorbms(model.config, seed=6)
    eager.compile_optimizers()
    for variables in (checkpoints.model_variables, checkpoints.optimizer_variables):
        for name, variable in variables(eager).items():
            variable.assign(variables(model)[name])
    batch = tiny.random_batch()
    in_graph, values = step(batch), eager.train_step(batch)
    assert in_graph.keys() == values.keys()
    for name, value in values.items():
        assert float(in_graph[name]) == pytest.approx(float(value), rel=1e-3, abs=1e-4), name


def test_steps_learn_to_reconstruct_what_is_simple(traced):
    step = traced[1]
    batch = tiny.random_batch()
    for name in ("reference", "candidates"):  # one grey, which the last bias alone can give
        batch[name] = tf.fill(batch[name].shape, 0.5)
    first = float(step(batch)["loss/reconstruction"])
    for _ in range(40):
        last = float(step(batch)["loss/reconstruction"])
    assert first > 0.8  # the untrained make black of it, twice: reconstruction and cycle
    assert last < 0.3


def test_mix_equals_render_for_the_same_mask(model):
    batch = tiny.random_batch(3)
    mask, reconstruction, mix = model.render(*batch.values())
    np.testing.assert_allclose(
        model.mix(batch["reference"], batch["candidates"], mask), mix, atol=1e-6
    )
    np.testing.assert_allclose(
        model.decode(model.encode(batch["reference"])), reconstruction, atol=1e-6
    )


@pytest.mark.parametrize("half", ["mixed_bfloat16", "mixed_float16"])
def test_sixteen_bits_train_float32_weights_as_float32_does(half):
    batch = tiny.random_batch()
    logs = {}
    for precision in ("float32", half):
        model = Lorbms(tiny.config(), seed=3, precision=precision)
        model.compile_optimizers()
        logs[precision] = [model.train_step(batch) for _ in range(2)][-1]
        assert {v.dtype for v in model.variables} <= {"float32", "int32"}
        assert float(logs[precision]["gradient_norm/encoder"]) > 0  # no update was left out
        assert {value.dtype for value in logs[precision].values()} == {tf.float32}
    for name in ("loss/generator", "loss/reconstruction", "loss/discriminator"):
        assert float(logs[half][name]) == pytest.approx(float(logs["float32"][name]), rel=0.02)


def averaging_model():
    model = Lorbms(tiny.config(ema_decay=0.5, generator_updates=1), seed=3)
    model.compile_optimizers()
    return model


def test_the_average_follows_the_generator():
    model = averaging_model()
    batch = tiny.random_batch()
    start = [v.value.numpy() for v in model.generator[0].variables]
    for v, average in zip(model.encoder.variables, start, strict=True):
        np.testing.assert_array_equal(v.value.numpy(), average)
    expected = start
    for step in (1, 2):
        model.train_step(batch)
        decay = (1 + step) / (10 + step)  # at first less than the 0.5 asked for
        present = [v.value.numpy() for v in model.encoder.variables]
        expected = [decay * e + (1 - decay) * p for e, p in zip(expected, present, strict=True)]
        averaged = [v.value.numpy() for v in model.generator[0].variables]
        for made, hoped in zip(averaged, expected, strict=True):
            np.testing.assert_allclose(made, hoped, atol=1e-7)
        assert any(not np.array_equal(a, p) for a, p in zip(averaged, present, strict=True))
    assert not any(v.trainable for network in model.generator for v in network.variables)


def test_the_average_makes_pictures_and_the_generator_is_trained():
    model = averaging_model()
    batch = tiny.random_batch()
    before = [x.numpy() for x in model.render(*batch.values())[1:]]
    for v in model.encoder.variables + model.decoder.variables:
        v.assign(v.value + 0.1)
    for old, new in zip(before, model.render(*batch.values())[1:], strict=True):
        np.testing.assert_array_equal(old, new)
    for v in model.generator[1].variables:
        v.assign(v.value + 0.1)
    assert not np.allclose(before[0], model.render(*batch.values())[1])


def test_without_an_average_the_generator_makes_its_own_pictures(model):
    assert model.generator == (model.encoder, model.decoder)
    assert list(model.saved_networks) == ["encoder", "decoder", "discriminator", "classifier"]


@pytest.mark.parametrize("norm", [1, 2])
def test_an_autoencoder_step_moves_encoder_and_decoder_alone_towards_the_references(norm):
    model = Lorbms(tiny.config(reconstruction_norm=norm), seed=3)
    model.compile_optimizers()
    batch = tiny.random_batch()
    before = [[v.numpy() for v in network.variables] for network in model.networks]
    error = np.abs(model(batch["reference"]).numpy() - batch["reference"].numpy())
    logs = model.autoencoder_step(batch)
    assert float(logs["loss/autoencoder"]) == pytest.approx(np.mean(error**norm), rel=1e-3)
    same = [
        all(
            np.array_equal(old, new.numpy())
            for old, new in zip(values, network.variables, strict=True)
        )
        for values, network in zip(before, model.networks, strict=True)
    ]
    assert same == [False, False, True, True]
    later = [float(model.autoencoder_step(batch)["loss/autoencoder"]) for _ in range(3)]
    assert later[-1] < float(logs["loss/autoencoder"])


def test_rates_stay_in_the_autoencoder_steps_and_fall_after_them():
    model = Lorbms(tiny.config(autoencoder_steps=3, generator_updates=2))
    model.compile_optimizers(total_steps=5, schedule="cosine")
    schedule = model.generator_optimizer._learning_rate
    assert [float(schedule(step)) for step in (0, 2, 3, 5, 7)] == pytest.approx(
        [2e-4, 2e-4, 2e-4, 1e-4, 0.0], abs=1e-9
    )


def test_cosine_schedule_ends_at_zero_and_counts_generator_updates():
    model = Lorbms(tiny.config())
    model.compile_optimizers(total_steps=2, schedule="cosine")
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(2e-4)
    for _ in range(2):
        model.train_step(tiny.random_batch())
    assert float(model.generator_optimizer.learning_rate) == pytest.approx(0.0, abs=1e-10)
    assert float(model.discriminator_optimizer.learning_rate) == pytest.approx(0.0, abs=1e-10)


def test_table_3_6_of_the_thesis():
    table = parameter_table(parameter_rows(Lorbms(ModelConfig())))
    # The thesis says 660 of the encoder: what its 3x3 convolution adds, 2 px, is not in there.
    assert [line.split(maxsplit=2) for line in table.splitlines()] == [
        ["discriminator", "1,188,391", "sees 46 px"],
        ["generator", "8,100,851"],
        ["encoder", "2,800,512", "sees 662 px"],
        ["decoder", "5,300,339", "sees 23 cells of the code"],
        ["classifier", "45,355,044", "sees 124 px"],
        ["total", "54,644,286"],
    ]


def test_strided_widths_replace_the_dense_blocks_and_nothing_else():
    batch = tiny.random_batch()
    model = Lorbms(tiny.config(strided_widths=(3, 4, 5), ema_decay=0.9), seed=3)
    model.compile_optimizers()
    start = snapshot(model)
    with tiny.eagerly():
        logs = model.train_step(batch)
    assert all(np.isfinite(value) for value in logs.values())
    assert changed(start, snapshot(model)) == {
        "encoder", "decoder", "discriminator", "classifier",
    }  # fmt: skip
    codes = model.encode(batch["reference"])
    assert codes.shape == (len(batch["reference"]), 2, 2, 4)
    assert model.decode(codes).shape == batch["reference"].shape
