"""The page in a real browser: photos are mixed by mouse and by keyboard, a bad file is named."""

import contextlib
import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from lorbms_tf.data import images
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from tests import tiny
from tests.lorbms.test_segments import GRID

pytestmark = [pytest.mark.extras, pytest.mark.browser]
ROOT = Path(__file__).resolve().parents[3]
OPTIONS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
]  # fmt: skip
PATIENCE = 120_000  # milliseconds; only what hangs takes so long


@contextlib.contextmanager
def served(folder, config):
    """The address of a server of a model with random weights."""
    saved_model.write(Lorbms(config, seed=1), folder / "1")
    command = [
        sys.executable, "-m", "lorbms_tf.serve", f"--export_dir={folder}", "--port=0",
        "--enable_cors_support",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, cwd=ROOT, stdout=subprocess.PIPE, text=True, env=environment
    ) as process:
        process.stdout.readline()
        yield process.stdout.readline().split()[-1]
        process.terminate()


@pytest.fixture(scope="module")
def address(tmp_path_factory):
    with served(tmp_path_factory.mktemp("served"), tiny.config()) as address:
        yield address


@pytest.fixture(scope="module")
def browser():
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=OPTIONS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser):
    page = browser.new_page()
    page.set_default_timeout(PATIENCE)
    page.said = []
    page.on("console", lambda message: page.said.append(message.text))
    page.on("pageerror", lambda error: page.said.append(str(error)))
    yield page
    page.close()


def state(page, text: str) -> str:
    """The line at the top, once it has a text."""
    page.wait_for_function(f"document.getElementById('state').textContent.includes({text!r})")
    return page.text_content("#state")


def next_mix(page, before: str | None) -> str:
    page.wait_for_function("before => document.getElementById('mix').src !== before", arg=before)
    return page.get_attribute("#mix", "src")


def test_photos_are_mixed_and_a_bad_file_is_named(page, address, tmp_path):
    page.goto(address)
    assert "a chunk has 4 numbers" in state(page, "encoded")
    examples = page.locator("#photos li").count()
    mix = page.get_attribute("#mix", "src")
    files = [tmp_path / name for name in ("a.jpg", "b.jpg", "c.jpg", "broken.jpg")]
    for number, path in enumerate(files):
        path.write_bytes(images.encode_jpeg(tiny.noise(number, 48)))
    files[-1].write_bytes(b"\xff\xd8\xff no picture")
    page.set_input_files("#files", files)
    assert state(page, "not usable") == f"{examples + 3} photos encoded; not usable: broken.jpg"
    assert "broken.jpg: no picture" in page.text_content("#photos")

    page.locator("#quadrants button").nth(0).click()
    mix = next_mix(page, mix)
    page.locator("#quadrants button").nth(3).click()
    mix = next_mix(page, mix)
    assert mix.startswith("data:image/png;base64,iVBOR")
    assert page.get_attribute("#download", "href") == mix
    assert "decode_bytes" in page.text_content("#curl")
    page.click("#draw-all")
    page.wait_for_function("document.querySelectorAll('#grid img').length === 16")
    assert state(page, "all 16 mixes of ")
    assert page.said == []


def test_the_keyboard_alone_is_enough(page, address):
    page.goto(address)
    state(page, "encoded")
    mix = next_mix(page, None)
    for _ in range(60):
        if page.evaluate("document.activeElement.parentElement?.id") == "quadrants":
            break
        page.keyboard.press("Tab")
    label = "document.activeElement.getAttribute('aria-label')"
    assert page.evaluate(label) == "top left: the scene's own"
    page.keyboard.press("ArrowDown")
    page.keyboard.press("3")
    mix = next_mix(page, mix)
    assert page.evaluate(label).startswith("bottom left: from ")
    page.keyboard.press("Delete")
    next_mix(page, mix)
    assert page.evaluate(label) == "bottom left: the scene's own"
    assert page.said == []


def test_the_page_opens_alone_as_a_file(page, address, tmp_path):
    from lorbms_tf.serving.rest.page import page as html

    path = tmp_path / "page.html"
    path.write_text(html("other"), "utf-8")
    page.goto(f"{path.as_uri()}?server={address}&model=lorbms")
    assert "by lorbms" in state(page, "encoded by")
    page.goto(f"{path.as_uri()}?server=http://127.0.0.1:9")
    assert "no answer from http://127.0.0.1:9/v1/models/other" in state(page, "no answer")


def test_photos_wait_for_a_server_that_is_away(page, address, tmp_path):
    page.goto(address)
    state(page, "encoded")
    examples = page.locator("#photos li").count()
    path = tmp_path / "a.jpg"
    path.write_bytes(images.encode_jpeg(tiny.noise(0, 48)))
    page.route("**:predict", lambda route: route.abort())
    page.set_input_files("#files", path)
    assert state(page, "waiting") == f"{examples} photos encoded; waiting for the server: a.jpg"
    page.unroute("**:predict")
    assert state(page, f"{examples + 1} photos encoded") == f"{examples + 1} photos encoded"
    # Where the chooser still named the file, a browser would see no change.
    assert page.evaluate("document.getElementById('files').value") == ""


def test_what_stands_in_the_curl_line_is_one_word(page, address):
    page.goto(address)
    state(page, "encoded")
    for text in ("http://host:1/v1", 'it\'s; $(rm x) `y` \\ "z"'):
        assert shlex.split(page.evaluate("quoted", text)) == [text]
    words = shlex.split(page.text_content("#curl"))
    assert words[:2] == ["curl", "-d"] and words[3] == f"{address}v1/models/lorbms:predict"


def test_a_model_of_sixteen_cells(page, tmp_path):
    with served(tmp_path, tiny.config(**GRID)) as address:
        page.goto(address)
        state(page, "encoded")
        mix = next_mix(page, None)
        cells = page.locator("#quadrants button")
        assert cells.count() == 16
        cells.nth(6).click()
        label = "document.activeElement.getAttribute('aria-label')"
        assert page.evaluate(label).startswith("row 2, column 3: from ")
        mix = next_mix(page, mix)
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowRight")
        page.keyboard.press("ArrowRight")  # the last column stays
        page.keyboard.press("2")
        assert page.evaluate(label).startswith("row 3, column 4: from ")
        next_mix(page, mix)
        whole = page.locator("#quadrants").bounding_box()
        for i in range(16):  # all of one size, those with a number in them, too
            box = cells.nth(i).bounding_box()
            assert box["width"] == pytest.approx(whole["width"] / 4, abs=1)
            assert box["y"] - whole["y"] == pytest.approx(whole["height"] * (i // 4) / 4, abs=1)
        page.click("#draw-all")
        page.wait_for_function("document.querySelectorAll('#grid img').length === 16")
        assert page.evaluate("[0, 3, 5, 6, 12, 15].map(quadrantOf)") == [0, 1, 0, 1, 2, 3]
        assert page.said == []
