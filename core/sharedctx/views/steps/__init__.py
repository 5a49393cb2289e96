"""Transcripts of agents as steps: what was said, done and observed, line by line."""
