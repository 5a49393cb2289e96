"""A play performed over the plain table of tools, for agents without a tool loop of their own."""

from __future__ import annotations

from sharedctx.tools import call

from ..script import Call, Script, colleague
from .part import Part


def perform(part: Part, said: str) -> str:
    """Read the report of the agent before this one and sign the board; returns the last words."""
    part.wait_for(part.upstream)
    script = Script(colleague(part.member.role, said, part.upstream))
    answers: list[str] = []
    while not isinstance(made := script.turn(answers), str):
        answers = [_answer(part, one) for one in made]
    part.say(step="conferred")
    return made


def _answer(part: Part, one: Call) -> str:
    return call(part.me, one.tool, one.arguments).text
