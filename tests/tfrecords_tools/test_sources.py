import json
import os

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.errors import UserError
from tfrecords_tools import sources
from tfrecords_tools.sources import ABSENT, NOT_NAMED, UNREADABLE, Photo


def noise(height, width, seed=0):
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)
    return Image.fromarray(pixels)


def save(picture, path, **options):
    path.parent.mkdir(parents=True, exist_ok=True)
    picture.save(path, **options)
    return path


def annotate(path, names, boxes=None):
    """A COCO file: image i + 1 is names[i] and has boxes[i] boxes. Sizes in it are wrong."""
    boxes = boxes or [1] * len(names)
    images = [
        {"id": i + 1, "file_name": name, "width": 9999, "height": 9999}
        for i, name in enumerate(names)
    ]
    annotations = [
        {"image_id": i + 1, "bbox": [0, 0, 2, 2], "category_id": 1, "iscrowd": 0}
        for i, count in enumerate(boxes)
        for _ in range(count)
    ]
    for i, annotation in enumerate(annotations):
        annotation["id"] = i + 1
    categories = [{"id": 1, "name": "ball"}]
    path.write_text(
        json.dumps({"images": images, "annotations": annotations, "categories": categories})
    )
    return path


def ids(photos):
    return [photo.photo_id for photo in photos]


def test_every_usual_kind_of_photo_is_kept(tmp_path):
    picture = noise(20, 24)
    save(picture, tmp_path / "colour.jpg")
    save(picture.convert("L"), tmp_path / "grey.jpg")
    save(picture.convert("CMYK"), tmp_path / "cmyk.jpg")
    save(picture.convert("P"), tmp_path / "palette.png")
    save(picture.convert("RGBA"), tmp_path / "alpha.png")
    save(picture.convert("LA"), tmp_path / "deep" / "grey_alpha.PNG", format="png")
    photos, counts = sources.load(tmp_path, min_size=20)
    assert ids(photos) == [
        "alpha.png",
        "cmyk.jpg",
        "colour.jpg",
        "deep/grey_alpha.PNG",
        "grey.jpg",
        "palette.png",
    ]
    assert photos[3].path == tmp_path / "deep" / "grey_alpha.PNG"
    assert counts == {"read": 6, "kept": 6, "dropped": {}, "examples": {}}


def test_photos_that_cannot_be_read_are_counted_and_named(tmp_path):
    save(noise(64, 64), tmp_path / "good.jpg", quality=95)
    whole = (tmp_path / "good.jpg").read_bytes()
    (tmp_path / "cut.jpg").write_bytes(whole[: len(whole) * 2 // 3])  # its header is whole
    (tmp_path / "empty.png").write_bytes(b"")
    (tmp_path / "text.jpg").write_text("not a picture")
    photos, counts = sources.load(tmp_path, min_size=1)
    assert photos == [Photo("good.jpg", tmp_path / "good.jpg")]
    assert counts["read"] == 4 and counts["kept"] == 1
    assert counts["dropped"] == {UNREADABLE: 3}
    assert counts["examples"] == {UNREADABLE: ["cut.jpg", "empty.png", "text.jpg"]}


@pytest.mark.parametrize("source", ["auto", "classes"])
def test_links_are_followed_and_those_that_lead_nowhere_are_counted(tmp_path, source):
    folder = tmp_path / "photos"
    for place in (folder / "cat" / "1.png", tmp_path / "dog" / "1.png", tmp_path / "dog" / "2.png"):
        save(noise(9, 9), place)
    (folder / "dog").symlink_to(tmp_path / "dog")
    (folder / "cat" / "all").symlink_to(folder)  # in a circle
    (folder / "cat" / "2.png").symlink_to("1.png")
    (folder / "cat" / "lost.png").symlink_to("nowhere.png")
    (folder / "cat" / "self.png").symlink_to("self.png")
    photos, counts = sources.load(folder, min_size=9, source=source)
    assert ids(photos) == ["cat/1.png", "cat/2.png", "dog/1.png", "dog/2.png"]
    assert counts["read"] == 6 and counts["dropped"] == {UNREADABLE: 2}
    assert counts["examples"] == {UNREADABLE: ["cat/lost.png", "cat/self.png"]}


def test_names_that_records_cannot_hold_are_counted(tmp_path):
    folder = save(noise(9, 9), tmp_path / "photos" / "caf\u00e9.png").parent
    save(noise(9, 9), folder / os.fsdecode(b"caf\xe9.png"))
    photos, counts = sources.load(folder, min_size=9, sample=2)
    assert ids(photos) == ["caf\u00e9.png"] and counts["read"] == 2
    assert counts["dropped"] == {sources.NOT_UTF8: 1}
    json.dumps(counts, ensure_ascii=False).encode()
    annotations = annotate(tmp_path / "a.json", ["caf\u00e9.png", os.fsdecode(b"caf\xe9.png")])
    photos, counts = sources.load(folder, annotations, min_size=9, min_boxes=1)
    assert ids(photos) == ["1"] and counts["dropped"] == {sources.NOT_UTF8: 1}


def test_photos_are_not_queued_long_before_they_are_asked_for(tmp_path):
    asked = []
    photos = (asked.append(number) or Photo(str(number), tmp_path) for number in range(1000))
    reasons = sources.faults(photos, 9, num_workers=2)
    assert next(reasons) == UNREADABLE
    assert len(asked) <= 10
    assert len(list(reasons)) == 999


def test_both_sides_must_reach_the_size(tmp_path):
    save(noise(30, 30), tmp_path / "enough.png")
    save(noise(29, 60), tmp_path / "low.png")
    save(noise(60, 1), tmp_path / "thin.png")
    photos, counts = sources.load(tmp_path, min_size=30)
    assert ids(photos) == ["enough.png"]
    assert counts["dropped"] == {"smaller than 30 px": 2}
    assert counts["examples"] == {"smaller than 30 px": ["low.png", "thin.png"]}


def test_a_rotated_photo_is_kept(tmp_path):
    exif = Image.Exif()
    exif[0x0112] = 6  # turn right by 90 degrees
    save(noise(20, 40), tmp_path / "turned.jpg", exif=exif)
    assert ids(sources.load(tmp_path, min_size=20)[0]) == ["turned.jpg"]


def test_only_a_few_examples_are_remembered(tmp_path):
    for i in range(8):
        (tmp_path / f"{i}.jpg").write_bytes(b"")
    save(noise(8, 8), tmp_path / "good.png")
    _, counts = sources.load(tmp_path, min_size=1)
    assert counts["dropped"] == {UNREADABLE: 8}
    assert counts["examples"][UNREADABLE] == [f"{i}.jpg" for i in range(5)]


def test_annotated_photos_are_filtered_and_counted(tmp_path):
    folder = tmp_path / "images"
    names = [f"{i}.jpg" for i in range(1, 13)]  # ids 1 to 12
    for name in names:
        save(noise(16, 16), folder / name)
    (folder / "3.jpg").unlink()
    (folder / "4.jpg").write_bytes(b"broken")
    save(noise(15, 16), folder / "5.jpg")
    save(noise(16, 16), folder / "not_named.jpg")
    boxes = [4, 3, 9, 9, 9, 5, 4, 4, 4, 4, 4, 0]
    annotations = annotate(tmp_path / "a.json", names, boxes)
    photos, counts = sources.load(folder, annotations, min_size=16, min_boxes=4)
    assert ids(photos) == ["1", "6", "7", "8", "9", "10", "11"]
    assert photos[5] == Photo("10", folder / "10.jpg")
    assert counts["read"] == 13 and counts["kept"] == 7
    assert counts["dropped"] == {
        "fewer than 4 boxes": 2,
        ABSENT: 1,
        NOT_NAMED: 1,
        UNREADABLE: 1,
        "smaller than 16 px": 1,
    }
    assert counts["examples"]["fewer than 4 boxes"] == ["2.jpg", "12.jpg"]
    assert counts["examples"][NOT_NAMED] == ["not_named.jpg"]
    json.dumps(counts)


def test_photos_that_the_annotations_do_not_name_are_counted(tmp_path):
    for name in ("a.jpg", "deep/b.jpg", "deep/c.jpg", "d.png"):
        save(noise(8, 8), tmp_path / name)
    (tmp_path / "notes.txt").write_text("no photo")
    annotations = annotate(tmp_path / "a.json", ["./a.jpg", "deep/b.jpg"])
    photos, counts = sources.load(tmp_path, annotations, min_size=8, min_boxes=1)
    assert ids(photos) == ["1", "2"]
    assert counts["read"] == 4 and counts["dropped"] == {NOT_NAMED: 2}
    assert counts["examples"] == {NOT_NAMED: ["d.png", "deep/c.jpg"]}


def test_no_boxes_need_be_asked_for(tmp_path):
    save(noise(8, 8), tmp_path / "a.jpg")
    infos = tmp_path / "infos.json"
    infos.write_text(json.dumps({"images": [{"id": 1, "file_name": "a.jpg"}]}))
    assert ids(sources.load(tmp_path, infos, min_size=8, min_boxes=0)[0]) == ["1"]
    with pytest.raises(UserError, match=r"infos\.json has no boxes.*--min_boxes=0"):
        sources.load(tmp_path, infos, min_size=8, min_boxes=1)


def test_the_number_of_workers_changes_nothing(tmp_path):
    for i in range(12):
        save(noise(8 + i % 3, 9), tmp_path / f"{i}.png")
    assert sources.load(tmp_path, min_size=9, num_workers=1) == sources.load(
        tmp_path, min_size=9, num_workers=4
    )


def test_annotations_of_another_folder_are_an_error(tmp_path):
    save(noise(8, 8), tmp_path / "images" / "other.jpg")
    annotations = annotate(tmp_path / "a.json", ["x/1.jpg", "x/2.jpg"])
    with pytest.raises(UserError, match=r"none of the 2 images.*images.*x/1\.jpg"):
        sources.load(tmp_path / "images", annotations, min_size=8, min_boxes=1)


@pytest.mark.parametrize("annotated", [False, True])
def test_a_missing_or_empty_folder_is_named(tmp_path, annotated):
    annotations = annotate(tmp_path / "a.json", ["1.jpg"]) if annotated else ""
    with pytest.raises(UserError, match="nowhere"):
        sources.load(tmp_path / "nowhere", annotations)
    (tmp_path / "bare").mkdir()
    with pytest.raises(UserError, match="bare"):
        sources.load(tmp_path / "bare", annotations)


def test_a_sample_is_drawn_from_the_good_ones_by_the_seed(tmp_path):
    for number in range(30):
        size = 20 if number % 3 else 8
        save(noise(size, size, number), tmp_path / f"p{number:02d}.png")
    everything = ids(sources.load(tmp_path, min_size=16)[0])
    photos, counts = sources.load(tmp_path, min_size=16, sample=7, seed=1)
    again, _ = sources.load(tmp_path, min_size=16, sample=7, seed=1, num_workers=3)
    assert photos == again and len(photos) == counts["kept"] == 7
    assert set(ids(photos)) <= set(everything) and ids(photos) == sorted(ids(photos))
    assert counts["read"] == 30 == 7 + sum(counts["dropped"].values())
    assert counts["dropped"][sources.NOT_DRAWN] > 0
    assert ids(sources.load(tmp_path, min_size=16, sample=7, seed=2)[0]) != ids(photos)
    larger = ids(sources.load(tmp_path, min_size=16, sample=12, seed=1)[0])
    assert set(ids(photos)) < set(larger)  # the draw goes on where the smaller one stopped
    assert ids(sources.load(tmp_path, min_size=16, sample=99)[0]) == everything


def test_every_photo_is_drawn_as_often_as_every_other():
    photos = [Photo(f"p{number}", None) for number in range(10)]
    places = np.zeros((10, 10))
    for seed in range(2000):
        for place, photo in enumerate(sources._drawing_order(photos, seed)):
            places[int(photo.photo_id[1:]), place] += 1
    assert abs(places / 2000 - 0.1).max() < 0.03


def test_class_folders(tmp_path):
    for name in ("cat/1.png", "cat/2.png", "dog/deep/1.png", "stray.png"):
        save(noise(9, 9), tmp_path / name)
    photos, counts = sources.load(tmp_path, min_size=9, source="classes")
    assert ids(photos) == ["cat/1.png", "cat/2.png", "dog/deep/1.png"]
    assert counts["dropped"] == {sources.NO_CLASS: 1}
    flat = save(noise(9, 9), tmp_path / "flat" / "a.png").parent
    with pytest.raises(UserError, match="no class folders"):
        sources.load(flat, min_size=9, source="classes")
