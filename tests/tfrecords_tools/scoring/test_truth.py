"""Labels follow the pixels through every version."""

import json

import numpy as np
import pytest

from lorbms_tf.errors import UserError
from tfrecords_tools import versions
from tfrecords_tools.scoring import truth

SIZES = [(70, 120), (121, 80), (64, 64)]


@pytest.mark.parametrize("version", versions.VERSIONS)
@pytest.mark.parametrize("height, width", SIZES)
def test_a_mapped_box_is_where_its_pixels_are(version, height, width):
    """The independent way: paint the box, make the version, find the paint."""
    x, y, w, h = width * 3 // 10, height * 3 // 10, width // 2, height // 2
    photo = np.zeros((height, width, 3), np.uint8)
    photo[y : y + h, x : x + w] = 255
    size = 256
    image = versions.make(photo, version, "a", 3, size)[..., 0] > 127
    known = truth.PhotoTruth(height, width)
    ((x0, y0, x1, y1),) = truth.map_boxes([(x, y, w, h)], known, version, "a", 3)
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    found = [columns[0] / size, rows[0] / size, (columns[-1] + 1) / size, (rows[-1] + 1) / size]
    np.testing.assert_allclose(np.clip([x0, y0, x1, y1], 0, 1), found, atol=1.01 / size)


def test_overlaps_are_areas_of_the_quadrants():
    boxes = np.array([[0, 0, 0.5, 0.5], [0.25, 0.25, 0.75, 0.75], [-1, -1, 2, 2], [2, 2, 3, 3]])
    found = truth.overlaps(boxes)
    np.testing.assert_allclose(found[0], [1, 0, 0, 0])
    np.testing.assert_allclose(found[1], [0.25] * 4)
    np.testing.assert_allclose(found[2], [1] * 4)
    np.testing.assert_allclose(found[3], [0] * 4)


def write(path, images, annotations, categories=("cat", "dog")):
    names = [{"id": 10 * n, "name": name} for n, name in enumerate(categories)]
    document = {"images": images, "annotations": annotations, "categories": names}
    path.write_text(json.dumps(document))
    return path


def box(number, image, category, bbox, **more):
    return {"id": number, "image_id": image, "category_id": category, "bbox": bbox, **more}


@pytest.fixture
def photographs(tmp_path):
    image = {"id": 7, "file_name": "p7.jpg", "width": 100, "height": 100}
    boxes = [
        box(1, 7, 0, [0, 0, 50, 50]),  # a cat over all of q1
        box(2, 7, 10, [40, 10, 20, 10]),  # a dog, half in q1 and half in q2
        box(3, 7, 0, [45, 80, 50, 10]),  # a cat in q4, a tenth of it in q3
        box(4, 7, 10, [0, 0, 100, 100], iscrowd=1),
    ]
    return write(tmp_path / "boxes.json", [image], boxes)


def test_boxes_fall_into_quadrants(photographs):
    found = truth.load(photographs)
    assert found.categories == ["cat", "dog"] and not found.drawn
    names = [("7", "original"), ("7", "flip"), ("unknown", "original"), ("p7.jpg", "original")]
    labels = truth.labels(found, names, np.array([0, 1, 2, 3]), seed=0)
    assert labels.known.tolist() == [True, True, False, True]
    own = labels.categories[0]
    assert own[:, 0].tolist() == [True, False, False, True]
    assert own[:, 1].tolist() == [True, True, False, False]
    assert labels.areas[0, :, 0] == pytest.approx([1, 0, 50 / 2500, 450 / 2500])
    mirrored = [1, 0, 3, 2]  # left and right change places
    np.testing.assert_array_equal(labels.categories[1], own[mirrored])
    np.testing.assert_allclose(labels.areas[1], labels.areas[0][mirrored], atol=1e-6)
    np.testing.assert_array_equal(labels.categories[3], own)


def test_boxes_that_overlap_cover_once():
    boxes = [(0, 0, 50, 30), (10, 5, 20, 20), (0, 0, 50, 20), (0, 0, 25, 50)]
    photo = truth.PhotoTruth(100, 100, boxes, [0, 0, 1, 1])
    found = truth.Truth({"1": photo}, ["cat", "dog"], [], [])
    labels = truth.labels(found, [("1", "original")], np.array([0]), 0)
    # Of a dog: 50 x 20 and 25 x 50 less the 25 x 20 that they share, of 50 x 50.
    assert labels.areas[0, 0] == pytest.approx([0.6, 0.7])
    assert labels.regions.areas() == pytest.approx([1.3, 0, 0, 0])


@pytest.mark.parametrize("version", versions.VERSIONS)
def test_covered_areas_follow_every_version(version):
    """The independent way: paint the boxes, make the version, count the paint."""
    rng = np.random.default_rng(2)
    height, width, size = 90, 120, 512
    photo, boxes = np.zeros((height, width, 3), np.uint8), []
    for _ in range(6):
        x, y, w, h = (int(v) for v in rng.integers((0, 0, 10, 10), (90, 60, 60, 60)))
        photo[y : y + h, x : x + w] = 255  # what lies outside the photo is not seen
        boxes.append((x, y, w, h))
    image = versions.make(photo, version, "a", 3, size)[..., 0] / 255
    found = truth.Truth({"a": truth.PhotoTruth(height, width, boxes, [0] * 6)}, ["x"], [], [])
    labels = truth.labels(found, [("a", version)], np.array([0]), 3)
    half = size // 2
    painted = image.reshape(2, half, 2, half).mean(axis=(1, 3)).ravel()
    np.testing.assert_allclose(labels.areas[0, :, 0], painted, atol=0.01)
    np.testing.assert_allclose(labels.regions.areas(), labels.areas[0, :, 0], rtol=1e-6)


def test_photos_whose_names_look_alike():
    photo, other = truth.PhotoTruth(9, 9), truth.PhotoTruth(9, 9)
    found = truth.Truth({"u\u0308.png": photo, "A.png": photo, "a.PNG": other}, [], [], [])
    assert found.photo("\u00dc.PNG") is photo
    assert found.photo("A.png") is photo and found.photo("a.PNG") is other
    assert found.photo("a.png") is None  # either


def test_faulty_boxes_are_noted_and_change_nothing(tmp_path, photographs):
    document = json.loads(photographs.read_text())
    document["annotations"] += [
        box(5, 7, 0, [float("nan")] * 4),
        box(6, 7, 0, [60, 10, 0, 5]),
        box(7, 777, 0, [0, 0, 5, 5]),
        box(8, "7", "10", [60, 60, 5, 5], iscrowd="1"),
    ]
    (tmp_path / "odd.json").write_text(json.dumps(document))
    plain, odd = truth.load(photographs), truth.load(tmp_path / "odd.json")
    assert odd.photos == plain.photos
    numbers = [note["number"] for note in odd.notes.as_json().values()]
    assert sorted(numbers) == [1, 2] and plain.notes.as_json() == {}


def test_only_what_was_asked_for_is_labelled(photographs):
    names = [("7", "original"), ("7", "flip")]
    labels = truth.labels(truth.load(photographs), names, np.array([1]), seed=0)
    assert labels.row.tolist() == [-1, 0] and len(labels.categories) == 1


def test_a_crop_shows_only_what_lies_in_it(tmp_path):
    image = {"id": 1, "file_name": "a.jpg", "width": 200, "height": 200}
    top, left, side = versions.square_place(200, 200, "crop_0.6", "1", 5)
    inside = box(1, 1, 0, [left + 1, top + 1, side / 2 - 2, side / 2 - 2])
    outside = box(2, 1, 10, [left + side, top, 5, 5])
    path = write(tmp_path / "a.json", [image], [inside, outside])
    labels = truth.labels(truth.load(path), [("1", "crop_0.6")], np.array([0]), seed=5)
    assert labels.categories[0].tolist() == [[True, False]] + [[False, False]] * 3


def scene(number, kind, things):
    image = {"id": number, "file_name": f"{number}.jpg", "width": 100, "height": 100}
    image["scene"] = {"background": kind}
    entries = [
        box(10 * number + n, number, category, [0, 0, 9, 9], center=centre, color={"name": colour})
        for n, (category, colour, centre) in enumerate(things)
    ]
    return image, entries


def test_a_drawn_object_is_where_its_centre_is(tmp_path):
    image, entries = scene(1, "beach", [(0, "red", [20, 20]), (10, "blue", [70, 80])])
    found = truth.load(write(tmp_path / "a.json", [image], entries))
    assert found.drawn and found.backgrounds == ["beach"]
    names = [("1", "original"), ("1", "flip")]
    labels = truth.labels(found, names, np.array([0, 1]), seed=0)
    assert labels.categories[0].tolist() == [[1, 0], [0, 0], [0, 0], [0, 1]]
    assert labels.colours[1].tolist() == [[0, 0], [1, 0], [0, 1], [0, 0]]
    assert labels.backgrounds.tolist() == [0, 0]


def test_files_that_cannot_be_used_are_named(tmp_path, photographs):
    sizeless = write(tmp_path / "b.json", [{"id": 1, "file_name": "a.jpg"}], [])
    with pytest.raises(UserError, match="b.json.*width and height"):
        truth.load(sizeless)
    image = {"id": 1, "file_name": "a.jpg", "width": 9, "height": 9}
    for height in (0, -3, None, "high", float("nan"), float("inf")):
        flat = write(tmp_path / "f.json", [image | {"height": height}], [])
        with pytest.raises(UserError, match=f"f.json.*image 1, a.jpg, has the height {height}"):
            truth.load(flat)
    (tmp_path / "d.json").write_text(json.dumps({"images": [image]}))
    with pytest.raises(UserError, match='d.json.*no list "categories"'):
        truth.load(tmp_path / "d.json")
    with pytest.raises(UserError, match="box of image 1 has the category_id 3"):
        truth.load(write(tmp_path / "c.json", [image], [box(1, 1, 3, [0, 0, 1, 1])]))
    with pytest.raises(UserError, match="version 'turned' of photo 7"):
        truth.labels(truth.load(photographs), [("7", "turned")], np.array([0]), seed=0)
