"""Rates over a run, clipping, and what loss scaling does with gradients that overflow."""

import contextlib

import keras
import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.training import optimizers


def rates(steps, **settings):
    schedule = optimizers.rate_over_run(**{"rate": 1.0, "schedule": "constant", **settings})
    return [float(schedule(step)) for step in steps]


def test_a_constant_rate_is_a_number():
    assert optimizers.rate_over_run(0.5, 100, 0, "constant") == 0.5


def test_the_rate_rises_in_equal_steps_and_then_stays():
    made = rates(range(6), updates=100, warmup_updates=4)
    assert made == pytest.approx([0.25, 0.5, 0.75, 1.0, 1.0, 1.0])


def test_a_half_cosine_follows_the_warm_up_and_ends_at_zero():
    made = rates([0, 1, 2, 6, 10, 11], updates=10, warmup_updates=2, schedule="cosine")
    assert made == pytest.approx([0.5, 1.0, 1.0, 0.5, 0.0, 0.0], abs=1e-6)
    assert rates([0, 5, 10], updates=10, warmup_updates=0, schedule="cosine") == pytest.approx(
        [1.0, 0.5, 0.0], abs=1e-6
    )


def built(groups=((0.0, 0.0), (0.0,)), **settings):
    """An optimizer of plain numbers, which are zero; Adam moves each by its rate at first."""
    variables = [[keras.Variable(value) for value in group] for group in groups]
    optimizer = optimizers.Adam(0.1, epsilon=1e-12, **settings)
    optimizer.build([variable for group in variables for variable in group])
    return optimizer, variables


def moments(optimizer):
    return [float(v.value) for v in optimizer.variables if v.path.endswith("momentum")]


def test_gradients_are_clipped_network_by_network():
    optimizer, variables = built(clip_norm=1.0)
    norms = optimizer.update([tf.constant(3.0), tf.constant(4.0), tf.constant(0.5)], variables)
    assert [float(norm) for norm in norms] == pytest.approx([5.0, 0.5])
    # The first moment is a tenth of the clipped gradient: 3/5 and 4/5 of the first network's.
    assert moments(optimizer) == pytest.approx([0.06, 0.08, 0.05])


def test_without_a_limit_gradients_stay_as_they_are():
    optimizer, variables = built()
    optimizer.update([tf.constant(3.0), tf.constant(4.0), tf.constant(0.5)], variables)
    assert moments(optimizer) == pytest.approx([0.3, 0.4, 0.05])
    assert float(optimizer.output_gradient) == 1.0


def scaled(optimizer, *gradients):
    return [gradient * optimizer.output_gradient for gradient in map(tf.constant, gradients)]


def test_scaled_gradients_count_unscaled():
    optimizer, variables = built(scale_loss=True)
    assert float(optimizer.output_gradient) == optimizers.INITIAL_LOSS_SCALE
    norms = optimizer.update(scaled(optimizer, 3.0, 4.0, 0.5), variables)
    assert [float(norm) for norm in norms] == pytest.approx([5.0, 0.5])
    assert moments(optimizer) == pytest.approx([0.3, 0.4, 0.05])


@pytest.mark.parametrize("bad", [np.inf, np.nan])
def test_an_overflow_changes_nothing_but_the_scale(bad):
    optimizer, variables = built(scale_loss=True)
    norms = optimizer.update(scaled(optimizer, 3.0, bad, 0.5), variables)
    assert [float(norm) for norm in norms] == [0.0, 0.0]
    assert moments(optimizer) == [0.0, 0.0, 0.0] and int(optimizer.iterations) == 0
    assert [float(v.value) for group in variables for v in group] == [0.0, 0.0, 0.0]
    assert float(optimizer.output_gradient) == optimizers.INITIAL_LOSS_SCALE / 2


def test_the_scale_is_doubled_after_good_updates_in_a_row(monkeypatch):
    monkeypatch.setattr(optimizers, "GROWTH_STEPS", 3)
    optimizer, variables = built(scale_loss=True)
    for gradient, expected in [(1.0, 1), (1.0, 1), (np.inf, 0.5), (1.0, 0.5), (1.0, 0.5), (1.0, 1)]:
        optimizer.update(scaled(optimizer, gradient, 1.0, 1.0), variables)
        scale = float(optimizer.output_gradient) / optimizers.INITIAL_LOSS_SCALE
        assert scale == expected
    assert int(optimizer.iterations) == 5


def test_in_a_graph_an_overflow_is_left_out_too():
    optimizer, variables = built(scale_loss=True)
    step = tf.function(lambda g: optimizer.update([g, g, g], variables), autograph=False)
    step(tf.constant(np.inf))
    assert moments(optimizer) == [0.0, 0.0, 0.0]
    step(optimizer.output_gradient)
    assert moments(optimizer) == pytest.approx([0.1, 0.1, 0.1])
    assert int(optimizer.iterations) == 1


def test_the_scale_is_among_the_variables_that_checkpoints_hold():
    plain, with_scale = (built(scale_loss=scale)[0] for scale in (False, True))
    assert len(with_scale.variables) == len(plain.variables) + 2
    assert any(v is with_scale.loss_scale for v in with_scale.variables)


@pytest.mark.parametrize("epsilon", [1e-8, 1e-7, 1e-2])
def test_updates_are_those_of_the_formula(epsilon):
    """Kingma and Ba (2015), section 2's second form, in float64, on gradients large and tiny."""
    rate, beta_1, beta_2 = 0.1, 0.5, 0.999
    gradients = np.array([[3.0, 1e-6, -2e-7], [-1.0, 2e-6, 1e-8], [0.5, -1e-6, 3e-8]])
    weights, first, second = np.zeros((3, 3))
    variables = [keras.Variable(0.0) for _ in range(3)]
    optimizer = optimizers.Adam(rate, epsilon=epsilon, beta_1=beta_1, beta_2=beta_2)
    optimizer.build(variables)
    for step, gradient in enumerate(gradients, start=1):
        first = beta_1 * first + (1 - beta_1) * gradient
        second = beta_2 * second + (1 - beta_2) * gradient**2
        length = rate * np.sqrt(1 - beta_2**step) / (1 - beta_1**step)
        weights = weights - length * first / (np.sqrt(second) + epsilon)
        optimizer.update([tf.constant(g, tf.float32) for g in gradient], [variables])
        made = [float(variable.value) for variable in variables]
        np.testing.assert_allclose(made, weights, rtol=1e-4)


@pytest.mark.parametrize("strategy", [None, tf.distribute.OneDeviceStrategy])
def test_updates_are_those_of_keras(strategy):
    strategy = strategy and strategy("CPU:0")  # two devices: test_strategy.py

    def weights(make):
        with strategy.scope() if strategy else contextlib.nullcontext():
            variables = [keras.Variable(np.ones((3, 2), np.float32)), keras.Variable(0.5)]
            optimizer = make()
            optimizer.build(variables)

        def step(scale):
            gradients = [scale * tf.reshape(tf.range(6.0) - 2, (3, 2)), scale * 1e-3]
            if isinstance(optimizer, optimizers.Adam):
                optimizer.update(gradients, [variables])
            else:
                optimizer.apply(gradients, variables)

        run = (lambda scale: strategy.run(step, args=(scale,))) if strategy else step
        graph = tf.function(run, autograph=False)
        for scale in (1.0, -0.5, 2.0):
            graph(tf.constant(scale))
        return [variable.numpy() for variable in variables]

    ours = weights(lambda: optimizers.Adam(0.1))
    theirs = weights(lambda: keras.optimizers.Adam(0.1, epsilon=1e-8))
    for made, expected in zip(ours, theirs, strict=True):
        np.testing.assert_allclose(made, expected, rtol=1e-5)


def test_the_epsilon_is_tensorflow_1s_unless_told():
    variable = keras.Variable(0.0)
    optimizer = optimizers.Adam(0.1)
    optimizer.build([variable])
    optimizer.update([tf.constant(1e-8)], [[variable]])
    # sqrt(v) is 1e-8 * sqrt(0.001); against Keras's 1e-7 the move would be a tenth as long.
    root = 1e-8 * np.sqrt(0.001)
    assert float(variable.value) == pytest.approx(-0.1 * root / (root + 1e-8), rel=1e-3)


def test_steps_fall_to_a_tenth_twice():
    rate = optimizers.rate_over_run(1.0, 100, 0, "steps")
    rates = [float(rate(step)) for step in (0, 34, 35, 69, 70, 99)]
    np.testing.assert_allclose(rates, [1, 1, 0.1, 0.1, 0.01, 0.01], rtol=1e-6)
    warmed = optimizers.rate_over_run(1.0, 100, 10, "steps")
    rates = [float(warmed(step)) for step in (0, 9, 34, 35, 70)]
    np.testing.assert_allclose(rates, [0.1, 1, 1, 0.1, 0.01], rtol=1e-5)


def test_sgd_steps_down_the_gradient_with_momentum():
    weight = keras.Variable(np.array([1.0, 2.0], np.float32))
    sgd = optimizers.Sgd(0.1, momentum=0.5)
    sgd.build([weight])
    for _ in range(2):
        norms = sgd.update([tf.constant([3.0, 4.0])], [[weight]])
    np.testing.assert_allclose(weight.numpy(), [1 - 0.3 - 0.45, 2 - 0.4 - 0.6], rtol=1e-6)
    assert float(norms[0]) == 5.0
