"""Requests that TensorFlow Serving sends to a model before others may: the first would be slow.

https://www.tensorflow.org/tfx/serving/saved_model_warmup: a TFRecord file of `PredictionLog`s.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import tensorflow as tf

FILE = Path("assets.extra", "tf_serving_warmup_requests")


def write(folder: Path, requests: Mapping[str, Mapping[str, Any]], served_as: str) -> int:
    """Writes the file into a SavedModel's folder; how many requests it holds.

    Args:
      requests: by signature, its inputs by name.
      served_as: the name that TensorFlow Serving gives the model.

    Raises ModuleNotFoundError where tensorflow-serving-api, which brings the protos, is missing.
    """
    from tensorflow_serving.apis import predict_pb2, prediction_log_pb2

    path = folder / FILE
    path.parent.mkdir(exist_ok=True)
    with tf.io.TFRecordWriter(str(path)) as writer:
        for signature, inputs in requests.items():
            request = predict_pb2.PredictRequest()
            request.model_spec.name, request.model_spec.signature_name = served_as, signature
            for name, values in inputs.items():
                request.inputs[name].CopyFrom(tf.make_tensor_proto(values))
            log = prediction_log_pb2.PredictLog(request=request)
            writer.write(prediction_log_pb2.PredictionLog(predict_log=log).SerializeToString())
    return len(requests)
