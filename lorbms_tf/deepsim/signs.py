"""What it looks like where an inversion has gone wrong, and what to do about it."""

CONTRAST = "contrast/output"  # of what is drawn, in shares of that of the photos
JUDGED = (CONTRAST,)
_FLAT = 0.02

# What to say -> (values by name, arrays over steps -> bool over steps).
SIGNS = {
    "what is drawn is flat: the generator has stopped to learn; lower --learning_rate": (
        lambda values: values[CONTRAST] < _FLAT
    ),
}
