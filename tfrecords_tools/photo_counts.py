"""How many source photos were read, kept and dropped, and why, with some of their names."""

from typing import Any

from tfrecords_tools.notes import NUM_EXAMPLES, Notes


class Counts:
    """How many photos were read and kept, and how many dropped for each reason."""

    def __init__(self, read: int):
        self.read = read
        self.dropped: dict[str, int] = {}
        self.examples: dict[str, list[str]] = {}
        self.unreadable: dict[str, dict[str, Any]] = {}
        self.locked: list[str] = []  # folders

    def drop(self, fault: str, name: str) -> None:
        """Counts a photo that is dropped: "REASON" or "REASON: KIND (DETAILS)", and its name."""
        reason, _, detail = fault.partition(": ")
        self.dropped[reason] = self.dropped.get(reason, 0) + 1
        names = self.examples.setdefault(reason, [])
        if len(names) < NUM_EXAMPLES:
            names.append(printable(name))
        if detail:
            self._tell(detail, name)

    def _tell(self, detail: str, name: str) -> None:
        kind, _, more = detail.partition(" (")
        of_kind = self.unreadable.setdefault(kind, {"photos": 0, "examples": []})
        of_kind["photos"] += 1
        if len(of_kind["examples"]) < NUM_EXAMPLES:
            of_kind["examples"].append(printable(name) + (f" ({more}" if more else ""))

    def result(self, kept: int) -> dict[str, Any]:
        """The counts, ready for JSON, as `sources.load` returns them."""
        counts = {
            "read": self.read,
            "kept": kept,
            "dropped": self.dropped,
            "examples": self.examples,
        }
        if self.unreadable:
            counts["unreadable"] = self.unreadable
        if self.locked:
            names = sorted(map(printable, self.locked))
            counts["locked"] = {"folders": len(names), "examples": names[:NUM_EXAMPLES]}
        return counts


class AnnotatedCounts(Counts):
    """The same with "annotations": what was odd in them, as `Notes.as_json` gives it."""

    def __init__(self, read: int, notes: Notes):
        super().__init__(read)
        self.notes = notes

    def result(self, kept: int) -> dict[str, Any]:
        """The same with "annotations"."""
        odd = self.notes.as_json()
        return {**super().result(kept), **({"annotations": odd} if odd else {})}


def printable(name: str) -> str:
    """A name whose bytes that are not UTF-8 are written as escapes: it can be printed."""
    return name.encode("utf-8", "backslashreplace").decode()
