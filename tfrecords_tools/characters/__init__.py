"""Characters as if written by hand: drawn from the strokes of digits and letters."""
