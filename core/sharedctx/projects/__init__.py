"""Projects: JSON contexts that are changed by differences of their top-level keys, each in one entry of a session."""

from .differences import Difference
from .names import check_project, key_of, project_of
from .projects import Expected, Projects, Written
from .settings import ProjectSettings
from .state import State
from .window import PRIORITIES, project_window

__all__ = [
    "PRIORITIES",
    "Difference",
    "Expected",
    "ProjectSettings",
    "Projects",
    "State",
    "Written",
    "check_project",
    "key_of",
    "project_of",
    "project_window",
]
