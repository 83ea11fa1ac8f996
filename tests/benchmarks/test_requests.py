import contextlib
import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from lorbms_tf.benchmarks import requests
from lorbms_tf.errors import UserError


@contextlib.contextmanager
def answering(status: int, bodies: list):
    """The address of a server that answers all requests alike, and keeps their bodies."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            bodies.append(self.rfile.read(int(self.headers["Content-Length"])))
            self.send_response(status)
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"no")

        def log_message(self, *_):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/v1/models/m:predict"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("clients, count", [(1, 5), (3, 6), (4, 8)])
def test_every_client_asks_in_turn(clients, count):
    bodies: list = []
    with answering(200, bodies) as address:
        made = requests.rates(address, b"question", clients, 5)
    assert bodies == [b"question"] * count
    assert made["requests_per_s"] > 0 and 0 < made["p50_ms"] <= made["p99_ms"]


def test_a_refusal_is_told():
    with (
        answering(503, []) as address,
        pytest.raises(UserError, match="m:predict answers: no"),
    ):
        requests.rates(address, b"question", 2, 4)


def test_a_server_that_is_away_is_told():
    with answering(200, []) as address:
        pass
    with pytest.raises(UserError, match="answers: .*refused"):
        requests.rates(address, b"question", 1, 1)


def test_a_body_names_the_signature():
    body = json.loads(requests.rest_body("decode_bytes", [[1.5]]))
    assert body == {"signature_name": "decode_bytes", "instances": [[1.5]]}


def test_a_server_that_does_not_start_says_why(tmp_path):
    with pytest.raises(UserError, match="does not start: .*error: "), requests.server(tmp_path):
        pass
