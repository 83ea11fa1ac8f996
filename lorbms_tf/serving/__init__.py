"""Trained models for TensorFlow Serving."""
