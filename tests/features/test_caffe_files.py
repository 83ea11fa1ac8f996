"""Files of Caffe, written here by Google's protobuf from the published caffe.proto's numbers."""

import numpy as np
import pytest
from google.protobuf import descriptor_pb2, descriptor_pool, message_factory

from lorbms_tf.errors import UserError
from lorbms_tf.features import array_files, caffe_files, taps

RNG = np.random.default_rng(0)


def caffe_messages():
    """The messages of caffe.proto that carry weights, by name."""
    kinds = descriptor_pb2.FieldDescriptorProto
    file = descriptor_pb2.FileDescriptorProto(name="c.proto", package="caffe", syntax="proto2")

    def message(name, *given):
        one = file.message_type.add(name=name)
        for field, number, kind, repeated in given:
            label = kinds.LABEL_REPEATED if repeated else kinds.LABEL_OPTIONAL
            added = one.field.add(name=field, number=number, label=label)
            if isinstance(kind, str):
                added.type, added.type_name = kinds.TYPE_MESSAGE, f".caffe.{kind}"
            else:
                added.type = kind
                if repeated and kind != kinds.TYPE_STRING:
                    added.options.packed = True

    text, whole, long = kinds.TYPE_STRING, kinds.TYPE_INT32, kinds.TYPE_INT64
    sides = [(side, n, whole, False) for n, side in enumerate(("num", "channels"), start=1)]
    sides += [("height", 3, whole, False), ("width", 4, whole, False)]
    message("BlobShape", ("dim", 1, long, True))
    message(
        "BlobProto",
        *sides,
        ("data", 5, kinds.TYPE_FLOAT, True),
        ("shape", 7, "BlobShape", False),
        ("double_data", 8, kinds.TYPE_DOUBLE, True),
    )
    message("V0LayerParameter", ("name", 1, text, False), ("blobs", 50, "BlobProto", True))
    message(
        "V1LayerParameter",
        ("layer", 1, "V0LayerParameter", False),
        ("bottom", 2, text, True),
        ("name", 4, text, False),
        ("type", 5, whole, False),
        ("blobs", 6, "BlobProto", True),
    )
    message(
        "LayerParameter",
        ("name", 1, text, False),
        ("type", 2, text, False),
        ("bottom", 3, text, True),
        ("blobs", 7, "BlobProto", True),
        ("phase", 10, whole, False),
    )
    message(
        "NetParameter",
        ("name", 1, text, False),
        ("layers", 2, "V1LayerParameter", True),
        ("input_dim", 4, whole, True),
        ("layer", 100, "LayerParameter", True),
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return message_factory.GetMessageClassesForFiles(["c.proto"], pool)


CAFFE = caffe_messages()


def net(weights, old=False, doubles=False):
    """A NetParameter with these blobs by layer, in the form of today or of before 2015."""
    made = CAFFE["caffe.NetParameter"](name="CaffeNet", input_dim=[10, 3, 227, 227])
    layers = made.layers if old else made.layer
    layers.add(name="data", bottom=["x"])
    for name, blobs in weights.items():
        layer = layers.add(name=name, bottom=["data"])
        for values in blobs:
            blob = layer.blobs.add()
            if old:  # four sides
                blob.num, blob.channels, blob.height, blob.width = (
                    *[1] * (4 - values.ndim),
                    *values.shape,
                )
            else:
                blob.shape.dim.extend(values.shape)
            (blob.double_data if doubles else blob.data).extend(values.ravel().tolist())
    return made


def written(path, *args, **options):
    path.write_bytes(net(*args, **options).SerializeToString())
    return str(path)


def weights():
    return {
        "conv1": [RNG.normal(size=(4, 3, 5, 5)), RNG.normal(size=4)],
        "bn": [RNG.normal(size=4), RNG.normal(size=4), np.ones(1)],
        "conv2": [RNG.normal(size=(6, 2, 3, 3)), RNG.normal(size=6)],  # in two groups
        "fc6": [RNG.normal(size=(7, 54)), RNG.normal(size=7)],
    }


@pytest.mark.parametrize("form", [{}, {"old": True}, {"doubles": True}])
def test_both_forms_give_kernels_as_we_lay_them_out(tmp_path, form):
    given = weights()
    arrays = array_files.read(written(tmp_path / "net.caffemodel", given, **form), "CaffeNet")
    names = [f"{name}/{part}" for name in ("conv1", "conv2", "fc6") for part in ("kernel", "bias")]
    assert sorted(arrays) == sorted(names)  # three blobs are no kernel and bias
    for name in ("conv1", "conv2"):
        kernel, bias = (value.astype("f4") for value in given[name])
        assert arrays[f"{name}/kernel"].shape == (*kernel.shape[2:], kernel.shape[1], len(kernel))
        for filter_, channel, row, column in ((0, 0, 0, 0), (3, 1, 2, 1), (2, 0, 1, 2)):
            expected = kernel[filter_, channel, row, column]
            assert arrays[f"{name}/kernel"][row, column, channel, filter_] == expected
        np.testing.assert_array_equal(arrays[f"{name}/bias"], bias)
    np.testing.assert_array_equal(arrays["fc6/kernel"], given["fc6"][0].T.astype("f4"))
    assert arrays["fc6/kernel"].dtype == np.float32


def test_values_that_are_not_packed_are_read(tmp_path):
    def packed(number, values):
        return bytes([number << 3 | 2, len(values)]) + values

    single = b"".join(b"\x2d" + np.float32(v).tobytes() for v in (1.5, -2.0))  # field 5, fixed32
    shape = packed(7, b"\x08\x01\x08\x02")  # dim: 1, dim: 2
    layer = packed(1, b"fc") + packed(7, shape + single)
    (tmp_path / "x.caffemodel").write_bytes(b"\xa2\x06" + bytes([len(layer)]) + layer)  # field 100
    arrays = caffe_files.arrays(str(tmp_path / "x.caffemodel"), "a network")
    np.testing.assert_array_equal(arrays["fc/kernel"], [[1.5], [-2.0]])


def test_rows_of_the_first_dense_layer_go_by_place():
    channels, places = 3, 4
    rows = np.arange(channels * places)[:, None] * np.ones((1, 2))  # row: channel * places + place
    moved = array_files.with_places_first({"fc6/kernel": rows, "fc7/kernel": rows}, "fc6", channels)
    expected = [channel * places + place for place in range(places) for channel in range(channels)]
    np.testing.assert_array_equal(moved["fc6/kernel"][:, 1], expected)
    assert moved["fc7/kernel"] is rows
    assert array_files.with_places_first({}, "fc6", 3) == {}
    odd = np.zeros((10, 2))  # no rows of 3 channels: left for `assign` to refuse
    assert array_files.with_places_first({"fc6/kernel": odd}, "fc6", 3)["fc6/kernel"] is odd


@pytest.mark.parametrize("old", [False, True])
def test_caffenet_and_squeezenet_are_read(tmp_path, old):
    network = taps.make("caffenet", ["pool5"], "none", seed=3).network
    blobs = {
        name: [np.transpose(layer.kernel, (3, 2, 0, 1)), np.array(layer.bias)]
        for name, layer in network.weighted_layers()
    }
    images = RNG.uniform(-1, 1, (1, 67, 67, 3)).astype("float32")
    path = written(tmp_path / "caffenet.caffemodel", blobs, old)
    made = [
        np.asarray(taps.make("caffenet", ["pool5"], one, 3)(images)["pool5"])
        for one in ("none", path)
    ]
    np.testing.assert_array_equal(made[1], made[0])
    del blobs["conv4"]
    path = written(tmp_path / "less.caffemodel", blobs, old)
    with pytest.raises(UserError, match=r"less\.caffemodel .*CaffeNet: conv4/kernel is missing"):
        taps.make("caffenet", ["pool5"], path)
    with pytest.raises(UserError, match=r"less\.caffemodel .*SqueezeNet"):
        taps.make("squeezenet", ["fire2"], path)


def test_a_vgg_is_read_as_far_as_the_file_goes(tmp_path):
    widths = {"conv1_1": (64, 3), "conv1_2": (64, 64), "conv2_1": (128, 64)}
    blobs = {
        name: [0.1 * RNG.normal(size=(*sides, 3, 3)), RNG.normal(size=sides[0])]
        for name, sides in widths.items()
    }
    path = written(tmp_path / "vgg.caffemodel", blobs)
    network = taps.make("vgg19", ["conv1_2"], path).network
    np.testing.assert_array_equal(
        network.convs[1].kernel[0, 2, 5], blobs["conv1_2"][0][:, 5, 0, 2].astype("f4")
    )
    with pytest.raises(UserError, match="to conv2_1 only"):
        taps.make("vgg19", ["conv3_1"], path)


def broken_files():
    whole = net(weights()).SerializeToString()
    first_form = CAFFE["caffe.NetParameter"]()
    first_form.layers.add().layer.name = "conv1"
    wrong = net({"fc": [np.ones((2, 3))]})
    wrong.layer[1].blobs[0].shape.dim[0] = 5
    return {
        "cut": (whole[:-9], "does not hold"),
        "cut within": (whole[:700], "does not hold"),
        "text": (b'name: "CaffeNet"\nlayer {\n', "does not hold"),
        "empty": (b"", "no network without them"),
        "without weights": (net({}).SerializeToString(), "no network without them"),
        "first form": (first_form.SerializeToString(), "upgrade_net_proto_binary"),
        "other shape": (wrong.SerializeToString(), r"6 values for the shape \[5, 3\]"),
    }


@pytest.mark.parametrize("case", broken_files())
def test_what_holds_no_weights_is_named(tmp_path, case):
    content, reason = broken_files()[case]
    path = tmp_path / "bad.caffemodel"
    path.write_bytes(content)
    with pytest.raises(UserError, match=f"--weights: .*bad.caffemodel .*{reason}"):
        array_files.read(str(path), "CaffeNet")


def test_a_missing_file_is_named(tmp_path):
    with pytest.raises(UserError, match=r"nowhere\.caffemodel does not hold .*No such file"):
        array_files.read(str(tmp_path / "nowhere.caffemodel"), "CaffeNet")
