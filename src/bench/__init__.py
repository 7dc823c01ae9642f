"""Measurements: how fast, how robust."""
