import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.perceptual.mean_config import ImageMeanConfig


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"out": ""}, "--out is required"),
        ({"images": ""}, "--problems=spatial needs --images=FOLDER"),
        ({"distances": ()}, "--distances: name at least one"),
        ({"distances": ("l2", "l3")}, "no distance 'l3'; valid names: l1, l2"),
        ({"num_problems": 1}, "--num_problems=1 is not valid: at least 2"),
        ({"num_targets": 4}, "--num_targets=4 is not valid: at least 5"),
        ({"image_size": 48}, "--image_size=48 is not valid: 16, 32, 64"),
        ({"learning_rate": float("nan")}, "--learning_rate=nan is not valid"),
        ({"mmd_sigma": 0.0}, "--mmd_sigma=0.0 is not valid"),
        ({"problems": "generator"}, "needs either --run_dir=R"),
        ({"problems": "generator", "run_dir": "r", "saved_model": "s"}, "needs either"),
    ],
)
def test_bad_settings_are_named(changes, said):
    with pytest.raises(UserError, match=said):
        ImageMeanConfig(**{"out": "o", "images": "i", **changes}).validate()


def test_good_settings():
    ImageMeanConfig(out="o", images="i").validate()
    ImageMeanConfig(out="o", problems="generator", run_dir="pretrained:scenes64").validate()
