"""What agents can do: one table of tools, their names for models, how much one reads at once, and all as one tool."""

from .table import TOOLS, Answer, Argument, Tool, call

__all__ = ["TOOLS", "Answer", "Argument", "Tool", "call"]
