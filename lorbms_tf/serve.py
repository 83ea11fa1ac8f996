"""A server for exported models, for one machine, with a page to play with:

python -m lorbms_tf.serve --export_dir=served/lorbms [--port=8501] [--host=127.0.0.1]
python -m lorbms_tf.serve --write_page=page.html
"""

import socket
from dataclasses import dataclass
from pathlib import Path

from lorbms_tf import files
from lorbms_tf.cli import command, flags
from lorbms_tf.cli.settings import require, setting
from lorbms_tf.errors import UserError


@dataclass(frozen=True, kw_only=True)
class ServeConfig:
    """What is served, where, and how much a client may ask."""

    export_dir: str = setting("", "Folder of versions that `export --export_dir` has written.")
    model_name: str = setting("lorbms", "The model's name in the addresses.")
    port: int = setting(8501, "TCP port; 0: any that is free.")
    host: str = setting("127.0.0.1", "Address to listen on; 0.0.0.0: of all networks.")
    enable_cors_support: bool = setting(
        False, "Let pages of other origins use the server, also a page that was opened as a file."
    )
    max_body_mb: int = setting(64, "Largest body of a request, megabytes.")
    max_megapixels: int = setting(50, "Largest picture that is decoded, in millions of pixels.")
    max_waiting: int = setting(256, "Requests that may wait; more are turned away with 503.")
    write_page: str = setting("", "Only write the page to this file; it finds a server by itself.")

    def validate(self) -> None:
        """Raises UserError, naming the flag, for the first bad setting."""
        if self.write_page:
            return
        if not self.export_dir:
            raise UserError(
                "--export_dir is required: the folder that lorbms_tf.export has written"
            )
        if not self.model_name or any(sign in self.model_name for sign in "/:?#"):
            raise UserError(f"--model_name={self.model_name} is not valid: a name without / : ? #")
        require("port", self.port, minimum=0, below=65536)
        for name in ("max_body_mb", "max_megapixels", "max_waiting"):
            require(name, getattr(self, name), minimum=1)


def listening_socket(config: ServeConfig) -> socket.socket:
    """A socket that listens on --host and --port; what it accepts sends at once.

    Raises UserError, naming the flags, where the port is taken.
    """
    try:
        listener = socket.create_server((config.host, config.port), backlog=512)
    except OSError as error:
        raise UserError(
            f"cannot listen on --host={config.host} --port={config.port}: {error.strerror}"
        ) from error
    # An answer goes out as two writes. Without this the second waits until the client has
    # acknowledged the first, which clients put off for 40 ms.
    listener.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return listener


def serve(config: ServeConfig) -> None:
    """Serves until it is stopped. UserError where there is no export, or the port is taken."""
    config.validate()
    try:
        import uvicorn

        from lorbms_tf.serving.rest.app import Limits, Rest, application
    except ModuleNotFoundError as error:
        raise UserError(
            f"lorbms_tf.serve needs the package {error.name}: {command.install('serve')}"
        ) from error
    from lorbms_tf.serving.rest.page import page
    from lorbms_tf.serving.rest.versions import Versions

    limits = Limits(config.max_body_mb << 20, config.max_megapixels * 10**6, config.max_waiting)
    with Versions(Path(config.export_dir)) as versions, listening_socket(config) as listener:
        rest = Rest(config.model_name, versions, limits, lambda: page(config.model_name))
        host, port = listener.getsockname()[:2]
        print(
            f"serving version {versions.get().number} of {config.export_dir} as "
            f"{config.model_name}\n"
            f"  page      http://{host}:{port}/\n"
            f"  REST      http://{host}:{port}/v1/models/{config.model_name}:predict\n"
            "This server is for one machine and a few people. TensorFlow Serving serves the same "
            "folder to many.",
            flush=True,
        )
        app = application(rest, config.enable_cors_support)
        settings = uvicorn.Config(app, log_level="warning", lifespan="off", timeout_keep_alive=30)
        uvicorn.Server(settings).run(sockets=[listener])


def main(argv) -> None:
    """Serves, or writes the page."""
    command.refuse_arguments(argv)
    config = flags.read(ServeConfig)
    if not config.write_page:
        serve(config)
        return
    from lorbms_tf.serving.rest.page import page

    with files.atomic_path(config.write_page) as temporary:
        temporary.write_text(page(config.model_name), "utf-8")
    print(f"wrote {config.write_page}; open it with ?server=http://HOST:PORT&model=NAME")


def console_main() -> None:
    """Entry point of the console script `lorbms-serve`."""
    flags.define(ServeConfig)
    command.run(main)


if __name__ == "__main__":
    console_main()
