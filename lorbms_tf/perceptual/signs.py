"""What it looks like where super-resolution has gone wrong, and what to do about it."""

CONTRAST = "contrast/upscaled"  # of what is made, in shares of that of the photos
JUDGED = (CONTRAST,)
_FLAT = 0.1

# What to say -> (values by name, arrays over steps -> bool over steps).
SIGNS = {
    "what is made is flat: the network has stopped to learn; lower --learning_rate": (
        lambda values: values[CONTRAST] < _FLAT
    ),
}
