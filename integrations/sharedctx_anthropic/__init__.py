"""Shared notes for loops over Anthropic's messages, and its memory tool over a session; the SDK is not needed."""

from .loop import handle_tool_use, process_response, tool_definition
from .memory import MemoryTool

__all__ = ["MemoryTool", "handle_tool_use", "process_response", "tool_definition"]
