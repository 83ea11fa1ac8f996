import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from lorbms_tf.cli import stderr_filter

ROOT = Path(__file__).resolve().parents[2]
HELD = b"I0000 00:00:1795629019.544172    7710 port.cc:153] oneDNN custom operations are on.\n"
LOST = b"E0000 00:00:1795629019.544172    7710 gpu.cc:1] the device is lost\n"
BEGIN = f"""
import os, signal, sys, time
from lorbms_tf.cli import stderr_filter
stderr_filter.start()
def native(text):
    os.write(2, text)
native({HELD!r})
"""


def run(script, **settings):
    return subprocess.run(
        [sys.executable, "-c", BEGIN + script],
        cwd=ROOT,
        capture_output=True,
        timeout=60,
        **settings,
    )


@pytest.mark.parametrize(
    "line",
    [
        HELD,
        b"WARNING: All log messages before absl::InitializeLog() is called are written to STDERR",
        b"2026-11-25 17:50:19.123456: I tensorflow/core/platform/cpu_feature_guard.cc:227] This",
        b"To enable the following instructions: AVX2 FMA, in other operations, rebuild TensorFlow",
        b"E0000 00:00:1795629021.635863    7710 cuda_platform.cc:52] failed call to cuInit: "
        b"INTERNAL: CUDA error: Failed call to cuInit: UNKNOWN ERROR (303)",
        b"2026-11-25 17:50:19.1: E external/local_xla/xla/stream_executor/cuda/cuda_driver.cc:152] "
        b"failed call to cuInit: CUDA_ERROR_NO_DEVICE: no CUDA-capable device is detected",
        b"W0000 00:00:1795629019.544500    7710 cudart_stub.cc:31] Could not find cuda drivers",
        b"E0000 00:00:1795631185.476417   21820 util.cc:131] oneDNN supports DT_INT32 only on "
        b"platforms with AVX-512. Falling back to the default Eigen-based implementation",
        b"E0000 00:00:1795715556.543726    1060 meta_optimizer.cc:967] remapper failed: "
        b"INVALID_ARGUMENT: Mutation::Apply error: fanout 'gradient_tape/up_conv_1/LeakyRelu'",
        b"INFO:apache_beam.runners.worker.statecache:Creating state cache with size 0",
    ],
)
def test_chatter_is_known(line):
    assert stderr_filter.CHATTER.match(line)


@pytest.mark.parametrize(
    "line",
    [
        LOST,
        b"F0000 00:00:1795629019.544172    7710 port.cc:153] Check failed: a == b",
        b"E0000 00:00:1795629021.6    7710 cuda_platform.cc:52] failed call to cuInit: INTERNAL: "
        b"CUDA error: Failed call to cuInit: CUDA_ERROR_SYSTEM_DRIVER_MISMATCH",
        b"2026-11-25 17:50:19.1: W tensorflow/core/common_runtime/gpu/gpu_device.cc:2342] Cannot "
        b"dlopen some GPU libraries.",
        b"error: --records is required",
        b"In the end: I see",
        b"ERROR:apache_beam.runners.worker.sdk_worker:Error processing instruction",
        b"INFO: 3 of 4",
        b"",
    ],
)
def test_errors_are_no_chatter(line):
    assert not stderr_filter.CHATTER.match(line)


@pytest.mark.parametrize(
    "words, expected",
    [
        ([], True),
        (["--verbosity=1"], False),
        (["--verbosity", "2", "x"], False),
        (["-v=1"], False),
        (["--verbosity=0"], True),
        (["--verbosity=-1"], True),
        (["--verbose=1", "1"], True),
    ],
)
def test_verbosity_shows_everything(words, expected):
    assert stderr_filter.wanted(words) is expected


def test_a_good_end_shows_all_but_chatter():
    done = run(f"native({LOST!r}); native(b'no end'); stderr_filter.end_well()")
    assert done.returncode == 0 and done.stderr == LOST + b"no end"


@pytest.mark.parametrize(
    "end, status",
    [
        ("raise ValueError('ours')", 1),
        ("os._exit(3)", 3),
        ("os.abort()", -signal.SIGABRT),
        ("os.kill(os.getpid(), signal.SIGSEGV)", -signal.SIGSEGV),
    ],
)
def test_a_bad_end_shows_chatter_too_and_the_last_words(end, status):
    done = run(f"native({LOST!r})\n{end}")
    assert done.returncode == status
    assert LOST in done.stderr
    assert done.stderr.endswith(b"held back until now:\n" + HELD)
    assert (b"ValueError: ours" in done.stderr) == (status == 1)


def test_lines_are_passed_on_at_once():
    # A background job of a shell that is not interactive inherits that Ctrl-C is ignored.
    script = BEGIN + (
        "signal.signal(signal.SIGINT, signal.default_int_handler)\n"
        f"native({LOST!r})\nnative(b'half a line')\ntime.sleep(60)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", script], cwd=ROOT, stderr=subprocess.PIPE, bufsize=0
    )
    try:
        seen = b""
        while not seen.endswith(b"half a line"):
            seen += process.stderr.read(1)
        assert seen == LOST + b"half a line"
        process.send_signal(signal.SIGINT)  # Ctrl-C: the traceback, and what was held
        assert process.stderr.read().endswith(HELD)
    finally:
        process.kill()
        process.wait()
        process.stderr.close()


def test_pythons_own_stderr_goes_straight_to_where_it_went():
    done = run(
        "print(sys.stderr.fileno() != 2, os.fstat(sys.stderr.fileno()).st_ino, file=sys.stderr)\n"
        "stderr_filter.end_well()",
    )
    assert done.stderr.startswith(b"True ") and done.stderr.count(b"\n") == 1


def test_a_process_that_stays_behind_is_not_waited_for(tmp_path):
    """It holds descriptor 2, so that the last lines may be still to come."""
    with open(tmp_path / "err", "wb") as file:
        done = subprocess.run(
            [
                sys.executable,
                "-c",
                BEGIN + "import subprocess\n"
                "print(subprocess.Popen(['sleep', '60'], stdout=subprocess.DEVNULL).pid)\n"
                "stderr_filter.end_well()",
            ],
            cwd=ROOT,
            stdout=subprocess.PIPE,
            stderr=file,
            timeout=40,
        )
    os.kill(int(done.stdout), signal.SIGKILL)
    assert done.returncode == 0


def test_no_stderr_at_all():
    script = "from lorbms_tf.cli import stderr_filter as f; f.start(); f.end_well(); print('good')"
    done = subprocess.run(
        ["sh", "-c", 'exec "$0" -c "$1" 2>&-', sys.executable, script],
        cwd=ROOT,
        stdout=subprocess.PIPE,
        timeout=60,
    )
    assert (done.returncode, done.stdout) == (0, b"good\n")


@pytest.mark.parametrize("words, quiet", [([], True), (["--verbosity=1"], False)])
def test_a_door_says_its_own_lines_alone(words, quiet):
    """One that loads TensorFlow at its start."""
    command = [sys.executable, "-m", "tfrecords_tools.inspect", "--records=absent/*", *words]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "0"}
    done = subprocess.run(
        command, cwd=ROOT, capture_output=True, text=True, env=environment, timeout=120
    )
    assert done.returncode == 1
    lines = done.stderr.splitlines()
    assert (len(lines) == 1) == quiet
    assert lines[-1].startswith("error: no record files match 'absent/*'")
