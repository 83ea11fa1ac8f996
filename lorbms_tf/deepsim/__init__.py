"""Dosovitskiy and Brox, "Generating images with perceptual similarity metrics" (2016): DeePSiM."""
