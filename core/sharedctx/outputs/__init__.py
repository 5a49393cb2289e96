"""Outputs of tools, whole in a session while a model is given their views; a budget for all of an input."""

from .kept import Outputs, Shortened, Unseen, check_view_tokens, is_retrieved, keep_conversation

__all__ = ["Outputs", "Shortened", "Unseen", "check_view_tokens", "is_retrieved", "keep_conversation"]
