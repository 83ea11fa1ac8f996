"""Walks the imports of both packages: arrows point one way, and a few lines are never crossed."""

import subprocess
import sys

import pytest

from tests.house_rules import (
    MOST_LINES,
    OF_THE_THESIS,
    PACKAGES,
    ROOT,
    all_modules,
    circle,
    imports,
    paper_of,
    violations,
)


def test_the_packages_keep_the_rules():
    modules = all_modules()
    assert set(PACKAGES) <= set(modules)
    known = set(modules)
    wrong = [line for name, source in modules.items() for line in violations(name, source, known)]
    assert not wrong, "\n".join(wrong)


def test_no_circles():
    assert circle(all_modules()) == []


def test_those_that_serve_the_thesis_alone_still_do():
    modules = all_modules()
    for module in OF_THE_THESIS:
        targets = imports(module, modules[module], set(modules))
        assert any(paper_of(target) == "lorbms" for target in targets), module


@pytest.mark.parametrize(
    "module, source, reason",
    [
        ("lorbms_tf.data.quadrants", "import lorbms_tf.lorbms.model", "words must not know papers"),
        ("lorbms_tf.networks.layers", "from lorbms_tf.training import loop", "not know rooms"),
        ("lorbms_tf.networks.encoder", "from ..training import loop", "parts must not know rooms"),
        ("lorbms_tf.training.loop", "import lorbms_tf.lorbms.model", "rooms must not know papers"),
        (
            "lorbms_tf.training.loop",
            "def f():\n  from lorbms_tf.lorbms.model import Lorbms",
            "rooms must not know papers",
        ),
        ("lorbms_tf.lorbms.model", "from lorbms_tf import train", "papers must not know doors"),
        ("lorbms_tf.data.records", "from lorbms_tf.data import pipeline", "must not know parts"),
        ("lorbms_tf.render", "from lorbms_tf import train", "a door imports no other door"),
        ("lorbms_tf.probe", "import lorbms_tf.lorbms.model", "names the paper lorbms"),
        (
            "lorbms_tf.lorbms.model",
            "def f():\n  import tfrecords_tools.build",
            "never imports the tools",
        ),
        ("lorbms_tf.attic", "import lorbms_tf.errors", "has no place"),
        ("lorbms_tf.lorbms.model", "from lorbms_tf.attic import x", "has no place"),
        ("tfrecords_tools.build", "import lorbms_tf.lorbms.model", "the tools use words and"),
        ("tfrecords_tools.build", "import lorbms_tf.data.pipeline", "the tools use words and"),
        ("lorbms_tf.networks.layers", "import tensorflow as tf", "keras.ops"),
        ("lorbms_tf.lorbms.mixing", "def f():\n  from tensorflow import math", "keras.ops"),
        ("lorbms_tf.lorbms.objective", "import tensorflow.math", "keras.ops"),
        ("lorbms_tf.lorbms.model", "from absl import flags", "only doors"),
        ("tfrecords_tools.coco", "from absl.flags import FLAGS", "only doors"),
        ("tfrecords_tools.build", "import faiss", "only tfrecords_tools.clusters"),
        ("tfrecords_tools.build", "import torch", "only lorbms_tf.augint.benchmarks.torch_step"),
        ("lorbms_tf.errors", "from pycocotools.coco import COCO", "only tfrecords_tools.coco"),
        ("lorbms_tf.errors", "x = 1\n" * (MOST_LINES + 1), "351 lines"),
    ],
)
def test_each_rule_can_fail(module, source, reason):
    known = {
        "lorbms_tf.data.pipeline",
        "lorbms_tf.lorbms.model",
        "lorbms_tf.train",
        "lorbms_tf.training.loop",
    }
    found = violations(module, source, known)
    assert len(found) == 1 and reason in found[0], found


def test_circles_are_found_also_where_an_import_is_inside_a_function():
    modules = {
        "lorbms_tf.files": "from lorbms_tf.errors import UserError",
        "lorbms_tf.errors": "def f():\n  from lorbms_tf import progress",
        "lorbms_tf.progress": "import lorbms_tf.files",
    }
    assert set(circle(modules)) == set(modules)
    del modules["lorbms_tf.progress"]
    assert circle(modules) == []


@pytest.mark.parametrize(
    "module, source",
    [
        ("lorbms_tf.lorbms.model", "from lorbms_tf.lorbms import mixing\nimport tensorflow as tf"),
        ("lorbms_tf.networks.classifier", "from lorbms_tf.networks.alexnet import AlexNet"),
        ("lorbms_tf.render", "from lorbms_tf.training.run_directory import load_model"),
        ("lorbms_tf.lorbms.scores.registry", "from lorbms_tf.evaluation import psnr"),
        ("lorbms_tf.training.run_directory", "from lorbms_tf import methods"),
        ("lorbms_tf.cli.flags", "from absl import flags"),
        ("tfrecords_tools.clusters", "import faiss"),
        ("tfrecords_tools.quadrant_features", "from lorbms_tf.networks.alexnet import AlexNet"),
        ("tfrecords_tools.build", "from lorbms_tf.data import records, images"),
    ],
)
def test_good_imports_pass(module, source):
    known = {"lorbms_tf.lorbms.mixing", "lorbms_tf.evaluation.psnr", "lorbms_tf.methods"}
    assert violations(module, source, known) == []


def test_importing_the_package_is_light():
    heavy = "{'tensorflow', 'keras', 'faiss', 'pycocotools', 'PIL', 'matplotlib', 'sklearn'}"
    code = f"import sys, lorbms_tf; print(sorted({heavy} & set(sys.modules)))"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"
