"""Scores of mixes and chunks; one a file, arrays in, numbers out."""
