# make quickstart   set-up, then the main job on synthesized scenes, into quickstart/
# make augint       set-up, then seed 003's autoencoders on drawn characters, into augint/
# make test         set-up, then the tests, but for those that need an extra of setup.cfg
# make test-extras  one more environment, with those extras, then the tests that need them
# make lint         ruff
# make parity       the reference implementations' numbers anew (two more environments, Python 3.11)
# make clean        removes what quickstart and augint wrote; the environment stays
#
# All set-up is one virtual environment in .venv (and .venv-extras); it is made again only when
# setup.cfg, pyproject.toml or constraints.txt change. Another Python: make test PYTHON=python3.12

VERSION_CHECK := import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))
CANDIDATES := python3 python3.13 python3.12 python3.11
PYTHON ?= $(shell for p in $(CANDIDATES); do \
	$$p -c '$(VERSION_CHECK)' 2>/dev/null && echo $$p && break; done)

comma := ,
VENV := .venv
PY := $(VENV)/bin/python
READY := $(VENV)/.ready
EXTRAS := beam,tfds,torch,jax,serve,browser,onnx,search
# The page of the server is tested where there is a Chromium (Debian: apt-get install chromium).
NO_BROWSER := $(if $(wildcard /usr/bin/chromium),, and not browser)
PYTEST_FLAGS ?= -q -n 2 --dist loadfile --no-loadscope-reorder

export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: augint augint-tell quickstart quickstart-intro quickstart-train quickstart-look quickstart-tell test \
	test-extras lint parity clean

# Two processes share the tests: with a thread each for TensorFlow they do not get in each other's way.
test test-extras: export TF_NUM_INTRAOP_THREADS ?= 1
test: $(READY)
	@echo "== Running the tests"
	$(PY) -m pytest $(PYTEST_FLAGS)
	@echo "== All tests passed. Next: make quickstart"

test-extras: .venv-extras/.ready
	@echo "== Running the tests that need the extras $(EXTRAS)"
	@$(if $(NO_BROWSER),echo "   no /usr/bin/chromium: the server's page is not tested")
	.venv-extras/bin/python -m pytest $(PYTEST_FLAGS) -m "extras$(NO_BROWSER)"
	@echo "== All tests of the extras passed."

lint: $(READY)
	$(PY) -m ruff check .
	$(PY) -m ruff format --check .

# The references need an older TensorFlow, so each has its own environment; their numbers are kept.
PARITY := tests/parity
ORACLE_PYTHON ?= python3.11

parity: $(READY) .venv-oracles/.ready .venv-oracles_torch/.ready
	.venv-oracles/bin/python $(PARITY)/make_golden.py $(PARITY)/golden.json
	.venv-oracles_torch/bin/python $(PARITY)/make_golden_torch.py $(PARITY)/golden_torch.json
	.venv-oracles_torch/bin/python $(PARITY)/make_golden_lpips.py $(PARITY)/golden_lpips.json
	.venv-oracles_torch/bin/python $(PARITY)/make_golden_caffenet.py $(PARITY)/golden_caffenet.json
	$(PY) -m pytest -q $(PARITY)

.venv-%/.ready: $(PARITY)/%.txt
	@echo "== Setting up $(@D) with $(ORACLE_PYTHON)"
	$(ORACLE_PYTHON) -m venv --clear $(@D)
	$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -r $<
	@touch $@

clean:
	rm -rf quickstart augint

# Makes the environment that the target lies in, with the extras named.
define SET_UP
@$(if $(strip $(PYTHON)),,echo "error: no Python 3.11, 3.12 or 3.13 found as any of:" \
	"$(CANDIDATES). Install one, or name it: make $(MAKECMDGOALS) PYTHON=/path/to/python"; exit 1)
@$(PYTHON) -c '$(VERSION_CHECK)' 2>/dev/null || \
	{ echo "error: PYTHON=$(PYTHON) is no Python 3.11, 3.12 or 3.13"; exit 1; }
@echo "== Setting up $(@D) with $(PYTHON): $(2), once"
$(PYTHON) -m venv --clear $(@D)
$(@D)/bin/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e '.[$(1)]'
@touch $@
endef

$(READY): setup.cfg pyproject.toml constraints.txt
	$(call SET_UP,test,TensorFlow and the rest$(comma) about 2 GB)

.venv-extras/.ready: setup.cfg pyproject.toml constraints.txt
	$(call SET_UP,test$(comma)$(EXTRAS),the extras too$(comma) 3 GB and more)

# ---- The main job, small: scenes -> records -> a trained model -> pictures and a served decoder.
# Done steps are not done again; training goes on from its last checkpoint. `make clean` starts afresh.

Q := quickstart
TRAIN_RECORDS := $(Q)/records/train
TEST_RECORDS := $(Q)/records/heldout
PRETRAINED := $(wildcard lorbms_tf/pretrained/scenes64/config.json)

quickstart: $(READY)
	@start=`date +%s`; \
	$(MAKE) --no-print-directory quickstart-intro && \
	$(MAKE) --no-print-directory quickstart-train && \
	$(MAKE) --no-print-directory quickstart-look && \
	echo "== Quickstart took $$(( (`date +%s` - start + 30) / 60 )) minutes." && \
	$(MAKE) --no-print-directory quickstart-tell

quickstart-intro:
	@echo "== The main job on synthesized scenes, into $(Q)/ (about 10 minutes on 2 cores):"
	@echo "   1 scenes   800 to train on and 64 held out, each with four objects"
	@echo "   2 records  every scene with 10 similar scenes for each of its quadrants"
	@echo "   3 train    a small model: reconstruct scenes, and mix them"
	@echo "   4 look     scores, sheets of mixed scenes, and the model exported for serving"

$(Q)/scenes/train:
	@echo "== 1 scenes to train on"
	$(PY) -m tfrecords_tools.synthesize --out=$@ --images=800 --seed=1

$(Q)/scenes/heldout:
	@echo "== 1 scenes held out"
	$(PY) -m tfrecords_tools.synthesize --out=$@ --images=64 --seed=5

# $* is train or heldout: a folder of scenes to a folder of records. Mirror images are to learn from.
$(Q)/records/%: | $(Q)/scenes/%
	@echo "== 2 records: $*"
	$(PY) -m tfrecords_tools.build --flagfile=configs/data/quickstart.cfg --out=$@ \
		--images=$(Q)/scenes/$*/images --annotations=$(Q)/scenes/$*/annotations/instances.json \
		$(if $(filter heldout,$*),--versions=original)

# The shipped model is larger: it looks at the same held-out scenes at 64 px.
$(TEST_RECORDS)64: | $(Q)/scenes/heldout
	@echo "== 4 records of the held-out scenes at 64 px"
	$(PY) -m tfrecords_tools.build --flagfile=configs/data/quickstart.cfg --out=$@ \
		--images=$(Q)/scenes/heldout/images --image_size=64 --versions=original \
		--annotations=$(Q)/scenes/heldout/annotations/instances.json

quickstart-train: $(TRAIN_RECORDS) $(TEST_RECORDS)
	@echo "== 3 train"
	$(PY) -m lorbms_tf.train --flagfile=configs/quickstart.cfg --run_dir=$(Q)/run \
		--records='$(TRAIN_RECORDS)/*.tfrecord-*' --eval_records='$(TEST_RECORDS)/*.tfrecord-*'

SCENES = $(sort $(wildcard $(Q)/scenes/heldout/images/*))
METRICS := --metrics=psnr,mix_fidelity
quickstart-look: RECORDS = --records='$(TEST_RECORDS)/*.tfrecord-*'
quickstart-look: $(if $(PRETRAINED),$(TEST_RECORDS)64)
	@echo "== 4 look"
	$(PY) -m lorbms_tf.evaluate --run_dir=$(Q)/run $(RECORDS) $(METRICS)
	$(PY) -m lorbms_tf.render scenes --run_dir=$(Q)/run $(RECORDS) --rows=12 --out=$(Q)/scenes.png
	$(PY) -m lorbms_tf.render reconstructions --run_dir=$(Q)/run $(RECORDS) --rows=12 \
		--out=$(Q)/reconstructions.png
	$(if $(PRETRAINED),$(PY) -m lorbms_tf.evaluate --run_dir=pretrained:scenes64 \
		--records='$(TEST_RECORDS)64/*.tfrecord-*' $(METRICS))
	$(if $(PRETRAINED),$(PY) -m lorbms_tf.render scenes --run_dir=pretrained:scenes64 --rows=12 \
		--records='$(TEST_RECORDS)64/*.tfrecord-*' --out=$(Q)/scenes_pretrained.png)
	$(PY) -m lorbms_tf.render transfer --run_dir=$(if $(PRETRAINED),pretrained:scenes64,$(Q)/run) \
		--object=$(word 1,$(SCENES)) --scene=$(word 2,$(SCENES)) --mask=0010 --out=$(Q)/transfer.png
	$(PY) -m lorbms_tf.export --run_dir=$(Q)/run --export_dir=$(Q)/export

quickstart-tell:
	@echo "What to look at:"
	@echo "  $(Q)/scenes.png             held-out scenes, what was pasted, and the mixes"
	@if [ -f $(Q)/scenes_pretrained.png ]; then \
	echo "  $(Q)/scenes_pretrained.png  the same by the shipped model, which had hours to learn"; fi
	@echo "  $(Q)/reconstructions.png    held-out scenes and their reconstructions"
	@echo "  $(Q)/transfer.png           one object put into another scene"
	@echo "  $(Q)/run/samples/           the mixes as training went on"
	@echo "  $(Q)/export/                the model for TensorFlow Serving"
	@echo "Curves: $(VENV)/bin/tensorboard --logdir $(Q)/run, then http://localhost:6006"
	@echo "To start afresh: make clean quickstart"

# ---- Seed 003, small: what lies between two letters, by autoencoders that have only seen digits?

A := augint
CHARACTERS := $(A)/characters
KINDS := ae intae augint
LETTERS := $(CHARACTERS)/letters/test
FIDELITY := --metrics=reconstruction_error,domain_fidelity,domain_accuracy,fading --classifier_steps=500 \
	--paths=500 --photos=$(LETTERS)
OTHERS := $(A)/runs/intae,$(A)/runs/augint

augint: $(READY) $(KINDS:%=$(A)/runs/%/trained)
	@echo "== 3 scores of what lies between two letters"
	for kind in $(KINDS); do $(PY) -m lorbms_tf.evaluate --run_dir=$(A)/runs/$$kind $(FIDELITY) \
		|| exit 1; done
	$(PY) -m lorbms_tf.evaluate --run_dir=$(A)/runs/ae $(FIDELITY) --interpolation=pixel_fade
	@echo "== 4 strips"
	$(PY) -m lorbms_tf.render interpolations --run_dir=$(A)/runs/ae --others=$(OTHERS) \
		--photos=$(LETTERS) --rows=8 --out=$(A)/strips.png
	$(PY) -m lorbms_tf.render noise_curve --run_dir=$(A)/runs/ae --others=$(OTHERS) --trials=200 \
		--photos=$(LETTERS) --table=$(A)/noise.csv --out=$(A)/noise.png
	@$(MAKE) --no-print-directory augint-tell

$(CHARACTERS): | $(READY)
	@echo "== 1 digits to learn from, and letters that no model learns from"
	$(PY) -m tfrecords_tools.synthesize --kind=characters --images=500 --out=$@

# An interrupted run goes on from its last checkpoint.
$(A)/runs/%/trained: | $(CHARACTERS)
	@echo "== 2 train: $*"
	$(PY) -m lorbms_tf.train --flagfile=configs/augint/small28.cfg --objective=$* \
		--photos=$(CHARACTERS)/digits/train --eval_photos=$(LETTERS) --run_dir=$(@D)
	@touch $@

augint-tell:
	@echo "What to look at:"
	@echo "  $(A)/strips.png       from letter to letter: pixel fade, AE, IntAE, AugIntAE"
	@echo "  $(A)/noise.png        how well noise of each frequency is reconstructed, and letters"
	@echo "  $(A)/runs/*/samples/  the same as training went on"
	@echo "To start afresh: make clean augint"
