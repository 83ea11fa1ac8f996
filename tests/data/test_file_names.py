import os

import pytest

from lorbms_tf.data.file_names import skeleton


@pytest.mark.parametrize(
    ("a", "b", "alike"),
    [
        ("a.png", "a.png", True),
        ("sub/\u00fc.png", "sub/u\u0308.png", True),  # composed and decomposed
        ("\u00c9.JPG", "e\u0301.jpg", True),
        ("sub\\a.png", "sub/a.png", True),
        ("./sub//a.png", "sub/a.png", True),
        ("STRASSE.png", "stra\u00dfe.png", True),
        ("e.png", "\u00e9.png", False),
        ("a.png", "a.jpg", False),
        ("sub/a.png", "a.png", False),
        ("a b.png", "ab.png", False),
    ],
)
def test_names_that_look_alike(a, b, alike):
    assert (skeleton(a) == skeleton(b)) == alike


def test_bytes_that_are_no_text():
    name = os.fsdecode(b"CAF\xe9.png")
    assert skeleton(name) == skeleton(name.lower()) != skeleton("cafe.png")
