"""What torch-fidelity says of `inputs`, as JSON: `make parity` runs it (oracles_torch.txt).

python make_golden_torch.py OUT.json
"""

import json
import sys

import inputs
import torch

# torch-fidelity imports torchvision for reading images, which takes no part here. Where its
# operators do not fit this torch (a CPU build of one of the two), their declaration will do.
for operator in ("nms", "qnms"):
    torch.library.define(
        f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
    )

import torch_fidelity  # noqa: E402
from torch_fidelity.metric_fid import (  # noqa: E402
    fid_features_to_statistics,
    fid_statistics_to_metric,
)
from torch_fidelity.metric_isc import isc_features_to_metric  # noqa: E402
from torch_fidelity.metric_kid import kid_features_to_metric  # noqa: E402
from torch_fidelity.metric_prc import prc_features_to_metric  # noqa: E402


def numbers():
    found = {"frechet_distance": {}, "kernel_distance": {}, "precision": {}, "recall": {}}
    for case in inputs.FEATURES:
        real, generated = map(torch.from_numpy, inputs.features(case))
        statistics = [fid_features_to_statistics(f) for f in (real, generated)]
        distance = fid_statistics_to_metric(*statistics, verbose=False)
        found["frechet_distance"][case] = float(distance["frechet_inception_distance"])
        # One subset of everything: no drawing takes part. Both sets have to be of one size.
        size = min(len(real), len(generated))
        kid = kid_features_to_metric(
            real[:size], generated[:size], kid_subsets=1, kid_subset_size=size, verbose=False
        )
        found["kernel_distance"][case] = float(kid["kernel_inception_distance_mean"])
        # The generated ones come first.
        prc = prc_features_to_metric(generated, real, prc_neighborhood=3, verbose=False)
        found["precision"][case] = float(prc["precision"])
        found["recall"][case] = float(prc["recall"])
    score = isc_features_to_metric(torch.from_numpy(inputs.logits()), splits=4, shuffle=False)
    found["classifier_score"] = float(score["inception_score_mean"])
    found["classifier_score_deviation"] = float(score["inception_score_std"])
    found["versions"] = {"torch": torch.__version__, "torch_fidelity": torch_fidelity.__version__}
    return found


if __name__ == "__main__":
    with open(sys.argv[1], "w", encoding="utf-8") as file:
        json.dump(numbers(), file, sort_keys=True)
        file.write("\n")
