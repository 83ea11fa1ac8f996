from tfrecords_tools.notes import NUM_EXAMPLES, Notes
from tfrecords_tools.photo_counts import AnnotatedCounts, Counts, printable


def test_reasons_are_counted_with_some_names_and_unreadable_ones_by_kind():
    counts = Counts(read=20)
    for number in range(NUM_EXAMPLES + 2):
        counts.drop("too small", f"{number}.jpg")
    counts.drop("unreadable: truncated (7 bytes are missing)", "cut.jpg")
    counts.drop("unreadable: no picture", "a.txt")
    counts.locked = ["b", "a"]
    assert counts.result(kept=11) == {
        "read": 20,
        "kept": 11,
        "dropped": {"too small": NUM_EXAMPLES + 2, "unreadable": 2},
        "examples": {
            "too small": [f"{number}.jpg" for number in range(NUM_EXAMPLES)],
            "unreadable": ["cut.jpg", "a.txt"],
        },
        "unreadable": {
            "truncated": {"photos": 1, "examples": ["cut.jpg (7 bytes are missing)"]},
            "no picture": {"photos": 1, "examples": ["a.txt"]},
        },
        "locked": {"folders": 2, "examples": ["a", "b"]},
    }


def test_nothing_dropped_is_told_in_few_words():
    plain = {"read": 3, "kept": 3, "dropped": {}, "examples": {}}
    assert Counts(3).result(3) == plain
    assert AnnotatedCounts(3, Notes()).result(3) == plain


def test_what_was_odd_in_annotations_is_told():
    notes = Notes()
    notes.add("boxes without an area", "7")
    assert AnnotatedCounts(1, notes).result(1)["annotations"] == notes.as_json() != {}


def test_names_that_are_not_utf_8_are_escaped():
    assert printable("gr\u00fcn.jpg") == "gr\u00fcn.jpg"
    assert printable(b"gr\xfcn.jpg".decode("utf-8", "surrogateescape")) == "gr\\udcfcn.jpg"
