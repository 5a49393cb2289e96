"""Shared notes for loops over OpenAI's chat completions and Responses; the SDK is not needed."""

from .loop import handle_tool_call, process_response, tool_definition

__all__ = ["handle_tool_call", "process_response", "tool_definition"]
