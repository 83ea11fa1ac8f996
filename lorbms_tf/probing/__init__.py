"""Representations judged by what a simple classifier makes of them (thesis, section 4.3)."""
