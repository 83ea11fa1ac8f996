"""The thesis: learning object representations by mixing scenes."""
