import inspect

import keras

from lorbms_tf.networks import applications


def test_every_network_of_keras_has_the_preprocessing_of_its_family():
    names = applications.names()
    assert {"ResNet50", "VGG16", "MobileNetV3Small", "EfficientNetB0", "ConvNeXtTiny"} <= set(names)
    for name in names:
        function = getattr(keras.applications, name)
        family = inspect.getmodule(function)
        assert applications.preprocessing(name) is family.preprocess_input
        assert name in vars(family)


def test_sizes_are_of_networks_that_there_are():
    assert applications.published_size("ResNet50") == 224
    assert applications.published_size("InceptionV3") == 299
    assert set(applications._SIZES) <= set(applications.names())
