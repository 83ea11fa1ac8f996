import json

import pytest

from lorbms_tf.cli import stored_config
from lorbms_tf.errors import UserError
from lorbms_tf.lorbms.config import LorbmsConfig
from lorbms_tf.sweep import SweepConfig, check_training
from tests import copies

GIVEN = {"records": "r*", "eval_records": "e*", "out": "o"}
SWEPT = {"out": "o", "variants": ("a.cfg",)}

# In a process of its own: absl's flags are global, and other tests define some of the same names.
PLAN = """
import json, sys
from absl import flags as absl_flags
from lorbms_tf import methods, sweep
from lorbms_tf.cli import command, flags, settings
from lorbms_tf.errors import UserError
method = methods.get("lorbms")
flags.define(sweep.SweepConfig, variants=method.variants)
flags.define(method.evaluation.protocol)
flags.define(method.config)
absl_flags.FLAGS(command.flagfiles_first(["sweep", *sys.argv[1:]]))
try:
    planned = sweep.trials(flags.read(sweep.SweepConfig), method)
except UserError as error:
    sys.exit(str(error))
print(json.dumps([[one.variant, settings.to_dict(one.config)] for one in planned]))
"""


def plan(*words):
    given = [f"--{name}={value}" for name, value in GIVEN.items()]
    return copies.run(["-c", PLAN, *given, *words])


def door(*words):
    return copies.run(["-m", "lorbms_tf.sweep", *words])


@pytest.mark.parametrize("name, epochs", [("thesis", 10), ("scenes32", 25)])
def test_the_flagfiles_plan_the_four_variants(name, epochs):
    done = plan(f"--flagfile=configs/ablation/{name}.cfg", "--seeds=0,2")
    assert done.returncode == 0, done.stderr
    planned = json.loads(done.stdout)
    assert [(variant, made["seed"]) for variant, made in planned] == [
        (variant, seed) for seed in (0, 2) for variant in ("full", "no_cls", "no_rec", "no_adv")
    ]
    full = planned[0][1]
    assert full["epochs"] == epochs and full["autoencoder_steps"] == 0
    for variant, made in planned[1:4]:
        changed = {key: value for key, value in made.items() if value != full[key]}
        weight = variant.replace("no", "lambda")
        assert full[weight] > 0
        assert changed == {weight: 0, "run_dir": f"o/runs/{variant}/seed_0"}


def test_the_flagfile_of_appendix_d_plans_networks_of_dense_blocks():
    done = plan("--flagfile=configs/lorbms/appendix_d/scenes32.cfg", "--seeds=0")
    assert done.returncode == 0, done.stderr
    planned = dict(json.loads(done.stdout))
    assert {"final", "d_1_tiles", "d_5_broadcast", "transposed"} <= set(planned)
    assert not any(made["strided_widths"] for made in planned.values())


def test_figure_3_9_plans_the_curves_of_the_thesis():
    done = plan("--flagfile=configs/eval/figure_3_9.cfg", "--tau_quantile=0.5")
    assert done.returncode == 0, done.stderr
    planned = {variant: made for variant, made in json.loads(done.stdout)}
    told = {
        name: (made["decoder"], made["decoder_spectral_norm"], 4 * made["chunk_size"])
        for name, made in planned.items()
    }
    assert told == {
        "full": ("dense", True, 768),
        "no_spectral_norm": ("dense", False, 768),
        "transposed": ("transposed", True, 768),
        "transposed_plain": ("transposed", False, 768),
        "transposed_384": ("transposed", True, 384),
    }
    assert not any(made["lambda_cls"] for made in planned.values())


def test_variants_that_would_not_compare_are_refused(tmp_path):
    variant = tmp_path / "longer.cfg"
    variant.write_text("--epochs=99\n")
    done = plan(f"--variants={variant}")
    assert done.returncode == 1 and "longer.cfg sets --epochs" in done.stderr
    variant.write_text("--lambda=3\n")
    done = plan(f"--variants={variant}")
    assert done.returncode == 1 and "longer.cfg: Unknown command line flag" in done.stderr
    assert "Traceback" not in done.stderr
    done = plan(f"--variants={tmp_path / 'none.cfg'}")
    assert done.returncode == 1 and "none.cfg" in done.stderr and "Traceback" not in done.stderr


def test_a_sweep_leaves_the_folder_of_another_command_alone(tmp_path):
    stored_config.write(tmp_path, stored_config.TRAINING, LorbmsConfig())
    words = [f"--{name}={value}" for name, value in {**GIVEN, "out": tmp_path}.items()]
    done = door(*words)
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "holds a run of lorbms_tf.train, no run of lorbms_tf.sweep" in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["config.json"]


def test_the_method_decides_which_flags_and_variants_there_are():
    done = door("--method=unknown", "--out=o")
    assert done.returncode == 1 and "Traceback" not in done.stderr
    assert "--method=unknown is not valid; valid values: lorbms" in done.stderr
    page = door("--help").stdout
    assert "--variants" in page and "configs/ablation/no_cls.cfg" in page and "--tau" in page


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"out": ""}, "--out is required"),
        ({"variants": ()}, "--variants is required"),
        ({"seeds": ()}, "--seeds is required"),
        ({"seeds": (1, 1)}, "--seeds names one twice: 1, 1"),
        ({"seeds": (-1,)}, "--seeds=-1"),
        ({"variants": ("a/full.cfg", "b/full.cfg")}, "--variants names one twice"),
        ({"score_checkpoints": 0}, "--score_checkpoints=0"),
        ({"variants": tuple("abcdef"), "curves": ("x",)}, "--curves shows at most 5 --variants"),
    ],
)
def test_settings_are_validated(given, reason):
    with pytest.raises(UserError, match=reason):
        SweepConfig(**{**SWEPT, **given}).validate()


@pytest.mark.parametrize(
    "given, reason",
    [
        ({"records": ""}, "--records is required"),
        ({"eval_records": ""}, "--eval_records is required"),
        ({"run_dir": "r"}, "--run_dir is not for a sweep"),
        ({"seed": 3}, "--seed is not for a sweep"),
        ({"keep_checkpoints": 1}, "--score_checkpoints=2 is not valid: at least 1 and below 2"),
    ],
)
def test_a_training_that_does_not_fit_is_refused(given, reason):
    shared = LorbmsConfig(**{"records": "r*", "eval_records": "e*", **given})
    with pytest.raises(UserError, match=reason):
        check_training(SweepConfig(**SWEPT, score_checkpoints=2), shared, "records")
