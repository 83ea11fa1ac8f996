"""The rules of the house: which module may import which, and how long one may be.

Each rule is a function of a module's name and source, so that it can also be shown to fail.
"""

import ast
import graphlib
from pathlib import Path

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
