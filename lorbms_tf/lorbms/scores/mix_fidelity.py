"""Mix fidelity: does each quadrant of a mix show the source that the mask says?

Our own plain check; the thesis has no measure of this kind (it regrets so in section 4.5).
"""

import numpy as np

from lorbms_tf.data.quadrants import NUM_QUADRANTS, quadrant
from lorbms_tf.evaluation.finite import check_finite


def faithful_quadrants(
    mixes: np.ndarray, reference: np.ndarray, candidates: np.ndarray, mask: np.ndarray
) -> np.ndarray:
    """Which quadrants of the mixes are closer to the source that the mask says.

    A quadrant of I_mix is faithful where its mean absolute error to the same quadrant of its
    source (I_qi where replaced, else I_ref) is smaller than that to the other of the two. A tie
    is not faithful: a constant decoder must not score.

    Args:
      mixes: I_mix [B, H, W, 3].
      reference: I_ref [B, H, W, 3], the same range.
      candidates: I_q1..I_q4 [B, 4, H, W, 3].
      mask: bool [B, 4], True where replaced.

    Returns:
      bool [B, 4]; its mean is the mix fidelity.

    Raises:
      ValueError: values are not finite.
    """
    for what, values in (("mixes", mixes), ("references", reference), ("candidates", candidates)):
        check_finite(values, what)
    faithful = np.zeros((len(mixes), NUM_QUADRANTS), bool)
    for i in range(NUM_QUADRANTS):
        shown = np.asarray(quadrant(mixes, i), np.float64)
        kept = np.abs(shown - quadrant(reference, i)).mean(axis=(1, 2, 3))  # [B]
        replaced = np.abs(shown - quadrant(candidates[:, i], i)).mean(axis=(1, 2, 3))  # [B]
        faithful[:, i] = np.where(mask[:, i], replaced < kept, kept < replaced)
    return faithful
