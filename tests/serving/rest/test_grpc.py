"""TensorFlow Serving's protos through gRPC to an export, and the same request by REST."""

import asyncio
import base64
import concurrent.futures
import json

import numpy as np
import pytest
import tensorflow as tf

from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model
from lorbms_tf.serving.rest import versions
from tests import tiny

pytestmark = pytest.mark.extras


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    folder = tmp_path_factory.mktemp("export")
    saved_model.write(Lorbms(tiny.config(), seed=1), folder / "4")
    return folder


@pytest.fixture(scope="module")
def stub(folder):
    """A client of a gRPC server that runs the export, as TensorFlow Serving would."""
    import grpc
    from tensorflow_serving.apis import predict_pb2, prediction_service_pb2_grpc

    version = versions.load(folder, 4)

    class Service(prediction_service_pb2_grpc.PredictionServiceServicer):
        def Predict(self, request, context):
            inputs = {name: tf.make_ndarray(proto) for name, proto in request.inputs.items()}
            name = request.model_spec.signature_name or "serving_default"
            specs = version.input_specs(name)
            tensors = {key: tf.constant(inputs[key], spec.dtype) for key, spec in specs.items()}
            answer = predict_pb2.PredictResponse()
            for key, values in version.outputs(name, tensors).items():
                answer.outputs[key].CopyFrom(tf.make_tensor_proto(values))
            return answer

    server = grpc.server(concurrent.futures.ThreadPoolExecutor(2))
    prediction_service_pb2_grpc.add_PredictionServiceServicer_to_server(Service(), server)
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield prediction_service_pb2_grpc.PredictionServiceStub(channel)
    server.stop(None)


def predicted(stub, signature: str, inputs: dict) -> dict[str, np.ndarray]:
    from tensorflow_serving.apis import predict_pb2

    request = predict_pb2.PredictRequest()
    request.model_spec.name, request.model_spec.signature_name = "lorbms", signature
    for name, values in inputs.items():
        request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
    answer = stub.Predict(request, timeout=120)
    return {name: tf.make_ndarray(proto) for name, proto in answer.outputs.items()}


def test_requests_of_protos_and_of_json_have_the_same_answers(stub, folder):
    from lorbms_tf.serving.rest.app import Limits, Rest

    rest = Rest("lorbms", versions.Versions(folder), Limits(), lambda: "")
    version = versions.load(folder, 4)
    codes = np.random.default_rng(0).normal(size=(2, 2, 2, 4)).astype(np.float32)
    for signature in ("decode", "decode_bytes"):
        by_proto = predicted(stub, signature, {"codes": codes})
        body = {"signature_name": signature, "inputs": {"codes": codes.tolist()}}
        by_json = json.loads(rest.answer(version, json.dumps(body).encode()))["outputs"]
        ((name, values),) = by_proto.items()
        if name.endswith("_bytes"):
            assert [base64.b64decode(item["b64"]) for item in by_json] == values.tolist()
        else:
            np.testing.assert_array_equal(np.float32(by_json), values)


def test_metadata_are_the_signatures_of_the_file(folder):
    from google.protobuf import json_format
    from tensorflow.core.protobuf import saved_model_pb2
    from tensorflow_serving.apis import get_model_metadata_pb2

    from lorbms_tf.serving.rest.app import Limits, Rest

    class Request:
        path_params = {"name": "lorbms"}

    rest = Rest("lorbms", versions.Versions(folder), Limits(), lambda: "")
    answer = json.loads(asyncio.run(rest.metadata(Request())).body)
    message = json_format.ParseDict(answer, get_model_metadata_pb2.GetModelMetadataResponse())
    seen = get_model_metadata_pb2.SignatureDefMap()
    message.metadata["signature_def"].Unpack(seen)
    proto = saved_model_pb2.SavedModel.FromString((folder / "4" / "saved_model.pb").read_bytes())
    assert dict(seen.signature_def) == dict(proto.meta_graphs[0].signature_def)
