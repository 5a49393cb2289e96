"""Conversations: the items that a framework keeps of a dialogue, verbatim and in order."""

from .log import Conversation, Moment

__all__ = ["Conversation", "Moment"]
