"""What a search may change: what the file says, and what is wrong in it."""

import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.training import search_space
from lorbms_tf.training.search_space import Choice, Range
from tests import tiny


def read(tmp_path, text):
    path = tmp_path / "space.txt"
    path.write_text(text)
    return search_space.read(str(path), tiny.config())


class Lowest:
    """Draws the first or lowest of all there is, and notes how it was asked."""

    def __init__(self):
        self.asked = []

    def suggest_int(self, name, low, high, log=False):
        self.asked.append(("int", name, low, high, log))
        return low

    def suggest_float(self, name, low, high, log=False):
        self.asked.append(("float", name, low, high, log))
        return low

    def suggest_categorical(self, name, choices):
        self.asked.append(("categorical", name, choices))
        return choices[0]


def test_ranges_and_values_have_the_types_of_their_settings(tmp_path):
    space = read(
        tmp_path,
        "# what is tried\n"
        "generator_learning_rate = 1e-5 .. 1e-2 log  # evenly by its logarithm\n"
        "generator_updates=1..3\n"
        "lambda_adv = 0 .. 1\n\n"
        "encoder_layers = 1,1,1,0 | 2,2,1,0\n"
        "schedule = constant | cosine\n"
        "decoder_spectral_norm = true|false\n",
    )
    assert space[:3] == [
        Range("generator_learning_rate", 1e-5, 1e-2, True),
        Range("generator_updates", 1, 3, False),
        Range("lambda_adv", 0.0, 1.0, False),
    ]
    assert [one.values for one in space[3:]] == [
        ((1, 1, 1, 0), (2, 2, 1, 0)),
        ("constant", "cosine"),
        (True, False),
    ]
    drawn = Lowest()
    assert [one.value(drawn) for one in space] == [1e-5, 1, 0.0, (1, 1, 1, 0), "constant", True]
    assert [asked[0] for asked in drawn.asked] == ["float", "int", "float", *["categorical"] * 3]
    assert drawn.asked[3] == ("categorical", "encoder_layers", ("1,1,1,0", "2,2,1,0"))


@pytest.mark.parametrize(
    "line, reason",
    [
        ("colour = 1 .. 2", "'colour' is no setting"),
        ("seed = 1 | 2", "'seed' is no setting that can be searched"),
        ("lambda_adv", "line 1: 'lambda_adv' is no setting"),
        ("lambda_adv = 1 .. 0", "no range from low to high"),
        ("lambda_adv = 0 .. 1 log", "log: above 0"),
        ("lambda_adv = much .. more", "'much' is not a value of the kind float"),
        ("lambda_adv = 1", "two or more different values"),
        ("lambda_adv = 1 | 1", "two or more different values"),
        ("schedule = constant .. cosine", "schedule is no number"),
        ("schedule = constant | slow", "schedule has no value 'slow'; valid values: constant"),
        ("lambda_adv = 0 .. 1\nlambda_adv = 1 .. 2", "line 2: lambda_adv is there twice"),
        ("decoder_spectral_norm = yes | no", "'yes' is not a value of the kind bool"),
        ("# nothing", "names no setting"),
    ],
)
def test_what_is_wrong_is_told_with_its_line(tmp_path, line, reason):
    with pytest.raises(UserError, match=reason):
        read(tmp_path, line)


def test_a_choice_is_found_by_its_word():
    class Last(Lowest):
        def suggest_categorical(self, name, choices):
            return choices[-1]

    assert Choice("encoder_layers", ("1", "1,2"), ((1,), (1, 2))).value(Last()) == (1, 2)
