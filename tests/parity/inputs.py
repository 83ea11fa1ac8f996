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
