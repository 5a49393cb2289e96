"""Metrics as families of series."""
