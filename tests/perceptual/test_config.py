import pytest

from lorbms_tf.errors import UserError
from tests import tiny


@pytest.mark.parametrize(
    "changes, said",
    [
        ({"image_size": 30}, "--image_size=30 is not valid: a multiple of 4, at least 16"),
        ({"image_size": 12}, "--image_size=12 is not valid"),
        ({"channels": 1}, "--method=superres needs 3"),
        ({"distance": "l3"}, "--distance: no distance 'l3'; valid names: l1, l2"),
        ({"blocks": 0}, "--blocks=0 is not valid: at least 1"),
        ({"halvings": -1}, "--halvings=-1 is not valid"),
        ({"pixel_weight": float("inf")}, "--pixel_weight=inf is not valid"),
        ({"batch_size": 0}, "--batch_size=0 is not valid"),
        ({"mmd_patch": 2}, "--mmd_patch=2 is not valid"),
    ],
)
def test_bad_settings_are_named(changes, said):
    tiny.superres_config().validate()
    with pytest.raises(UserError, match=said):
        tiny.superres_config(**changes).validate()
