"""What a build cost: build_cost.json, beside dataset.json.

A file of its own, since dataset.json is the same however long a build took.
"""

import os
import resource
import sys
from typing import Any

from tfrecords_tools.preparation import Stages


def measured(stages: Stages, engine: str, continued: bool) -> dict[str, Any]:
    """The content of build_cost.json. `lorbms_tf.benchmarks.build_costs` reads it.

    seconds, cpu_seconds: of each stage so far. peak_memory_bytes: of this process. cores: that it
    may use. continued: whether an earlier start had finished some stages, so that these seconds do
    not tell what a whole build takes. With --engine=beam other processes work, unseen here.
    """
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    affinity = getattr(os, "sched_getaffinity", None)
    return {
        "seconds": dict(stages.seconds),
        "cpu_seconds": dict(stages.cpu_seconds),
        "peak_memory_bytes": peak if sys.platform == "darwin" else peak * 1024,
        "cores": len(affinity(0)) if affinity else os.cpu_count(),
        "engine": engine,
        "continued": continued,
    }
