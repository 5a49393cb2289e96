"""Storage backends; ``open_backend`` is the one way in, by address."""
