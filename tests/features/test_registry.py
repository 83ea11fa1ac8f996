import pytest

from lorbms_tf.errors import UserError
from lorbms_tf.features import registry


@pytest.mark.parametrize(
    ("name", "weights", "origin"),
    [
        ("alexnet", "", "random (seed 3)"),
        ("alexnet", "none", "random (seed 3)"),
        ("alexnet", __file__, "file test_registry.py"),
        ("deepcluster", "none", "random (seed 3)"),
        ("deepcluster", __file__, "file test_registry.py"),
        ("mobilenet_v2", "", "ImageNet"),
        ("keras:VGG16", "imagenet", "ImageNet"),
        ("keras:VGG16", "none", "random (seed 3)"),
        ("encoder:pretrained:scenes64", "", "its own"),
    ],
)
def test_good_names_pass_the_check_and_tell_where_their_weights_are_from(name, weights, origin):
    assert registry.origin(name, weights, seed=3) == origin
    assert (
        registry.check_quadrant_network(name, weights) is registry.QUADRANTS[name.partition(":")[0]]
    )


@pytest.mark.parametrize(
    ("name", "weights", "reason"),
    [
        ("resnet", "", "--features=resnet.*alexnet, deepcluster, mobilenet_v2, keras:NAME"),
        ("", "", "--features= is not valid"),
        ("keras", "", "keras:NAME"),
        ("keras:", "", "keras:NAME"),
        ("alexnet:x", "", "--features=alexnet:x is not valid"),
        ("keras:ResNet5", "", "ResNet5: no such network.*ResNet50"),
        ("keras:vgg16", "", "no such network.*VGG16"),  # a module of that name is no network
        ("alexnet", "imagenet", "no file imagenet; valid: a file, none$"),
        (
            "deepcluster",
            "",
            "needs --weights=FILE, made by .*deepcluster; --weights=none takes random",
        ),
        ("keras:VGG16", "nowhere.h5", "no file nowhere.h5; valid: a file, imagenet or none"),
        ("encoder:pretrained:scenes64", "w.h5", "--weights=w.h5: encoder has its weights already"),
        ("encoder:nowhere", "", "nowhere is no run directory"),
        ("discriminator:pretrained:cats", "", "pretrained:scenes64"),
        ("saved_model:nowhere", "", "nowhere holds no SavedModel"),
        ("saved_model:" + "n" * 300, "", "n{300} holds no SavedModel"),
        ("alexnet", "n" * 300, "no file n{300}"),
        ("saved_model:nowhere,scale=2", "", "'scale=2' is no option; valid: signature="),
        ("saved_model:nowhere,range=0:2", "", "range=0:2.*-1:1, 0:1, 0:255"),
    ],
)
def test_what_cannot_be_used_is_found_out_before_anything_is_loaded(name, weights, reason):
    with pytest.raises(UserError, match=reason):
        registry.check_quadrant_network(name, weights)


def test_an_unknown_network_is_answered_with_the_valid_ones():
    with pytest.raises(UserError, match="=resnet .*alexnet, deepcluster, mobilenet_v2"):
        registry.quadrant_network("resnet")


def test_a_missing_weights_file_is_named():
    with pytest.raises(UserError, match=r"--weights.*nowhere\.h5"):
        registry.quadrant_network("alexnet", weights="nowhere.h5")


def test_unknown_names_and_missing_flags():
    with pytest.raises(UserError, match="no extractor 'fid'; valid names: inception_2015, mobile"):
        registry.score_network("fid", "x")
    with pytest.raises(UserError, match="needs --extractor_weights=FILE: classify_image"):
        registry.score_network("inception_2015", "")
