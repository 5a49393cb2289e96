"""Notes: the small working memory of one session, with the verbs list_keys, read, write and delete."""

from .dispatch import ACTIONS, handle
from .prompt import system_prompt
from .sessions import SessionManager
from .store import SharedContextStore
from .subscription import Subscription

__all__ = ["ACTIONS", "SessionManager", "SharedContextStore", "Subscription", "handle", "system_prompt"]
