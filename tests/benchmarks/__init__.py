"""Measurements: run by hand, and by tests that hold figures to what was promised."""
