from tfrecords_tools.report import score_section
from tfrecords_tools.scoring.measures import Comparison, Estimate, Shape
from tfrecords_tools.scoring.scorecard import Scorecard


def card(labels, photos=500, notes=None):
    one = Comparison(*[Estimate(0.5, 0.1)] * 3, by_rank=[0.5] * 10, references=9)
    shape = Shape(0.1, 12, 0.3, 0.4)
    looks = {"colour_distance": one, "edges_distance": one}
    named = {name: one for name in labels}
    return Scorecard(named, looks, shape, shape, 500, 500, 0, photos, notes or {})


def test_every_row_says_which_end_is_better():
    text = score_section.scores(card(["category", "area_overlap"]))
    assert text.count(">higher</td>") == 3  # two by labels, one of the graph
    assert text.count(">lower</td>") == 5
    assert score_section.scores(card([])).count(">higher</td>") == 1


def test_cautions_are_in_it():
    assert "caution" not in score_section.scores(card([]))
    notes = {"empty <boxes>": {"number": 2, "examples": ["a", "b"]}}
    text = score_section.scores(card(["category"], photos=60, notes=notes))
    assert "only 60 photos" in text and "may be off by up to 5.0 %" in text
    assert "annotations: 2 empty &lt;boxes&gt; (a, b)" in text
