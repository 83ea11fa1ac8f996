"""The server in its own process, asked as clients ask, rightly and wrongly."""

import base64
import concurrent.futures
import http.client
import io
import json
import os
import select
import socket
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from lorbms_tf.data import images
from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from tests import tiny

pytestmark = pytest.mark.extras
ROOT = Path(__file__).resolve().parents[3]
PREDICT = "/v1/models/tiny:predict"


@pytest.fixture(scope="module")
def model():
    return Lorbms(tiny.config(), seed=1)


@pytest.fixture(scope="module")
def port(model, tmp_path_factory):
    """The port of a server for `model`."""
    folder = tmp_path_factory.mktemp("served")
    saved_model.write(model, folder / "3")
    command = [
        sys.executable, "-m", "lorbms_tf.serve", f"--export_dir={folder}", "--model_name=tiny",
        "--port=0", "--max_body_mb=1", "--max_megapixels=1",
    ]  # fmt: skip
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as process:
        lines = [process.stdout.readline() for _ in range(4)]
        assert "serving version 3" in lines[0] and "one machine" in lines[3], process.stderr.read()
        yield int(lines[1].rsplit(":", 1)[1].strip("/\n"))
        process.terminate()
        process.wait()


def ask(port: int, path: str, body=None, method: str = "") -> tuple[int, dict]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    data = body if isinstance(body, bytes | None) else json.dumps(body).encode()
    connection.request(method or ("GET" if body is None else "POST"), path, data)
    answer = connection.getresponse()
    return answer.status, json.loads(answer.read())


def photo(seed: int, size: int = 40) -> np.ndarray:
    return tiny.noise(seed, size)


def png(pixels: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(pixels).save(buffer, "PNG")
    return buffer.getvalue()


def b64(data: bytes) -> dict:
    return {"b64": base64.b64encode(data).decode()}


def floats(pixels: np.ndarray) -> np.ndarray:
    return images.to_float(images.central(pixels, tiny.IMAGE_SIZE))


def test_pictures_are_encoded_mixed_and_decoded_as_the_model_does(port, model):
    pixels = [photo(i) for i in range(5)]
    status, answer = ask(
        port, PREDICT, {"signature_name": "encode_bytes", "instances": [b64(png(pixels[0]))]}
    )
    expected = np.asarray(model.encode(floats(pixels[0])[None]))
    assert status == 200
    np.testing.assert_allclose(answer["predictions"], expected, rtol=1e-4, atol=1e-5)

    mask = [True, False, False, True]
    body = {
        "signature_name": "mix_bytes",
        "inputs": {
            "reference_bytes": [b64(png(pixels[0]))],
            "candidates_bytes": [[b64(png(p)) for p in pixels[1:]]],
            "mask": [mask],
        },
    }
    status, answer = ask(port, "/v1/models/tiny/versions/3:predict", body)
    candidates = np.stack([floats(p) for p in pixels[1:]])[None]
    codes = model.mix_codes(floats(pixels[0])[None], candidates, np.array([mask]))[1]
    made = answer["outputs"]
    assert status == 200
    np.testing.assert_allclose(made["codes"], codes, rtol=1e-4, atol=1e-5)
    shown = images.decode_jpeg(base64.b64decode(made["image_bytes"][0]["b64"]))
    expected = images.to_uint8(np.asarray(model.decode(codes))[0])
    assert np.max(np.abs(shown.astype(int) - expected)) <= 1

    status, answer = ask(port, PREDICT, {"instances": np.asarray(codes).tolist()})
    np.testing.assert_allclose(answer["predictions"], model.decode(codes), rtol=1e-4, atol=1e-4)


def test_status_and_metadata_are_the_protos_json(port):
    from google.protobuf import json_format
    from tensorflow_serving.apis import get_model_metadata_pb2

    status, answer = ask(port, "/v1/models/tiny")
    assert status == 200 and answer["model_version_status"][0]["state"] == "AVAILABLE"
    status, answer = ask(port, "/v1/models/tiny/versions/3/metadata")
    message = get_model_metadata_pb2.GetModelMetadataResponse()
    json_format.ParseDict(answer, message)
    assert message.model_spec.version.value == 3
    signatures = get_model_metadata_pb2.SignatureDefMap()
    assert message.metadata["signature_def"].Unpack(signatures)
    sizes = signatures.signature_def["encode"].inputs["images"].tensor_shape.dim
    assert [dim.size for dim in sizes] == [-1, 32, 32, 3]


def huge_png() -> bytes:
    """A small file of 10,000 px squared."""

    def chunk(text: bytes) -> bytes:
        return (len(text) - 4).to_bytes(4, "big") + text + zlib.crc32(text).to_bytes(4, "big")

    size = (10_000).to_bytes(4, "big")
    rest = chunk(b"IDAT" + zlib.compress(bytes(30_001))) + chunk(b"IEND")
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR" + size + size + b"\x08\x02\0\0\0") + rest


def long_gif() -> bytes:
    """500 frames of 64 px squared: each of them is small."""
    buffer = io.BytesIO()
    frames = [Image.new("L", (64, 64), i % 256) for i in range(500)]
    frames[0].save(buffer, "GIF", save_all=True, append_images=frames[1:])
    return buffer.getvalue()


ENCODE = "encode_bytes"
WRONG = {
    "no JSON": (b"{", 400, "no JSON"),
    "empty": (b"", 400, "empty"),
    "neither": ({}, 400, "neither"),
    "both": ({"instances": [], "inputs": []}, 400, "both"),
    "unknown signature": ({"signature_name": "x", "instances": []}, 400, "no signature 'x'; valid"),
    "shape": ({"instances": [[1, 2]]}, 400, "too few dimensions"),
    "null": ({"instances": [None]}, 400, "null"),
    "NaN": (b'{"instances": [NaN]}', 400, "NaN"),
    "ragged": ({"instances": [[[[1] * 4, [1] * 4], [[1] * 4]]]}, 400, "1 entries where 2"),
    "base64": ({"signature_name": ENCODE, "instances": [{"b64": "!"}]}, 400, "bad base64"),
    "no picture": ({"signature_name": ENCODE, "instances": [b64(b"text")]}, 400, "no picture"),
    "no bytes": ({"signature_name": ENCODE, "instances": [b64(b"")]}, 400, "no bytes"),
    "small": ({"signature_name": ENCODE, "instances": [b64(png(photo(0, 9)))]}, 400, "smaller"),
    "huge": ({"signature_name": ENCODE, "instances": [b64(huge_png())]}, 413, "10000x10000"),
    "frames": ({"signature_name": ENCODE, "instances": [b64(long_gif())]}, 413, "500 frames"),
    "long number": (b'{"instances": [' + b"9" * 5000 + b"]}", 400, "no JSON"),
    "large body": (b" " * (1 << 20) + b"{}", 413, "more than 1048576 bytes"),
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_wrong_is_named(port, name):
    body, status, message = WRONG[name]
    seen, answer = ask(port, PREDICT, body)
    assert seen == status and message in answer["error"]


def test_truncated_jpegs_and_unknown_addresses(port):
    whole = images.encode_jpeg(photo(0, 60))
    body = {"signature_name": ENCODE, "instances": [b64(whole[: len(whole) // 2])]}
    status, answer = ask(port, PREDICT, body)
    assert status == 400 and "Invalid JPEG data" in answer["error"]
    unknown = ("4", "9" * 30, "9" * 5000)
    versions = [f"/v1/models/tiny/versions/{number}" for number in unknown]
    for path in ("/v1/models/other", *versions, "/nothing"):
        status, answer = ask(port, path)
        assert status == 404 and answer["error"]
    assert ask(port, "/v1/models/other:predict", {"instances": []})[0] == 404
    assert ask(port, PREDICT)[0] == 405


def test_clients_that_hang_up_and_many_at_once(port):
    for _ in range(3):
        with socket.create_connection(("127.0.0.1", port)) as client:
            client.sendall(
                f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 999\r\n\r\n{{".encode()
            )
    body = {"instances": np.zeros((1, 2, 2, 4)).tolist()}
    with concurrent.futures.ThreadPoolExecutor(200) as pool:
        answers = list(pool.map(lambda _: ask(port, PREDICT, body)[0], range(200)))
    assert set(answers) == {200}


def test_a_queue_has_an_end(port):
    """Requests whose bodies do not come wait, and hold no place for ever."""
    waiting = [socket.create_connection(("127.0.0.1", port)) for _ in range(257)]
    try:
        for client in waiting:
            client.sendall(
                f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n".encode()
            )
        seen = set()
        for _ in range(100):
            status, answer = ask(port, PREDICT, {"instances": []})
            seen.add(status)
            if status == 503:
                assert "waiting" in answer["error"]
                break
        assert 503 in seen
    finally:
        for client in waiting:
            client.close()
    for _ in range(100):
        if ask(port, PREDICT, {"instances": []})[0] == 200:
            return
    pytest.fail("the places of clients that hung up were not given back")


def test_large_bodies_that_wait_have_an_end_together(port):
    """Four times the largest are held; the fifth is turned away, and hanging up frees the place."""
    head = f"POST {PREDICT} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n"
    clients = [socket.create_connection(("127.0.0.1", port), timeout=60) for _ in range(5)]
    try:
        for client in clients:
            client.sendall(head.encode() + b" " * 900_000)
        readable, _, _ = select.select(clients, [], [], 60)
        assert readable and b" 503 " in readable[0].recv(100)
    finally:
        for client in clients:
            client.close()
    large = json.dumps({"instances": []}).encode().ljust(900_000)
    for _ in range(100):
        if ask(port, PREDICT, large)[0] == 200:
            return
    pytest.fail("the memory of clients that hung up was not given back")


def test_the_page_asks_nobody_else(port):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    connection.request("GET", "/")
    answer = connection.getresponse()
    text = answer.read().decode()
    assert answer.status == 200 and answer.getheader("content-type").startswith("text/html")
    assert 'const MODEL = "tiny"' in text and text.count("data:image/png") >= 6
    assert "/*" not in text.split("<script>")[0]
    assert not [word for word in ("https://", 'src="http', "@import") if word in text]


def test_a_port_that_is_taken_and_a_folder_without_a_model(port, tmp_path, model):
    def said(*words):
        command = [sys.executable, "-m", "lorbms_tf.serve", *words]
        done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=120)
        assert done.returncode == 1
        return done.stderr.strip().splitlines()[-1]

    assert "holds no exported model" in said(f"--export_dir={tmp_path}")
    saved_model.write(model, tmp_path / "1")
    line = said(f"--export_dir={tmp_path}", f"--port={port}")
    assert f"--port={port}: Address already in use" in line
