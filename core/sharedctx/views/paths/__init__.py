"""Paths and listings of them as trees."""
