"""What was found odd in input that is used all the same: how often, with examples."""

from collections.abc import Mapping
from typing import Any

NUM_EXAMPLES = 5  # that are remembered for each reason
NUM_SHOWN = 3


class Notes:
    """Counts by reason; a reason is what the counted things are, in the plural."""

    def __init__(self):
        self._reasons: dict[str, dict[str, Any]] = {}

    def add(self, reason: str, example: str) -> None:
        """Counts one more thing, by name."""
        note = self._reasons.setdefault(reason, {"number": 0, "examples": []})
        note["number"] += 1
        if len(note["examples"]) < NUM_EXAMPLES:
            # What is not UTF-8 is written as escapes, so that it can be printed.
            note["examples"].append(example.encode("utf-8", "backslashreplace").decode())

    def as_json(self) -> dict[str, Any]:
        """{reason: {"number": n, "examples": [names]}}; empty where nothing was odd."""
        return self._reasons


def note_lines(notes: Mapping[str, Any]) -> list[str]:
    """Of what `Notes.as_json` gives: "2 empty boxes (annotation 7, annotation 9)", ..."""
    texts = []
    for reason, note in notes.items():
        shown = note["examples"][:NUM_SHOWN]
        more = ["..."] if note["number"] > len(shown) else []
        texts.append(f"{note['number']} {reason} ({', '.join(shown + more)})")
    return texts
