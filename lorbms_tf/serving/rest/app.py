"""TensorFlow Serving's REST contract for one model, and a page to play with it.

    POST /v1/models/NAME[/versions/N]:predict     {"instances": ...} or {"inputs": ...}
    GET  /v1/models/NAME[/versions/N]             which versions are served
    GET  /v1/models/NAME[/versions/N]/metadata    signatures, as the protos' JSON
    GET  /                                        the page

Errors are {"error": "..."} with status 400, 404, 405, 413 or 503. One prediction runs at a time.
"""

import asyncio
import json
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from google.protobuf import json_format
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.convertors import IntegerConvertor, register_url_convertor
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.cors import CORSMiddleware
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route
from tensorflow_serving.apis import get_model_metadata_pb2

from lorbms_tf.serving.rest import headers, tensors
from lorbms_tf.serving.rest.tensors import BadRequest
from lorbms_tf.serving.rest.versions import Version, Versions

_BODIES = 4  # largest ones that memory is for
_BYTES = "_bytes"  # what the names of pictures' inputs end in


class _VersionConvertor(IntegerConvertor):
    """A number as the protos hold it: int() refuses one of thousands of digits."""

    regex = "[0-9]{1,18}"


register_url_convertor("version", _VersionConvertor())


class Limits(NamedTuple):
    """What one client may take of the machine.

    body_bytes: of a request; those that wait may hold four times as many together (else 503).
    pixels: of a picture, by its header.
    waiting: requests that may wait for the one that is computed; more are turned away (503).
    """

    body_bytes: int = 64 << 20
    pixels: int = 50_000_000
    waiting: int = 256


class Rest:
    """The handlers of one model.

    Args:
      name: of the model, in the addresses.
      versions: what is served.
      limits: see `Limits`.
      page: () -> the HTML of the page.
    """

    def __init__(self, name: str, versions: Versions, limits: Limits, page: Callable[[], str]):
        self._name, self._versions, self._limits, self._page = name, versions, limits, page
        self._turn = asyncio.Lock()
        self._waiting = 0
        self._held = 0  # bytes of the bodies of those that wait

    async def predict(self, request: Request) -> Response:
        """Runs a signature on what the body holds."""
        version = self._version(request)
        if self._waiting >= self._limits.waiting:
            raise BadRequest(f"{self._waiting} requests are waiting already; try again", 503)
        self._waiting += 1
        body = bytearray()
        try:
            await self._read(request, body)
            async with self._turn:  # memory for one prediction at a time
                text = await run_in_threadpool(self.answer, version, body)
        finally:
            self._waiting -= 1
            self._held -= len(body)
        return Response(text, media_type="application/json")

    async def status(self, request: Request) -> Response:
        """Which version is served."""
        number = self._version(request).number
        state = {
            "version": str(number),
            "state": "AVAILABLE",
            "status": {"error_code": "OK", "error_message": ""},
        }
        return _json({"model_version_status": [state]})

    async def metadata(self, request: Request) -> Response:
        """The signatures of the version that is served."""
        version = self._version(request)
        message = get_model_metadata_pb2.GetModelMetadataResponse()
        message.model_spec.name = self._name
        message.model_spec.version.value = version.number
        signatures = get_model_metadata_pb2.SignatureDefMap()
        for name, definition in version.definitions.items():
            signatures.signature_def[name].CopyFrom(definition)
        message.metadata["signature_def"].Pack(signatures)
        return _json(
            json_format.MessageToDict(
                message, preserving_proto_field_name=True, always_print_fields_with_no_presence=True
            )
        )

    async def front(self, request: Request) -> Response:
        """The page."""
        return HTMLResponse(self._page())

    def _version(self, request: Request) -> Version:
        name = request.path_params["name"]
        if name == f"{self._name}:predict":  # POST has a route of its own
            raise BadRequest("predictions are asked for by POST", 405)
        if name != self._name:
            raise BadRequest(f"no model {name!r}; served: {self._name}", 404)
        return self._versions.get(request.path_params.get("number"))

    async def _read(self, request: Request, body: bytearray) -> None:
        """Reads the whole body, never more than is allowed to it and to all together."""
        most = self._limits.body_bytes
        async for part in request.stream():
            body += part
            self._held += len(part)
            if len(body) > most:
                raise BadRequest(f"the body has more than {most} bytes", 413)
            if self._held > _BODIES * most:
                raise BadRequest("too many large requests are waiting; try again", 503)

    def answer(self, version: Version, body: bytes | bytearray) -> str:
        """The JSON answer to the body of a prediction. BadRequest for what is wrong in it."""
        values = tensors.parsed(body)
        signature = tensors.signature_name(values, version.signatures)
        given = tensors.inputs(values, version.input_specs(signature))
        for name, tensor in given.items():
            if name.endswith(_BYTES):
                for number, data in enumerate(np.ravel(tensor.numpy())):
                    headers.check(name, number, data, self._limits.pixels)
        return json.dumps(tensors.answer(values, version.outputs(signature, given)))


def _json(value: dict, status: int = 200) -> Response:
    return Response(json.dumps(value, indent=2), status, media_type="application/json")


async def _refused(request: Request, error: BadRequest) -> Response:
    return _json({"error": str(error)}, error.status)


async def _no_such_address(request: Request, error: HTTPException) -> Response:
    return _json(
        {"error": f"{request.method} {request.url.path}: {error.detail}"}, error.status_code
    )


async def _hung_up(request: Request, error: ClientDisconnect) -> Response:
    return Response(status_code=400)  # that nobody reads


def application(rest: Rest, cors: bool = False) -> Starlette:
    """The application. With `cors` pages of any origin may use it, also a page from a file."""
    one, version = "/v1/models/{name}", "/v1/models/{name}/versions/{number:version}"
    routes = [Route("/", rest.front)]
    for place in (version, one):  # the longer one first: a name has no limits
        routes += [
            Route(f"{place}:predict", rest.predict, methods=["POST"]),
            Route(f"{place}/metadata", rest.metadata),
            Route(place, rest.status),
        ]
    anybody = Middleware(
        CORSMiddleware, allow_origins=["*"], allow_methods=["*"], allow_headers=["*"]
    )
    return Starlette(
        routes=routes,
        middleware=[anybody] if cors else [],
        exception_handlers={
            BadRequest: _refused,
            HTTPException: _no_such_address,
            ClientDisconnect: _hung_up,
        },
    )
