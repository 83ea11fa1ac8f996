"""A run that starts from another run's networks."""

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints, initial_weights, loop, planning, run_directory
from tests import tiny
from tests.training.making import config

pytestmark = pytest.mark.usefixtures("eagerly")


def arrays(model):
    return {name: v.numpy() for name, v in checkpoints.model_variables(model).items()}


def saved(folder, **changes):
    """A run directory of random weights, and its model."""
    made = tiny.config(run_dir=str(folder), **changes)
    run_directory.prepare(made)
    model = Lorbms(made, seed=1)
    model.compile_optimizers()
    for variable in model.averaged[0].variables if model.averaged else ():
        variable.assign(variable + 1.0)
    checkpoints.Checkpoints(folder / run_directory.CHECKPOINTS, model).save(tiny.STEP)
    return model


def same(one, two):
    return all(np.array_equal(one[name], two[name]) for name in one)


def test_a_run_starts_from_the_networks_of_another_and_then_goes_on(pattern, tmp_path):
    source = saved(tmp_path / "source")
    made = config(pattern, tmp_path / "run", init_from=str(tmp_path / "source"), max_steps=1)
    run = loop.Run(planning.plan(made))
    assert run.first_step == 0
    assert same(arrays(source), arrays(run.model))
    assert int(run.model.generator_optimizer.iterations) == 0
    run.train()
    trained = arrays(run.model)
    assert not same(arrays(source), trained)
    assert same(trained, arrays(loop.Run(planning.plan(made)).model))  # not from the source again
    assert run_directory.read_config(made.run_dir).init_from == made.init_from


def test_averages_are_taken_where_there_are_any_and_begin_as_their_networks(tmp_path):
    source = saved(tmp_path / "averaged", ema_decay=0.9)
    plain = Lorbms(tiny.config(), seed=2)
    initial_weights.load(plain, str(tmp_path / "averaged"))
    there, here = arrays(source), arrays(plain)
    assert np.array_equal(here["encoder/0"], there["averaged_encoder/0"])
    assert not np.array_equal(here["encoder/0"], there["encoder/0"])
    assert np.array_equal(here["classifier/0"], there["classifier/0"])
    saved(tmp_path / "plain")
    averaged = Lorbms(tiny.config(ema_decay=0.9), seed=2)
    initial_weights.load(averaged, str(tmp_path / "plain"))
    found = arrays(averaged)
    assert np.array_equal(found["averaged_encoder/0"], found["encoder/0"])


@pytest.mark.parametrize(
    "changes, words",
    [
        ({"chunk_size": 8}, "its encoder has other sizes .* there, .* here.; take the sizes of"),
        ({"decoder_spectral_norm": False}, "its decoder has other sizes"),
    ],
)
def test_other_sizes_are_told(tmp_path, changes, words):
    saved(tmp_path / "source")
    with pytest.raises(UserError, match=f"--init_from=.*source: {words}"):
        initial_weights.load(Lorbms(tiny.config(**changes)), str(tmp_path / "source"))


def test_what_is_no_run_is_told_before_anything_is_made(pattern, tmp_path):
    for name in (str(tmp_path / "nothing"), "pretrained:nothing"):
        made = config(pattern, tmp_path / "run", init_from=name)
        with pytest.raises(UserError, match=f"^--init_from={name}.* no "):
            planning.plan(made)
    (tmp_path / "begun").mkdir()
    run_directory.prepare(tiny.config(run_dir=str(tmp_path / "begun")))
    made = config(pattern, tmp_path / "run", init_from=str(tmp_path / "begun"))
    with pytest.raises(UserError, match="--init_from=.*there is no checkpoint"):
        planning.plan(made)
    assert not (tmp_path / "run").exists()


def test_a_damaged_checkpoint_is_told(tmp_path):
    saved(tmp_path / "source")
    (data,) = (tmp_path / "source" / "checkpoints").glob("*.data-*")
    data.write_bytes(data.read_bytes()[: data.stat().st_size // 2])
    with pytest.raises(UserError, match="--init_from=.* is damaged"):
        initial_weights.load(Lorbms(tiny.config()), str(tmp_path / "source"))
