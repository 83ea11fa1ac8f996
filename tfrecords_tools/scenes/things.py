"""Drawings of objects that stand on the ground or grow from it; each fills about -1..1.

Every drawing takes a Paint and returns the shapes in painting order.
"""

from dataclasses import dataclass

import numpy as np

from tfrecords_tools.scenes.colors import INK, WHITE, Color, darken, lighten, mix
from tfrecords_tools.scenes.shapes import (
    Shape,
    blob,
    block,
    disc,
    dot,
    polygon,
    stroke,
)

BARK: Color = (128, 82, 52)
SKIN: tuple[Color, ...] = ((255, 214, 178), (232, 178, 132), (172, 112, 74), (118, 76, 52))
GLASS: Color = (176, 222, 244)
STEM: Color = (58, 142, 62)


@dataclass(frozen=True)
class Paint:
    """What may vary in a drawing: two colours and three free numbers in 0..1 (proportions)."""

    main: Color
    accent: Color
    vary: tuple[float, float, float]


def tree(paint: Paint) -> list[Shape]:
    """A round crown, or (for one in three) a fir of three tiers."""
    wide, tall, kind = paint.vary
    trunk = polygon([(-0.13, 0.1), (0.13, 0.1), (0.19, 1.0), (-0.19, 1.0)], BARK)
    if kind < 0.34:
        tiers = []
        for top, bottom, half in ((-0.1, 0.68, 0.72), (-0.55, 0.28, 0.58), (-1.0, -0.14, 0.42)):
            half *= 0.9 + 0.25 * wide
            ring = [(0, top), (half, bottom - 0.05), (0, bottom + 0.05), (-half, bottom - 0.05)]
            tiers.append(polygon(ring, paint.main, shading=0.32))
        return [trunk, *tiers]
    spread = 0.38 + 0.08 * wide
    green = paint.main
    return [
        trunk,
        stroke([(0, 0.45), (0.3, 0.1)], 0.09, BARK, body=False),
        disc(-spread, 0.0, 0.46, 0.42, darken(green, 0.12), shading=0.3),
        disc(spread, 0.0, 0.46, 0.42, darken(green, 0.12), shading=0.3),
        disc(0, -0.42 - 0.1 * tall, 0.6, 0.54, green, shading=0.3),
        disc(-0.22, -0.12, 0.42, 0.38, green, shading=0.28, body=False),
        disc(0.25, -0.16, 0.38, 0.34, lighten(green, 0.08), shading=0.28, body=False),
    ]


def house(paint: Paint) -> list[Shape]:
    """Coloured roof, pale wall, door, two windows and a chimney."""
    wide, tall, side = paint.vary
    half = 0.68 + 0.12 * wide
    eaves, ridge = -0.12 - 0.1 * tall, -0.95
    wall = mix(paint.accent, (250, 226, 180), 0.35)
    door = darken(paint.main, 0.35)
    door_x = -0.32 if side < 0.5 else 0.32
    pane = (120, 190, 232)
    shapes = [
        block(0.3, -0.92, 0.52, -0.3, darken(paint.main, 0.3)),
        block(-half, eaves - 0.1, half, 0.95, wall, shading=0.16),
        polygon(
            [
                (-half - 0.2, eaves + 0.06),
                (-0.12, ridge),
                (0.12, ridge),
                (half + 0.2, eaves + 0.06),
            ],
            paint.main,
            shading=0.26,
        ),
        block(-half, eaves + 0.06, half, eaves + 0.14, darken(wall, 0.25), body=False, shading=0),
        block(door_x - 0.19, 0.32, door_x + 0.19, 0.95, door, radius=0.05, body=False),
        dot(door_x + 0.1, 0.64, 0.04, color=(250, 214, 90)),
    ]
    shapes += _window(-door_x, 0.42, 0.24, pane)
    return shapes + [
        dot(0, eaves - 0.24, 0.15, color=WHITE),
        dot(0, eaves - 0.24, 0.1, color=pane),
    ]


def _window(x, y, half, pane):
    return [
        block(x - half, y - half, x + half, y + half, WHITE, radius=0.03, body=False, shading=0),
        *(
            block(x + dx, y + dy, x + dx + 0.82 * half, y + dy + 0.82 * half, pane, body=False)
            for dx in (-0.9 * half, 0.08 * half)
            for dy in (-0.9 * half, 0.08 * half)
        ),
    ]


def person(paint: Paint) -> list[Shape]:
    """Head with hair, a coloured jacket, trousers; one arm may wave."""
    tone, wave, look = paint.vary
    skin = SKIN[min(int(tone * len(SKIN)), len(SKIN) - 1)]
    hair = ((70, 44, 32), (34, 30, 40), (206, 150, 66), (168, 72, 36))[min(int(look * 4), 3)]
    trousers = mix(darken(paint.accent, 0.6), (44, 60, 120), 0.75)
    sleeve = darken(paint.main, 0.24)
    hand = (0.62, -0.5) if wave > 0.5 else (0.52, 0.4)
    elbow = (0.54, -0.08) if wave > 0.5 else (0.46, 0.12)
    return [
        stroke([(-0.15, 0.3), (-0.17, 0.9)], 0.25, trousers),
        stroke([(0.15, 0.3), (0.17, 0.9)], 0.25, trousers),
        disc(-0.21, 0.96, 0.19, 0.09, INK),
        disc(0.21, 0.96, 0.19, 0.09, INK),
        disc(-0.52, 0.42, 0.1, color=skin),
        disc(*hand, 0.1, color=skin),
        stroke([(-0.28, -0.22), (-0.46, 0.1), (-0.51, 0.34)], 0.21, sleeve),
        stroke([(0.28, -0.2), elbow, (hand[0] * 0.98, hand[1] * 0.85)], 0.21, sleeve),
        blob(
            [(-0.3, -0.34), (0, -0.4), (0.3, -0.34), (0.37, 0.1), (0.35, 0.46), (-0.35, 0.46)]
            + [(-0.37, 0.1)],
            paint.main,
            shading=0.26,
        ),
        disc(0, -0.75, 0.33, 0.33, hair, shading=0.1),
        disc(0, -0.66, 0.28, 0.29, skin, shading=0.14, body=False),
        blob([(-0.3, -0.7), (-0.2, -0.98), (0.2, -0.98), (0.3, -0.7), (0, -0.86)], hair),
        dot(-0.11, -0.66, 0.045, 0.06, INK),
        dot(0.11, -0.66, 0.045, 0.06, INK),
        stroke([(-0.09, -0.5), (0, -0.46), (0.09, -0.5)], 0.04, (176, 66, 60), body=False),
        polygon([(-0.14, -0.38), (0.14, -0.38), (0, -0.2)], paint.accent, body=False),
    ]


def cat(paint: Paint) -> list[Shape]:
    """A sitting cat, seen from the front, its tail curled at one side."""
    plump, ears, stripes = paint.vary
    fur, pale = paint.main, lighten(paint.main, 0.55)
    dark = darken(fur, 0.35)
    half = 0.46 + 0.08 * plump
    tip = -0.98 - 0.05 * ears
    shapes = [
        stroke([(0.3, 0.84), (0.78, 0.74), (0.84, 0.3), (0.64, 0.06)], 0.2, darken(fur, 0.12)),
        blob(
            [(0, -0.3), (half * 0.75, 0.1), (half, 0.65), (half * 0.8, 0.96), (0, 0.98)]
            + [(-half * 0.8, 0.96), (-half, 0.65), (-half * 0.75, 0.1)],
            fur,
            shading=0.26,
        ),
        disc(0, 0.4, half * 0.46, 0.42, pale, shading=0.08, body=False),
        disc(-0.19, 0.92, 0.17, 0.1, pale, shading=0.1, body=False),
        disc(0.19, 0.92, 0.17, 0.1, pale, shading=0.1, body=False),
        polygon([(-0.5, -0.4), (-0.46, tip), (-0.08, -0.72)], fur),
        polygon([(0.5, -0.4), (0.46, tip), (0.08, -0.72)], fur),
        polygon([(-0.42, -0.6), (-0.4, tip + 0.14), (-0.2, -0.7)], (244, 150, 150), body=False),
        polygon([(0.42, -0.6), (0.4, tip + 0.14), (0.2, -0.7)], (244, 150, 150), body=False),
        disc(0, -0.38, 0.54, 0.43, fur, shading=0.24),
        disc(0, -0.2, 0.27, 0.18, pale, shading=0.05, body=False),
    ]
    if stripes > 0.4:
        for x in (-0.16, 0.0, 0.16):
            shapes.append(stroke([(x, -0.78), (x * 0.7, -0.6)], 0.07, dark, body=False))
    for x in (-0.22, 0.22):
        shapes += [
            dot(x, -0.42, 0.115, 0.13, (236, 246, 170)),
            dot(x, -0.41, 0.065, 0.115, INK),
            dot(x - 0.03, -0.46, 0.03, color=WHITE),
        ]
    return shapes + [
        polygon([(-0.08, -0.28), (0.08, -0.28), (0, -0.2)], (226, 96, 110), body=False, shading=0)
    ]


def flower(paint: Paint) -> list[Shape]:
    """Petals round a yellow middle, on a stem with two leaves."""
    count, plump, bend = paint.vary
    petals = 6 + round(2 * count)
    lean = 0.24 * (bend - 0.5)
    angle = 2.0 * np.pi * (np.arange(petals) + 0.5) / petals
    length, width = 0.3, (0.2 + 0.05 * plump) * 6.5 / petals
    heart = (253, 208, 50) if paint.main[2] > 90 or paint.main[1] < 150 else (146, 82, 34)
    return [
        stroke([(0, -0.35), (lean, 0.3), (0, 1.0)], 0.11, STEM),
        blob([(0.02, 0.78), (0.24, 0.34), (0.6, 0.26), (0.46, 0.62)], lighten(STEM, 0.1)),
        blob([(-0.02, 0.9), (-0.24, 0.5), (-0.58, 0.44), (-0.44, 0.78)], darken(STEM, 0.08)),
        *(
            disc(
                0.36 * np.cos(a),
                -0.36 + 0.36 * np.sin(a),
                length,
                width,
                paint.main if k % 2 else lighten(paint.main, 0.12),
                turn=np.degrees(a),
                shading=0.22,
                fill="linear",
            )
            for k, a in enumerate(angle)
        ),
        disc(0, -0.36, 0.23, color=heart, shading=0.28, body=False),
    ]


def mushroom(paint: Paint) -> list[Shape]:
    """A domed cap with pale spots on a stout stem."""
    wide, tall, spots = paint.vary
    half, rim = 0.86 + 0.1 * wide, 0.12 - 0.08 * tall
    dome = [(-half, rim), (-half * 0.86, -0.42), (-half * 0.4, -0.84), (half * 0.4, -0.84)]
    dome += [(half * 0.86, -0.42), (half, rim), (half * 0.5, rim + 0.2), (-half * 0.5, rim + 0.2)]
    stem = (252, 236, 206)
    shift = 0.16 * (spots - 0.5)
    return [
        blob(
            [(-0.3, rim), (0.3, rim), (0.3, 0.55), (0.4, 0.9), (0, 0.98), (-0.4, 0.9)]
            + [(-0.3, 0.55)],
            stem,
            shading=0.26,
        ),
        blob(dome, paint.main, shading=0.32, fill="radial"),
        disc(0, rim + 0.13, 0.5 * half, 0.1, darken(stem, 0.22), shading=0.05, body=False),
        *(
            disc(x + shift, y, r, r * 0.88, WHITE, shading=0.08, body=False, corners=20)
            for x, y, r in (
                (-0.06, -0.48, 0.2),
                (-0.52, -0.2, 0.14),
                (0.46, -0.26, 0.16),
                (0.3, -0.68, 0.09),
                (-0.4, -0.62, 0.1),
                (0.06, -0.06, 0.1),
            )
        ),
    ]


def ball(paint: Paint) -> list[Shape]:
    """A beach ball: coloured and pale gores that meet at a pole."""
    pole_x, pole_y, _ = paint.vary
    pole = np.array([0.5 * (pole_x - 0.5), 0.5 * (pole_y - 0.5) - 0.15])
    shapes = [disc(0, 0, 1.0, color=paint.accent, shading=0.22, corners=56)]
    for start in (0.0, 120.0, 240.0):
        angle = np.radians(start + np.linspace(0.0, 60.0, 12))
        rim = np.stack([np.cos(angle), np.sin(angle)], axis=1)
        gore = np.concatenate([[pole], _bent(pole, rim[0]), rim, _bent(pole, rim[-1])[::-1]])
        shapes.append(polygon(gore, paint.main, shading=0.3, body=False))
    return shapes + [disc(*pole, 0.12, color=lighten(paint.accent, 0.3), body=False, shading=0.1)]


def _bent(pole, rim):
    """Points of a curve that leaves the pole sideways, as a seam on a sphere does."""
    along = rim - pole
    across = np.array([-along[1], along[0]]) * 0.16
    share = np.array([0.25, 0.5, 0.75])[:, None]
    return pole + share * along + np.sin(np.pi * share) * across
