"""Numbers and settings as people read them."""

import json
import math
from collections.abc import Mapping


def count(value: float) -> str:
    """1234567 -> "1,234,567"; "–" where not finite."""
    return f"{value:,.0f}" if math.isfinite(value) else "–"


def short(value: float) -> str:
    """Three significant digits and no exponent: 0.794, 16,000, 0.00012; "–" where not finite."""
    if not math.isfinite(value):
        return "–"
    if value == 0:
        return "0"
    digits = 2 - math.floor(math.log10(abs(value)))
    return f"{round(value, digits):,.{max(0, min(digits, 9))}f}"


def tick(value: float) -> str:
    """A round number at an axis, without needless zeros: 0.2, 1,500, 2e+12, 5e-09."""
    if value and not 1e-6 <= abs(value) < 1e9:
        return f"{value:.3g}"
    return f"{value:,.10f}".rstrip("0").rstrip(".")


def percent(share: float, digits: int = 1) -> str:
    """0.1234 -> "12.3 %"."""
    return f"{100 * share:.{digits}f} %" if math.isfinite(share) else "–"


def size(number: float) -> str:
    """Bytes as "980 B", "12.3 MB", "4.56 GB"."""
    for unit, factor in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if number >= factor:
            return f"{number / factor:.3g} {unit}"
    return f"{number:.0f} B"


def flatten(values: Mapping, before: str = "") -> list[tuple[str, str]]:
    """Nested settings as lines: {"a": {"b": 1}} -> [("a.b", "1")]."""
    rows = []
    for key, value in values.items():
        name = f"{before}{key}"
        if isinstance(value, Mapping):
            rows += flatten(value, f"{name}.")
        else:
            text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
            rows.append((name, text if text != "" else "–"))
    return rows
