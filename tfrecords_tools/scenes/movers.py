"""Drawings of objects that drive, sail, fly or hang in the air; each fills about -1..1."""

import numpy as np

from tfrecords_tools.scenes.colors import INK, WHITE, Color, darken, lighten
from tfrecords_tools.scenes.shapes import Shape, blob, block, disc, dot, open_curve, polygon, stroke
from tfrecords_tools.scenes.things import GLASS, Paint

WOOD: Color = (150, 96, 56)


def car(paint: Paint) -> list[Shape]:
    """A small car from the side."""
    long, tall, stripe = paint.vary
    roof = -0.6 - 0.1 * tall
    back = -0.66 - 0.1 * long
    body = paint.main
    shapes = [
        blob(
            [(back - 0.06, 0.0), (back + 0.2, roof + 0.06), (-0.1, roof), (0.26, roof + 0.06)]
            + [(0.66, -0.02), (0, 0.12)],
            darken(body, 0.06),
            shading=0.2,
        ),
        block(-1.0, -0.1, 1.0, 0.42, body, radius=0.2, shading=0.26),
        polygon(
            [(back + 0.14, -0.08), (back + 0.31, roof + 0.13), (-0.1, roof + 0.1), (-0.1, -0.08)],
            GLASS,
            body=False,
        ),
        polygon(
            [(-0.02, -0.08), (-0.02, roof + 0.1), (0.22, roof + 0.14), (0.5, -0.08)],
            GLASS,
            body=False,
        ),
        block(-0.96, 0.26, 0.96, 0.34, darken(body, 0.3), body=False, shading=0),
    ]
    if stripe > 0.6:
        shapes.append(block(-0.98, 0.06, 0.98, 0.15, paint.accent, body=False, shading=0.1))
    shapes += [
        disc(0.92, 0.08, 0.09, 0.12, (255, 240, 160), shading=0.05, body=False),
        disc(-0.95, 0.06, 0.06, 0.11, (226, 52, 50), shading=0.05, body=False),
        block(-0.26, 0.0, -0.1, 0.05, darken(body, 0.35), body=False, shading=0),
    ]
    for x in (-0.55, 0.55):
        shapes += [
            disc(x, 0.42, 0.27, color=INK, shading=0.1),
            dot(x, 0.42, 0.15, color=(206, 212, 222)),
            dot(x, 0.42, 0.06, color=(120, 126, 140)),
        ]
    return shapes


def boat(paint: Paint) -> list[Shape]:
    """A sailing boat with two sails."""
    full, tall, flag = paint.vary
    top = -1.0
    foot = 0.36
    hull = [(-0.92, 0.42), (0.98, 0.42), (0.8, 0.72), (0.56, 0.92), (-0.56, 0.92), (-0.8, 0.76)]
    belly = 0.62 + 0.26 * full
    main_sail = np.concatenate(
        [[(0.06, foot)], open_curve([(0.06, top + 0.08), (0.4, -0.4), (belly, foot)])]
    )
    jib = np.concatenate(
        [[(-0.1, foot - 0.02)], open_curve([(-0.1, top + 0.26), (-0.36, -0.2), (-0.7, foot)])]
    )
    second = lighten(paint.main, 0.25) if tall > 0.5 else darken(paint.accent, 0.08)
    return [
        block(-0.06, top, 0.02, 0.5, WOOD),
        polygon(main_sail, paint.accent, shading=0.12),
        polygon(jib, second, shading=0.14),
        polygon(
            [(-0.06, top), (-0.36, top + 0.1 + 0.04 * flag), (-0.06, top + 0.2)],
            paint.main,
            shading=0.1,
        ),
        polygon(hull, paint.main, shading=0.3),
        polygon(
            [(-0.9, 0.46), (0.96, 0.46), (0.91, 0.55), (-0.87, 0.55)],
            lighten(paint.main, 0.6),
            body=False,
            shading=0.05,
        ),
    ]


def balloon(paint: Paint) -> list[Shape]:
    """A hot-air balloon with striped envelope and a basket."""
    round_, long, _ = paint.vary
    half = 0.76 + 0.08 * round_
    neck, crown, bottom = 0.46 + 0.06 * long, -1.0, 0.52 + 0.06 * long
    height = np.linspace(0.0, 1.0, 24)
    y = crown + (neck - crown) * height
    # a dome above, a cone below: widest at two fifths of the height
    width = half * np.where(
        height < 0.42,
        np.sqrt(np.clip(1.0 - ((0.42 - height) / 0.42) ** 2, 0.0, 1.0)),
        0.22 + 0.78 * np.cos(np.pi / 2.0 * np.clip((height - 0.42) / 0.58, 0.0, 0.999)) ** 0.9,
    )
    shapes = [
        stroke([(-0.15, neck), (-0.11, 0.8)], 0.035, WOOD),
        stroke([(0.15, neck), (0.11, 0.8)], 0.035, WOOD),
        block(-0.17, 0.76, 0.17, 1.0, WOOD, radius=0.05, shading=0.26),
        block(-0.19, 0.75, 0.19, 0.81, lighten(WOOD, 0.25), radius=0.02, shading=0.1),
        _gore(width, y, -1.0, 1.0, paint.main, body=True),
    ]
    for left, right in ((-0.78, -0.36), (-0.12, 0.12), (0.36, 0.78)):
        shapes.append(_gore(width, y, left, right, paint.accent, body=False))
    for shade, x in ((0.16, -1.0), (0.16, 0.78)):
        shapes.append(_gore(width, y, x, x + 0.22, darken(paint.main, shade), body=False))
    shapes.append(
        polygon(
            [(-0.21, neck - 0.07), (0.21, neck - 0.07), (0.14, bottom), (-0.14, bottom)],
            darken(paint.main, 0.3),
        )
    )
    return shapes


def _gore(width, y, left, right, color, body):
    points = np.concatenate([np.stack([left * width, y], 1), np.stack([right * width, y], 1)[::-1]])
    return polygon(points, color, body=body, shading=0.24, fill="radial" if body else "linear")


def umbrella(paint: Paint) -> list[Shape]:
    """An open umbrella with panels in two colours and a hooked handle."""
    deep, hook, _ = paint.vary
    rim, top = 0.0, -0.82 - 0.08 * deep
    shapes = [
        stroke([(0, -0.9), (0, 0.82)], 0.075, (112, 78, 58), smooth=False),
        stroke(
            [(0, 0.78), (0.05, 0.95), (0.2, 0.98), (0.28 + 0.06 * hook, 0.8)], 0.1, (112, 78, 58)
        ),
        stroke([(0, -1.0), (0, top)], 0.06, (112, 78, 58)),
    ]
    edges = np.array([-1.0, -0.6, -0.2, 0.2, 0.6, 1.0])
    angle = np.linspace(0.0, np.pi / 2.0, 12)
    for k in range(5):
        left, right = edges[k], edges[k + 1]
        up_left = np.stack([left * np.sin(angle), top + (rim - top) * (1 - np.cos(angle))], 1)
        up_right = np.stack([right * np.sin(angle), top + (rim - top) * (1 - np.cos(angle))], 1)
        share = np.linspace(0.0, 1.0, 8)[1:-1]
        scallop = np.stack([left + (right - left) * share, rim - 0.13 * np.sin(np.pi * share)], 1)
        color = paint.main if k % 2 == 0 else paint.accent
        panel = np.concatenate([up_left, scallop, up_right[::-1]])
        shapes.append(polygon(panel, color, shading=0.24))
    return shapes


def bird(paint: Paint) -> list[Shape]:
    """A small round bird in flight, one wing up."""
    wing, plump, crest = paint.vary
    body, pale = paint.main, lighten(paint.main, 0.6)
    lift = -0.82 - 0.16 * wing
    belly = 0.5 + 0.08 * plump
    shapes = [
        polygon([(-0.5, 0.08), (-1.02, -0.16), (-0.9, 0.08), (-1.04, 0.28)], darken(body, 0.2)),
        blob(
            [(0.16, -0.1), (0.34, lift * 0.75), (0.12, lift * 0.9), (-0.16, -0.1)],
            darken(body, 0.3),
        ),
        polygon([(0.78, -0.22), (1.08, -0.08), (0.8, 0.03)], (250, 160, 40), shading=0.1),
        blob(
            [(-0.66, 0.1), (-0.2, -0.22), (0.3, -0.4), (0.68, -0.42), (0.88, -0.16), (0.76, 0.14)]
            + [(0.36, belly), (-0.2, belly * 0.8)],
            body,
            shading=0.26,
        ),
        blob([(-0.2, 0.26), (0.3, 0.12), (0.68, 0.12), (0.36, belly - 0.04)], pale, body=False),
        blob(
            [(0.2, 0.02), (-0.1, -0.42), (-0.5, lift), (-0.62, -0.42), (-0.36, 0.1)],
            darken(body, 0.12),
            shading=0.3,
        ),
        dot(0.6, -0.18, 0.1, color=WHITE),
        dot(0.62, -0.17, 0.06, color=INK),
    ]
    if crest > 0.5:
        shapes.insert(0, polygon([(0.4, -0.36), (0.3, -0.66), (0.62, -0.4)], darken(body, 0.2)))
    return shapes


def kite(paint: Paint) -> list[Shape]:
    """A four-panel kite with a ribboned tail."""
    wide, long, swing = paint.vary
    half, cross, foot = 0.6 + 0.08 * wide, -0.42, 0.36 + 0.08 * long
    left, right, top, low = (-half, cross), (half, cross), (0, -1.0), (0, foot)
    middle = (0, cross)
    sway = 0.22 * (1 if swing > 0.5 else -1)
    tail = [(0, foot), (sway, foot + 0.22), (-sway * 0.6, foot + 0.42), (sway * 0.7, 1.0)]
    shapes = [stroke(tail, 0.045, darken(paint.main, 0.35))]
    for (x, y), tilt in ((tail[1], 20), (tail[2], -20)):
        for side in (-1, 1):
            shapes.append(
                disc(
                    x + side * 0.1,
                    y,
                    0.12,
                    0.07,
                    paint.accent if side > 0 else paint.main,
                    turn=tilt,
                )
            )
    return shapes + [
        polygon([top, right, low, left], paint.main, shading=0.0),
        polygon([left, top, middle], paint.main, shading=0.12, body=False),
        polygon([top, right, middle], paint.accent, shading=0.12, body=False),
        polygon([right, low, middle], darken(paint.main, 0.18), shading=0.12, body=False),
        polygon([low, left, middle], darken(paint.accent, 0.14), shading=0.12, body=False),
    ]


def rocket(paint: Paint) -> list[Shape]:
    """A rocket with pale hull, coloured nose and fins, a round window and a flame."""
    wide, fire, _ = paint.vary
    half = 0.32 + 0.06 * wide
    hull = [(0, -1.0), (half * 0.7, -0.66), (half, -0.2), (half * 0.86, 0.3), (half * 0.6, 0.52)]
    hull += [(-x, y) for x, y in hull[:0:-1]]
    nose = [(0, -1.0), (half * 0.46, -0.78), (half * 0.76, -0.55), (-half * 0.76, -0.55)]
    nose += [(-half * 0.46, -0.78)]
    flame = 0.78 + 0.2 * fire
    fin = [(half * 0.8, 0.02), (half + 0.34, 0.42), (half + 0.32, 0.72), (half * 0.6, 0.46)]
    return [
        blob([(-0.2, 0.48), (0.2, 0.48), (0.14, 0.7), (0, flame), (-0.14, 0.7)], (250, 128, 32)),
        blob([(-0.1, 0.48), (0.1, 0.48), (0, flame - 0.16)], (255, 226, 90), body=False),
        polygon(fin, paint.main, shading=0.2),
        polygon([(-x, y) for x, y in fin], paint.main, shading=0.2),
        blob(hull, paint.accent, shading=0.24),
        polygon(nose, paint.main, shading=0.2, body=False),
        disc(0, -0.22, 0.19, color=darken(paint.main, 0.2), shading=0.1, body=False),
        disc(0, -0.22, 0.13, color=GLASS, shading=0.2, body=False),
        polygon([(-0.05, 0.14), (0.05, 0.14), (0.04, 0.66), (-0.04, 0.66)], paint.main, body=False),
    ]
