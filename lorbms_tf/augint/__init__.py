"""Augmentation-interpolative autoencoders (Wertheimer, Poursaeed and Hariharan): seed 003."""
