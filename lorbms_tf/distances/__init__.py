"""Distances between pictures that have gradients: Amir and Weiss (2021), and their relatives."""
