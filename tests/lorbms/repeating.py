"""What a checkpoint is for: the step after it is the same in a model that is read from it."""

from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.training import checkpoints


def assert_next_step_repeats(model, batch, folder):
    """Saves a model of seed 3 in a folder, and compares a step of it with one of another model."""
    kept = checkpoints.Checkpoints(folder, model)
    kept.save(1)
    first = {k: float(v) for k, v in model.train_step(batch).items()}
    again = Lorbms(model.config, seed=4)
    again._seed = 3  # what is drawn in a step follows from the seed of the run
    again.compile_optimizers()
    checkpoints.Checkpoints(folder, again).restore()
    assert {k: float(v) for k, v in again.train_step(batch).items()} == first
