import socket

import pytest

from lorbms_tf import serve
from lorbms_tf.errors import UserError


def config(**settings) -> serve.ServeConfig:
    return serve.ServeConfig(export_dir="served", **settings)


def test_an_answer_of_two_writes_does_not_wait_between_them():
    with (
        serve.listening_socket(config(port=0)) as listener,
        socket.create_connection(listener.getsockname()),
        listener.accept()[0] as accepted,
    ):
        assert accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)


def test_a_port_that_is_taken_and_a_host_that_is_none():
    with serve.listening_socket(config(port=0)) as listener:
        port = listener.getsockname()[1]
        with pytest.raises(UserError, match=f"--host=127.0.0.1 --port={port}: Address already"):
            serve.listening_socket(config(port=port))
    with pytest.raises(UserError, match="cannot listen on --host=192.0.2.1"):
        serve.listening_socket(config(host="192.0.2.1", port=0))


@pytest.mark.parametrize(
    "settings, named",
    [
        ({"port": 65536}, "--port"),
        ({"model_name": "a/b"}, "--model_name"),
        ({"max_body_mb": 0}, "--max_body_mb"),
    ],
)
def test_a_bad_flag_is_named(settings, named):
    with pytest.raises(UserError, match=named):
        config(**settings).validate()
