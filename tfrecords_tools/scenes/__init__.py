"""Drawn scenes: a place, and one object in each quadrant; `scene.sample` and `scene.render`."""
