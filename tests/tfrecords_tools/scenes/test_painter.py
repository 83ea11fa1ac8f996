"""What lands on the canvas."""

import numpy as np
from PIL import Image

from tfrecords_tools.scenes import shapes
from tfrecords_tools.scenes.painter import Painter

GREY = Image.new("RGB", (40, 40), (100, 100, 100))


def pixels(painter):
    return np.asarray(painter.finish()).astype(int)


def test_unpainted_backdrop_is_kept_exactly():
    noise = np.random.default_rng(0).integers(0, 256, (40, 40, 3), dtype=np.uint8)
    np.testing.assert_array_equal(pixels(Painter(40, 1, backdrop=Image.fromarray(noise))), noise)


def test_flat_block_covers_its_pixels():
    painter = Painter(40, 1, backdrop=GREY)
    painter.fill(shapes.block(0.25, 0.25, 0.75, 0.75, (200, 10, 20), shading=0.0))
    picture = pixels(painter)
    assert (picture[11:29, 11:29] == (200, 10, 20)).all()
    assert (picture[:9] == 100).all() and (picture[:, 32:] == 100).all()


def test_alpha_blends():
    painter = Painter(40, 1, backdrop=GREY)
    painter.fill(shapes.block(0, 0, 1, 1, (200, 200, 200), shading=0.0, alpha=0.5))
    assert abs(pixels(painter)[20, 20] - 150).max() <= 1


def test_shading_is_brighter_towards_the_light():
    for fill in ("linear", "radial"):
        for light in (-1, 1):
            painter = Painter(40, light)
            painter.fill(shapes.disc(0.5, 0.5, 0.5, color=(128, 128, 128), shading=0.3, fill=fill))
            picture = pixels(painter).mean(axis=2)
            left, right = picture[20, 8], picture[20, 31]
            assert (right - left) * light > 10
            assert picture[8, 20] > picture[31, 20] + 10


def test_slope_runs_from_top_to_bottom():
    painter = Painter(40, 1)
    painter.band(0.0, 1.0, (0, 0, 0), (200, 100, 50))
    picture = pixels(painter)
    assert picture[0].max() <= 4 and abs(picture[-1] - (200, 100, 50)).max() <= 4
    assert (np.diff(picture[:, 0, 0]) >= 0).all()


def test_soft_fades_outwards_and_keeps_to_its_clip():
    painter = Painter(40, 1, backdrop=GREY)
    painter.soft(0.5, 0.5, 0.4, 0.4, (0, 0, 0), 0.8, clip=(0, 0, 0.5, 1))
    picture = pixels(painter)[:, :, 0]
    assert picture[20, 19] < picture[20, 12] < 100
    assert (picture[:, 20:] == 100).all()
    assert picture[20, 19] >= 19  # alpha 0.8 leaves a fifth


def test_outside_and_empty_shapes_paint_nothing():
    painter = Painter(40, 1, backdrop=GREY)
    painter.fill(shapes.block(1.2, 1.2, 1.5, 1.5, (0, 0, 0)))
    painter.soft(2.0, 2.0, 0.1, 0.1, (0, 0, 0), 1.0)
    painter.soft(0.5, 0.5, 0.0, 0.1, (0, 0, 0), 1.0)
    painter.band(0.5, 0.5, (0, 0, 0), (0, 0, 0))
    assert (pixels(painter) == 100).all()
