"""Walks the imports of the two packages: arrows point one way, and a few lines are never crossed.

Each rule is a function of a module's name and source, so that it is also shown to fail.
"""

import ast
import graphlib
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("lorbms_tf", "tfrecords_tools")
MOST_LINES = 350

PAPERS = ("lorbms", "augint", "deepsim", "latent_paths", "perceptual")
# From the bottom up: a module imports from its own layer and from those listed before it, but no
# paper another paper and no door another door. A name stands for itself and all inside it; the
# longest name decides.
LAYERS = {
    "words": (
        "lorbms_tf",
        "lorbms_tf.errors",
        "lorbms_tf.files",
        "lorbms_tf.progress",
        "lorbms_tf.tensorflow_paths",
        "lorbms_tf.cli",
        "lorbms_tf.data",
        "lorbms_tf.pages",
    ),
    "parts": (
        "lorbms_tf.data.pipeline",
        "lorbms_tf.distances",
        "lorbms_tf.evaluation",
        "lorbms_tf.gan",
        "lorbms_tf.latent",
        "lorbms_tf.networks",
        "lorbms_tf.pseudo_labels",
    ),
    "rooms": (
        "lorbms_tf.benchmarks",
        "lorbms_tf.features",
        "lorbms_tf.loaded",
        "lorbms_tf.methods",
        "lorbms_tf.probing",
        "lorbms_tf.serving",
        "lorbms_tf.training",
    ),
    "papers": tuple(f"lorbms_tf.{paper}" for paper in PAPERS),
    "doors": (
        "lorbms_tf.train",
        "lorbms_tf.evaluate",
        "lorbms_tf.render",
        "lorbms_tf.export",
        "lorbms_tf.benchmark",
        "lorbms_tf.disentangle",
        "lorbms_tf.distance",
        "lorbms_tf.two_afc",
        "lorbms_tf.sweep",
        "lorbms_tf.report",
        "lorbms_tf.serve",
        "lorbms_tf.probe",
        "lorbms_tf.knowledge_transfer",
        "lorbms_tf.image_mean",
        "lorbms_tf.paths",
    ),
}
# Doors to one paper's own experiments.
OWN_DOORS = {"lorbms_tf.image_mean": "perceptual", "lorbms_tf.paths": "latent_paths"}
# Shared rooms and doors name no paper: they ask `lorbms_tf.methods`. This door is of the thesis
# alone, whose codes have chunks; one that no longer names it has no place here.
OF_THE_THESIS = ("lorbms_tf.disentangle",)
ORDER = list(LAYERS)
TOOL_DOORS = (
    "tfrecords_tools.build",
    "tfrecords_tools.convert_deepcluster",
    "tfrecords_tools.deepcluster",
    "tfrecords_tools.explore_clusters",
    "tfrecords_tools.inspect",
    "tfrecords_tools.score_candidates",
    "tfrecords_tools.synthesize",
)
MAY_TOUCH_ABSL = ("lorbms_tf.cli", *LAYERS["doors"], *TOOL_DOORS)
ANY_BACKEND = (
    "lorbms_tf.data.augmentation",
    "lorbms_tf.data.augmented_views",
    "lorbms_tf.distances",
    "lorbms_tf.gan",
    "lorbms_tf.latent",
    "lorbms_tf.networks",
    *(
        f"lorbms_tf.lorbms.{part}"
        for part in ("mixing", "attribute_parts", "chunk_paths", "losses", "objective")
    ),
    "lorbms_tf.augint.objective",
    "lorbms_tf.deepsim.objective",
    "lorbms_tf.latent_paths.equalise",
    "lorbms_tf.latent_paths.energy",
    "lorbms_tf.perceptual.reduction",
)
# Beside the words: inspect tells how many quadrants a tau replaces, by the rule itself; a trained
# encoder, opened through its run directory, is a feature network, as is a SavedModel; DeepCluster
# learns pseudo-labels as the evaluation's knowledge transfer does.
TOOLS_MAY_USE = (
    "lorbms_tf.features",
    "lorbms_tf.lorbms.mixing",
    "lorbms_tf.networks",
    "lorbms_tf.pseudo_labels",
    "lorbms_tf.training.run_directory",
)
HEAVY = {
    "apache_beam": (
        "tfrecords_tools.distributed.assembly",
        "tfrecords_tools.distributed.engine",
        "tfrecords_tools.distributed.images",
        "tfrecords_tools.distributed.jobs",
        "tfrecords_tools.distributed.photos",
        "tfrecords_tools.distributed.search",
    ),
    "faiss": (
        "tfrecords_tools.clusters",
        "tfrecords_tools.duplicates",
        "lorbms_tf.pseudo_labels.clusters",
        "lorbms_tf.evaluation.neighbours",
        "lorbms_tf.probing.knn",
    ),
    "imagehash": ("tfrecords_tools.duplicates",),
    "matplotlib": ("lorbms_tf.pages.charts", "tfrecords_tools.report.charts"),
    "optuna": ("lorbms_tf.training.search",),
    "pycocotools": ("tfrecords_tools.coco",),
    "sklearn": ("lorbms_tf.lorbms.scores.chunk_probes",),
    "onnxruntime": ("lorbms_tf.serving.onnx_files",),
    "starlette": ("lorbms_tf.serving.rest.app",),
    "tensorflow_serving": ("lorbms_tf.serving.rest.app", "lorbms_tf.serving.warmup"),
    "tf2onnx": ("lorbms_tf.serving.onnx_files",),
    "uvicorn": ("lorbms_tf.serve",),
    "threadpoolctl": ("lorbms_tf.lorbms.scores.chunk_probes",),
    "torch": (
        "lorbms_tf.augint.benchmarks.torch_step",
        "lorbms_tf.benchmarks.torch_distances",
        "lorbms_tf.deepsim.torch_step",
        "tfrecords_tools.convert_deepcluster",
    ),
    "tensorflow_datasets": ("lorbms_tf.data.tfds_photos",),
}


def inside(module: str, parent: str) -> bool:
    return module == parent or module.startswith(parent + ".")


def layer_of(module: str) -> str | None:
    """The layer of a module of lorbms_tf; None where nobody has placed it."""
    best = ("", None)
    for layer, names in LAYERS.items():
        for name in names:
            # The package's own name places only the package, or every new module would be a word.
            placed = module == name if name == "lorbms_tf" else inside(module, name)
            if placed and len(name) > len(best[0]):
                best = (name, layer)
    return best[1]


def imports(module: str, source: str, known: set[str]) -> set[str]:
    """Every module that the source imports, at its top or inside functions, by its full name."""
    found = set()
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                parents = module.split(".")[: -node.level]
                base = ".".join([*parents, base]).strip(".")
            for alias in node.names:
                full = f"{base}.{alias.name}"
                # `from package import module` names a module, `from module import name` does not.
                named = full in known or not inside(base, "lorbms_tf")
                found.add(full if named else base)
    return found


def violations(module: str, source: str, known: set[str] = frozenset()) -> list[str]:
    """What the rules forbid in one module, a line each."""
    wrong = []
    for target in sorted(imports(module, source, known)):
        wrong += [f"{module} imports {target}: {reason}" for reason in _arrow(module, target)]
        doors = any(inside(module, name) for name in MAY_TOUCH_ABSL)
        if inside(target, "absl.flags") and not doors:
            wrong.append(f"{module} imports absl.flags: only doors and lorbms_tf.cli.flags do")
        if inside(target, "tensorflow") and any(inside(module, part) for part in ANY_BACKEND):
            wrong.append(f"{module} imports tensorflow: keras.ops and keras.random only")
        heavy = target.split(".")[0]
        if module not in HEAVY.get(heavy, (module,)):
            wrong.append(f"{module} imports {heavy}: only {' and '.join(HEAVY[heavy])} does")
    lines = len(source.splitlines())
    if lines > MOST_LINES:
        wrong.append(f"{module} has {lines} lines, more than {MOST_LINES}")
    return wrong


def _arrow(module: str, target: str) -> list[str]:
    """Why the arrow from module to target is wrong: an empty list where it is right."""
    if inside(module, "tfrecords_tools"):
        part = any(inside(target, name) for name in TOOLS_MAY_USE)
        good = part or layer_of(target) == "words" or not inside(target, "lorbms_tf")
        return [] if good else [f"the tools use words and {', '.join(TOOLS_MAY_USE)} only"]
    if layer_of(module) is None:
        return ["the module has no place in LAYERS"]
    if inside(target, "tfrecords_tools"):
        return ["lorbms_tf never imports the tools"]
    if not inside(target, "lorbms_tf"):
        return []
    source_layer, target_layer = layer_of(module), layer_of(target)
    if target_layer is None:
        return ["the imported module has no place in LAYERS"]
    if ORDER.index(target_layer) > ORDER.index(source_layer):
        return [f"{source_layer} must not know {target_layer}"]
    if source_layer == target_layer == "doors":
        return ["a door imports no other door"]
    paper = paper_of(target)
    if paper not in ("", paper_of(module)) and module not in OF_THE_THESIS:
        return [f"only lorbms_tf.methods names the paper {paper}"]
    return []


def paper_of(module: str) -> str:
    """The paper that a module belongs to; "" for shared rooms and doors."""
    if module in OWN_DOORS:
        return OWN_DOORS[module]
    return next((paper for paper in PAPERS if inside(module, f"lorbms_tf.{paper}")), "")


def circle(modules: dict[str, str]) -> list[str]:
    """Modules that import each other in a circle, at their tops or inside functions; or none."""
    known = set(modules)
    graph = {}
    for module, source in modules.items():
        targets = imports(module, source, known)
        named = {t if t in known else t.rpartition(".")[0] for t in targets}
        graph[module] = (named & known) - {module}
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return error.args[1]
    return []


def all_modules() -> dict[str, str]:
    """Name -> source of every module of both packages."""
    modules = {}
    for package in PACKAGES:
        for path in sorted((ROOT / package).rglob("*.py")):
            parts = path.relative_to(ROOT).with_suffix("").parts
            name = ".".join(part for part in parts if part != "__init__")
            modules[name] = path.read_text(encoding="utf-8")
    return modules


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
