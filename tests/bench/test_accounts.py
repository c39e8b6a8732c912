"""What processes cost."""

import subprocess
import sys

import psutil

from bench import accounts

BURN = "import time\nwhile time.process_time() < 0.3: pass"


def test_a_child_that_has_ended_counts_with_its_parent() -> None:
    before = accounts.seconds(psutil.Process())
    subprocess.run([sys.executable, "-c", BURN], check=True)

    assert accounts.seconds(psutil.Process()) - before > 0.25


def test_a_child_that_still_runs_counts() -> None:
    before = accounts.seconds(psutil.Process())
    script = f"{BURN}\nprint('burnt', flush=True)\ninput()"
    with subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as child:
        assert child.stdout is not None
        child.stdout.readline()
        spent = accounts.seconds(psutil.Process()) - before
        child.communicate(b"\n")

    assert spent > 0.25
