"""What an agent is told about the notes."""

from __future__ import annotations

from ..settings import check_bound

_KEYS = {
    "current_phase": "where the work stands",
    "problem_summary": "what is to be solved, in a few sentences",
    "scope": "what belongs to the task and what does not",
    "constraints": "limits that every agent must keep",
    "findings_summary": "what was found out so far",
    "decisions_made": "decisions with their reasons",
    "open_questions": "what is not known yet, and who could tell",
    "blocking_issues": "what stops the work",
    "next_steps": "what is to be done next, and by whom",
}


def system_prompt(*, max_value_tokens: int = 1_000, max_store_tokens: int = 10_000) -> str:
    """Return the guidance for an agent's system prompt: which keys, what to write, how to read.

    Raises ``ConfigError``.
    """
    check_bound("max_value_tokens", max_value_tokens)
    check_bound("max_store_tokens", max_store_tokens)
    keys = "\n".join(f"- {key}: {what}" for key, what in _KEYS.items())
    return f"""\
You share a small set of notes with the other agents of this session. They are the team's memory: what is not in them \
is lost at the next hand-over.

Keys (a-z, 0-9 and _, up to 64 characters); use these where they fit, and others named in the same way:
{keys}

Write
- conclusions, decisions with their reasons, identifiers and paths that others need, and what blocks you;
- no raw data, logs or file contents, no personal data or secrets, no scratch work;
- short: a value has at most {max_value_tokens} tokens, all notes together {max_store_tokens}. Rewrite a note that has \
grown, and delete what no longer holds.
- When you change a note that others write too, read it first and pass its version as expected_version. On \
VERSION_CONFLICT read again, merge, and write again.

Read
- list_keys first: it tells keys, writers, versions and sizes in tokens, at no cost; then read what your task needs.
- A higher version than the one you know means that somebody changed it."""
