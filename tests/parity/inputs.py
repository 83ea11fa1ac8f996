"""The same numbers for our functions and for the reference implementations. Needs numpy alone.

`numpy.random.RandomState` is frozen: it gives the same stream in every version.
"""

import numpy as np

FEATURES = ("well_conditioned", "few_samples", "ill_conditioned", "several_blocks")


def features(case):
    """Two sets of features, float32: "real" [N, D] and "generated" [M, D]."""
    rng = np.random.RandomState(FEATURES.index(case))
    if case == "few_samples":  # fewer than features
        real, generated = rng.randn(40, 96), 0.8 * rng.randn(32, 96) + 0.3
    elif case == "ill_conditioned":  # standard deviations from 1e-4 to 1e2
        scales = np.logspace(-4, 2, 24)
        real, generated = rng.randn(300, 24) * scales, (rng.randn(260, 24) + 0.2) * scales
    elif case == "several_blocks":
        real, generated = rng.rand(330, 12), rng.rand(290, 12) ** 2
    else:
        mixing = rng.randn(16, 16) + 3 * np.eye(16)
        real, generated = rng.randn(500, 16) @ mixing, rng.randn(450, 16) @ mixing * 1.3 + 0.5
    return real.astype(np.float32), generated.astype(np.float32)


def logits():
    """[200, 10], float32."""
    return (3 * np.random.RandomState(10).randn(200, 10)).astype(np.float32)


def maps():
    """[3, 8, 6, 5], float32, with a mean and spread of its own for each map."""
    rng = np.random.RandomState(11)
    return (rng.randn(3, 8, 6, 5) * rng.rand(3, 1, 1, 5) * 4 + rng.randn(3, 1, 1, 5)).astype(
        np.float32
    )


# Convolutions of torchvision's networks by their names there: maps in and out, kernel size.
def _vgg_convs():
    places = (0, 2, 5, 7, 10, 12, 14, 17, 19, 21, 24, 26, 28)
    widths = (64, 64, 128, 128, 256, 256, 256, 512, 512, 512, 512, 512, 512)
    inputs = (3, *widths)
    return {f"features.{p}": (i, w, 3) for p, i, w in zip(places, inputs, widths)}  # noqa: B905


def _squeeze_convs():
    convs, width = {"features.0": (3, 64, 3)}, 64
    squeezed = (16, 16, 32, 32, 48, 48, 64, 64)
    for place, size in zip((3, 4, 6, 7, 9, 10, 11, 12), squeezed):  # noqa: B905
        convs[f"features.{place}.squeeze"] = (width, size, 1)
        convs[f"features.{place}.expand1x1"] = (size, 4 * size, 1)
        convs[f"features.{place}.expand3x3"] = (size, 4 * size, 3)
        width = 8 * size
    return {**convs, "classifier.1": (512, 1000, 1)}


CONVS = {
    "vgg": _vgg_convs(),
    "squeeze": _squeeze_convs(),
    "alex": {
        "features.0": (3, 64, 11),
        "features.3": (64, 192, 5),
        "features.6": (192, 384, 3),
        "features.8": (384, 256, 3),
        "features.10": (256, 256, 3),
    },
}
HEADS = {
    "vgg": (64, 128, 256, 512, 512),
    "squeeze": (64, 128, 256, 384, 384, 512, 512),
    "alex": (64, 192, 384, 256, 256),
}


def state_dict(network):
    """Random weights of a network of LPIPS, named and laid out as torchvision does, float32."""
    rng = np.random.RandomState(20 + list(CONVS).index(network))
    state = {}
    for name, (maps, filters, side) in CONVS[network].items():
        deviation = (2.0 / (maps * side * side)) ** 0.5
        state[f"{name}.weight"] = (deviation * rng.randn(filters, maps, side, side)).astype("f4")
        state[f"{name}.bias"] = (0.1 * rng.randn(filters)).astype("f4")
    return state


def heads(network):
    """Random heads of LPIPS by layer, 0 or more: float32 [C] each."""
    rng = np.random.RandomState(30 + list(CONVS).index(network))
    return [rng.rand(width).astype("f4") for width in HEADS[network]]


def pictures():
    """Pairs of pictures, smooth with some noise: float32 [3, 67, 74, 3] twice, in [-1, 1]."""
    rng = np.random.RandomState(40)

    def one():
        coarse = rng.rand(3, 9, 10, 3).repeat(8, axis=1).repeat(8, axis=2)[:, :67, :74] * 2 - 1
        return np.clip(coarse + 0.1 * rng.randn(*coarse.shape), -1, 1).astype("f4")

    first = one()
    other = one()
    other[1] = np.clip(first[1] + 0.05 * rng.randn(67, 74, 3), -1, 1)  # a near one
    other[2] = first[2]  # the same
    return first, other


def convolved_maps():
    """Maps as large as CaffeNet's, where normalisation tells: float32 [2, 4, 3, 12]."""
    rng = np.random.RandomState(50)
    return (np.maximum(rng.randn(2, 4, 3, 12), 0) * 300).astype("f4")


def grouped():
    """Two groups, float32: maps [2, 5, 4, 6], kernel [3, 3, 3, 8], bias [8]."""
    rng = np.random.RandomState(51)
    shapes = ((2, 5, 4, 6), (3, 3, 3, 8), (8,))
    return tuple(rng.randn(*shape).astype("f4") for shape in shapes)


def dense_behind_maps():
    """Maps [3, 4, 5, 6], and a dense layer for them as PyTorch flattens them: [7, 120], [7]."""
    rng = np.random.RandomState(60)
    return [rng.randn(*shape).astype("f4") for shape in ((3, 4, 5, 6), (7, 120), (7,))]
