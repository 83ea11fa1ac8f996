import pytest

from lorbms_tf.deepsim.sheet_configs import SamplesConfig
from lorbms_tf.errors import UserError


@pytest.mark.parametrize("name, value", [("columns", 0), ("measured", 1), ("seed", -1)])
def test_samples_name_the_flag_that_is_wrong(name, value):
    given = {"run_dir": "run", "photos": "photos", "out": "sheet.png"}
    SamplesConfig(**given).validate()
    with pytest.raises(UserError, match=f"--{name}={value} is not valid"):
        SamplesConfig(**given, **{name: value}).validate()
