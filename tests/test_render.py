import functools

import pytest
from absl import flags as absl_flags
from PIL import Image

from lorbms_tf import render
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms import rendering
from lorbms_tf.lorbms.rendering import RenderConfig
from lorbms_tf.training import run_directory
from tests import tiny


@pytest.fixture(scope="module", autouse=True)
def load_once():
    """The model is loaded once for all tests of this file: loading is what takes time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(run_directory, "load_model", functools.cache(run_directory.load_model))
        yield


def draw(name, config):
    return render.render(rendering.SHEETS[name], config)


def photo(path, width=80, height=50, number=0):
    colour = tuple(int(v) for v in tiny.picture(number)[0, 0])
    Image.new("RGB", (width, height), colour).save(path)
    return str(path)


def size_of(path):
    with Image.open(path) as picture:
        return picture.size


def test_scenes_draw_one_row_a_record(run_dir, glob, tmp_path):
    sizes = {}
    for rows in (2, 4, 99):
        config = RenderConfig(
            run_dir=run_dir, records=glob, rows=rows, cell=32, out=str(tmp_path / f"{rows}.png")
        )
        sizes[rows] = size_of(draw("scenes", config))
    row = (sizes[4][1] - sizes[2][1]) / 2
    assert sizes[99][1] - sizes[4][1] == row  # five records: five rows
    assert sizes[2][0] == 6 + 7 * 38


def test_scenes_are_the_same_for_the_same_seed(run_dir, glob, tmp_path):
    def drawn(name, seed):
        config = RenderConfig(
            run_dir=run_dir, records=glob, seed=seed, cell=32, out=str(tmp_path / name)
        )
        return draw("scenes", config).read_bytes()

    assert drawn("a.png", 0) == drawn("b.png", 0) != drawn("c.png", 1)


def test_scenes_by_masks_that_are_given(run_dir, glob, tmp_path):
    def drawn(name, mask):
        return draw(
            "scenes",
            RenderConfig(
                run_dir=run_dir, records=glob, mask=mask, cell=32, out=str(tmp_path / name)
            ),
        ).read_bytes()

    assert len({drawn(f"m{mask}.png", mask) for mask in ("", "1111", "0000", "1111,0000")}) == 4


def test_reconstructions_draw_two_records_a_row(run_dir, glob, tmp_path):
    config = RenderConfig(
        run_dir=run_dir, records=glob, rows=2, cell=32, out=str(tmp_path / "r.png")
    )
    assert size_of(draw("reconstructions", config))[0] == 6 + 4 * 38


def between_photos(run_dir, folder, **changes):
    """A configuration with an object's photo and a scene's, made here."""
    return RenderConfig(
        run_dir=run_dir,
        object=photo(folder / "car.jpg"),
        scene=photo(folder / "street.png", number=1),
        cell=32,
        out=str(folder / "out.png"),
        **changes,
    )


def test_transfer_of_one_pair(run_dir, tmp_path):
    config = between_photos(run_dir, tmp_path, mask="0010")
    assert size_of(draw("transfer", config))[0] == 6 + 5 * 38


def test_paths_draw_both_kinds_from_the_scene_to_the_object(run_dir, tmp_path):
    config = between_photos(run_dir, tmp_path, mask="1111", steps=3)
    width, height = size_of(draw("paths", config))
    assert width == 6 + 5 * 38 and height > 2 * 38


def test_transfer_of_a_list(run_dir, tmp_path):
    photo(tmp_path / "car.jpg")
    photo(tmp_path / "a street.jpg")
    (tmp_path / "pairs.csv").write_text(
        "# object, scene, mask\n\ncar.jpg,a street.jpg,0010\n a street.jpg, car.jpg, 1100 \n"
    )
    pairs = rendering.read_pairs(str(tmp_path / "pairs.csv"))
    assert [pair.object.name for pair in pairs] == ["car.jpg", "a street.jpg"]
    assert [pair.mask.astype(int).tolist() for pair in pairs] == [[0, 0, 1, 0], [1, 1, 0, 0]]
    config = RenderConfig(
        run_dir=run_dir, pairs=str(tmp_path / "pairs.csv"), cell=32, out=str(tmp_path / "t.png")
    )
    assert size_of(draw("transfer", config))[1] > 2 * 38


@pytest.mark.parametrize(
    "line, reason",
    [
        ("car.jpg,car.jpg", "line 2: OBJECT,SCENE,MASK expected"),
        ("car.jpg,car.jpg,0210", "line 2: mask '0210'"),
        ("car.jpg,absent.jpg,0010", "line 2: there is no photo absent.jpg"),
    ],
)
def test_a_bad_line_of_a_list_is_named(tmp_path, line, reason):
    photo(tmp_path / "car.jpg")
    path = tmp_path / "pairs.csv"
    path.write_text(f"car.jpg,car.jpg,0010\n{line}\n")
    with pytest.raises(UserError, match=reason) as caught:
        rendering.read_pairs(str(path))
    assert str(path) in str(caught.value)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_lists_of_other_programs(tmp_path, encoding):
    photo(tmp_path / "caf\u00e9.jpg")
    path = tmp_path / "pairs.csv"
    path.write_bytes("caf\u00e9.jpg,caf\u00e9.jpg,0010\r\n".encode(encoding))
    assert [pair.object.name for pair in rendering.read_pairs(str(path))] == ["caf\u00e9.jpg"]
    path.write_text(f"{'a' * 300}.jpg,caf\u00e9.jpg,0010\n")
    with pytest.raises(UserError, match=r"line 1: there is no photo a{300}\.jpg"):
        rendering.read_pairs(str(path))


def test_lists_that_are_no_lists(tmp_path):
    with pytest.raises(UserError, match="--pairs=.* cannot be read"):
        rendering.read_pairs(str(tmp_path / "absent"))
    (tmp_path / "empty").write_text("# nothing\n")
    with pytest.raises(UserError, match="holds no line"):
        rendering.read_pairs(str(tmp_path / "empty"))
    (tmp_path / "binary").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(UserError, match="binary is not text in UTF-16"):
        rendering.read_pairs(str(tmp_path / "binary"))


@pytest.mark.parametrize(
    "subcommand, given, reason",
    [
        ("transfer", {"mask": "0012"}, "mask '0012' is not valid"),
        ("transfer", {"mask": "0010", "scene": "absent.jpg"}, "absent.jpg"),
        ("transfer", {"mask": "", "object": "", "scene": "", "pairs": "absent.csv"}, "absent.csv"),
        ("scenes", {"object": "", "scene": "", "records": "absent*"}, "absent"),
        (
            "scenes",
            {"object": "", "scene": "", "records": "r", "mask": "0010,11"},
            "--mask: mask '11' is not valid",
        ),
    ],
)
def test_mistakes_are_said_before_the_model_is_loaded(
    run_dir, tmp_path, monkeypatch, subcommand, given, reason
):
    def load(_):
        raise AssertionError("the model was loaded")

    monkeypatch.setattr(run_directory, "load_model", load)
    car = photo(tmp_path / "car.jpg")
    values = {"run_dir": run_dir, "out": "s.png", "object": car, "scene": car, **given}
    with pytest.raises(UserError, match=reason):
        draw(subcommand, RenderConfig(**values))


def test_records_of_another_size_are_refused(run_dir, tmp_path):
    wrong = tiny.write_records(tmp_path / "records", count=1, size=16)
    config = RenderConfig(run_dir=run_dir, records=wrong, out=str(tmp_path / "s.png"))
    with pytest.raises(UserError, match="16 pixels"):
        draw("scenes", config)


def test_damaged_records_are_left_out_where_that_is_asked_for(run_dir, tmp_path):
    glob = tiny.write_records(tmp_path / "records", count=3)
    shard = next((tmp_path / "records").glob("*.tfrecord-*"))
    raw = bytearray(shard.read_bytes())
    raw[100] ^= 1  # in the data of the first
    shard.write_bytes(raw)
    given = {"run_dir": run_dir, "records": glob, "cell": 32, "rows": 2}
    with pytest.raises(UserError, match="record 0"):
        draw("scenes", RenderConfig(**given, out=str(tmp_path / "s.png")))
    config = RenderConfig(**given, max_bad_records=1, out=str(tmp_path / "s.png"))
    assert draw("scenes", config).is_file()


@pytest.mark.parametrize(
    "subcommand, given, reason",
    [
        ("scenes", {}, "--records is required by `render scenes`"),
        ("pasted", {"records": "r", "mask": "0010"}, "--mask does not belong to `render pasted`"),
        ("reconstructions", {"records": "r", "pairs": "p"}, "--pairs does not belong"),
        ("transfer", {"pairs": "p", "records": "r"}, "--records does not belong"),
        ("transfer", {}, "`render transfer` needs either"),
        ("paths", {"object": "a"}, "`render paths` needs either"),
        ("paths", {"records": "r"}, "--records does not belong to `render paths`"),
        ("transfer", {"object": "a", "mask": "0010"}, "needs either"),
        ("transfer", {"pairs": "p", "object": "a", "scene": "b", "mask": "0010"}, "needs either"),
        ("scenes", {"records": "r"}, "--run_dir=nowhere is no run directory"),
    ],
)
def test_wrong_flags_are_named(subcommand, given, reason):
    with pytest.raises(UserError, match=reason):
        draw(subcommand, RenderConfig(run_dir="nowhere", out="s.png", **given))


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"out": "s.png"}, "--run_dir is required"),
        ({"run_dir": "r"}, "--out is required"),
        ({"run_dir": "r", "out": "s.jpg"}, "--out=s.jpg is not valid: the name must end in .png"),
        ({"run_dir": "r", "out": "s.png", "rows": 0}, "--rows=0"),
        ({"run_dir": "r", "out": "s.png", "cell": 0}, "--cell=0"),
        ({"run_dir": "r", "out": "s.png", "steps": 1}, "--steps=1"),
    ],
)
def test_settings_are_validated(given, reason):
    with pytest.raises(UserError, match=reason):
        RenderConfig(**given).validate()


@pytest.mark.parametrize("words", [[], ["portraits"]])
def test_an_unknown_subcommand_lists_the_valid_ones(words):
    with pytest.raises(UserError, match="scenes, transfer, paths, reconstructions"):
        render.main(["render", *words])


def test_a_stray_word_is_refused():
    with pytest.raises(UserError, match="unexpected argument 'sheet.png'"):
        render.main(["render", "scenes", "sheet.png"])


def test_importing_the_door_defines_no_flags():
    assert "pairs" not in absl_flags.FLAGS


def test_pasted_shows_what_the_algorithm_puts_together(run_dir, glob, tmp_path):
    config = RenderConfig(
        run_dir=run_dir, records=glob, rows=3, cell=32, out=str(tmp_path / "p.png")
    )
    width, height = size_of(draw("pasted", config))
    assert width in (6 + 2 * 38, 6 + 4 * 38, 6 + 6 * 38) and height > 38
