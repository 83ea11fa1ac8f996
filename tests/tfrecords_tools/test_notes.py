import json
import os

from tfrecords_tools import notes


def test_counts_and_a_few_examples():
    odd = notes.Notes()
    assert odd.as_json() == {} and notes.note_lines(odd.as_json()) == []
    for number in range(7):
        odd.add("empty boxes", f"box {number}")
    odd.add("odd files", os.fsdecode(b"caf\xe9.xml"))
    stored = json.loads(json.dumps(odd.as_json(), ensure_ascii=False))
    assert stored["empty boxes"] == {"number": 7, "examples": [f"box {n}" for n in range(5)]}
    assert notes.note_lines(stored) == [
        "7 empty boxes (box 0, box 1, box 2, ...)",
        "1 odd files (caf\\udce9.xml)",
    ]
