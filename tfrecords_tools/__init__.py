"""Tools that make the data: synthetic scenes, and TFRecords with scene-mixing candidates."""
