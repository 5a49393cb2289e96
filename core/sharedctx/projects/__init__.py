"""Projects: JSON contexts that are changed by differences of their top-level keys, each in one entry of a session."""

from .differences import Difference
from .expected import ANY, Expected
from .heads import request_of
from .leanest import Known, Leanest, leanest
from .names import check_project, check_request, key_of, project_of
from .projects import Projects, Written
from .settings import ProjectSettings
from .state import State
from .window import PRIORITIES, project_window

__all__ = [
    "ANY",
    "PRIORITIES",
    "Difference",
    "Expected",
    "Known",
    "Leanest",
    "ProjectSettings",
    "Projects",
    "State",
    "Written",
    "check_project",
    "check_request",
    "key_of",
    "leanest",
    "project_of",
    "project_window",
    "request_of",
]
