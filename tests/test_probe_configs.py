"""The flagfiles of table 4.3: each parses, is valid, and says how it is used."""

import json
from pathlib import Path

import pytest

from lorbms_tf.probing.settings import ProbeConfig
from tests import copies

ROOT = Path(__file__).resolve().parent.parent
FLAGFILES = sorted((ROOT / "configs" / "probe").glob("*.cfg"))
SAVING = ("stl10_encoder", "stl10_alexnet", "pascal_encoder", "imagenet_alexnet")

# All in one process of its own: absl's flags are global.
PARSE = """
import json, pathlib, sys
from absl import flags as absl_flags
from lorbms_tf.cli import flags, settings
from lorbms_tf.probing.settings import ProbeConfig, TransferConfig
made = {}
for kind, places in (
    (ProbeConfig, {"dataset": "stl10:x"}), (TransferConfig, {"images": "x", "out": "y"})
):
    flags.define(kind)
    for path in sys.argv[1:]:
        if ("knowledge_transfer" in path) == (kind is TransferConfig):
            absl_flags.FLAGS.unparse_flags()
            for name in settings.to_dict(kind()):
                absl_flags.FLAGS[name].unparse()
            words = [f"--{name}={value}" for name, value in places.items()]
            assert absl_flags.FLAGS(["x", f"--flagfile={path}", *words]) == ["x"]
            made[pathlib.Path(path).stem] = settings.to_dict(flags.read(kind))
    for name in settings.to_dict(kind()):
        delattr(absl_flags.FLAGS, name)
print(json.dumps(made))
"""


@pytest.fixture(scope="module")
def configs():
    done = copies.run(["-c", PARSE, *FLAGFILES])
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_there_is_one_for_each_row(configs):
    assert set(configs) == {
        "random_encoder", "random_encoder_finetuned", *SAVING, "encoder", "encoder_finetuned",
        "discriminator", "discriminator_finetuned", "alexnet", "knowledge_transfer_encoder",
        "knowledge_transfer_discriminator",
    }  # fmt: skip


def test_rows_that_compare_have_the_protocol_of_the_thesis(configs):
    thesis = ProbeConfig()
    for name, made in configs.items():
        if name in SAVING:
            assert made["finetune"] and not made["run_dir"]
        elif "knowledge_transfer" in name:
            assert made["num_clusters"] == 2000
        else:
            for setting in ("image_size", "epochs", "optimizer", "learning_rate", "batch_size"):
                assert made[setting] == getattr(thesis, setting), (name, setting)
            assert made["finetune"] == name.endswith("_finetuned")


@pytest.mark.parametrize("flagfile", FLAGFILES, ids=lambda path: path.name)
def test_its_first_comment_names_the_command(flagfile):
    lines = flagfile.read_text().splitlines()
    text = " ".join(line.lstrip("# ").removesuffix("\\").strip() for line in lines if "#" in line)
    door = "knowledge_transfer" if flagfile.stem.startswith("knowledge") else "probe"
    assert f"python -m lorbms_tf.{door} --flagfile=configs/probe/{flagfile.name} " in text
    assert "Expect (thesis" in text and "--dataset=stl10:DIR" in text
    assert ("--save_network=" in text) == (flagfile.stem in SAVING)
    names = [line.split("=")[0] for line in lines if line.startswith("--")]
    assert len(names) == len(set(names))
    assert not {"--dataset", "--run_dir", "--weights", "--out", "--images"} & set(names)
