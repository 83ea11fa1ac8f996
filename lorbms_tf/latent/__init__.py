"""Codes and the paths between them."""
