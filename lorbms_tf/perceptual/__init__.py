"""Amir and Weiss, "Understanding and simplifying perceptual distances" (2021): its experiments."""
