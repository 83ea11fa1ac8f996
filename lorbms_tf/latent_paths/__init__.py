"""Paths between codes on which every step changes the picture equally much (seed 002, Laine)."""
