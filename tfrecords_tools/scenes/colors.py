"""Colours of the drawn scenes: names, mixing, jitter, contrast. A colour is (r, g, b) in 0..255."""

import colorsys

Color = tuple[float, float, float]

NAMED: dict[str, Color] = {
    "red": (222, 52, 48),
    "orange": (245, 132, 31),
    "yellow": (252, 204, 44),
    "green": (62, 168, 76),
    "forest": (28, 112, 66),
    "teal": (18, 165, 160),
    "blue": (40, 104, 222),
    "navy": (36, 58, 128),
    "purple": (132, 72, 196),
    "pink": (240, 98, 160),
    "brown": (150, 92, 52),
    "grey": (128, 134, 148),
    "black": (52, 52, 66),
    "cream": (252, 240, 214),
}
WHITE: Color = (252, 250, 245)
INK: Color = (44, 42, 58)


def mix(a: Color, b: Color, share: float) -> Color:
    """The colour `share` of the way from `a` (0) to `b` (1)."""
    return tuple(x + (y - x) * share for x, y in zip(a, b, strict=True))


def lighten(color: Color, share: float) -> Color:
    """Towards warm white by `share` in 0..1."""
    return mix(color, (255, 252, 240), share)


def darken(color: Color, share: float) -> Color:
    """Towards a cool dark by `share` in 0..1; cooler than black, so that shadows stay colourful."""
    return mix(color, (24, 18, 56), share)


def rounded(color: Color) -> tuple[int, int, int]:
    """The nearest 8-bit colour."""
    return tuple(int(min(max(round(c), 0), 255)) for c in color)


def shifted(color: Color, hue: float, value: float) -> Color:
    """Turns the hue by `hue` (share of the colour circle); multiplies the brightness by `value`."""
    h, s, v = colorsys.rgb_to_hsv(*(c / 255.0 for c in color))
    turned = colorsys.hsv_to_rgb((h + hue) % 1.0, s, min(v * value, 1.0))
    return tuple(255.0 * c for c in turned)


def contrast(a: Color, b: Color) -> float:
    """Perceived distance of two colours, 0 to about 765, by the "redmean" weights."""
    red = (a[0] + b[0]) / 2.0
    d_red, d_green, d_blue = (x - y for x, y in zip(a, b, strict=True))
    return (
        (2.0 + red / 256.0) * d_red**2
        + 4.0 * d_green**2
        + (2.0 + (255.0 - red) / 256.0) * d_blue**2
    ) ** 0.5
