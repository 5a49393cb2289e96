"""Skeletons of source code: which lines of a program matter most to someone who reads it for the first time."""
