import pytest
import tensorflow as tf

from lorbms_tf.lorbms.model import Lorbms
from lorbms_tf.serving import saved_model, warmup
from tests import tiny


@pytest.mark.extras
def test_an_export_is_warmed_up_by_a_request_for_each_signature(tmp_path):
    from tensorflow_serving.apis import prediction_log_pb2

    saved_model.write(Lorbms(tiny.config(), seed=1), tmp_path / "1")
    assert saved_model.warmed_up(tmp_path / "1")
    reloaded = tf.saved_model.load(str(tmp_path / "1"))
    asked = set()
    for record in tf.data.TFRecordDataset(str(tmp_path / "1" / warmup.FILE)):
        log = prediction_log_pb2.PredictionLog.FromString(record.numpy())
        request = log.predict_log.request
        inputs = {name: tf.constant(tf.make_ndarray(p)) for name, p in request.inputs.items()}
        made = reloaded.signatures[request.model_spec.signature_name](**inputs)
        assert all(len(values) == 1 for values in made.values())
        asked.add(request.model_spec.signature_name)
    assert asked == set(reloaded.signatures)
