"""Command lines: how doors start, settings as flags, processes that doors start."""
