"""A command ends when the process that started it is killed."""

import os
import signal
import subprocess
import sys
import time

PARENT = """
import subprocess, sys
from snnlab.machine import lifeline
child = lifeline.start([sys.executable, "-c", sys.argv[1]], stdout=subprocess.PIPE)
child.stdout.readline()
print(child.pid, flush=True)
child.wait()
"""
CHILD = """
import time
from snnlab.machine import lifeline
lifeline.watch()
print("watches", flush=True)
time.sleep(60)
"""


def test_a_child_ends_with_its_killed_parent() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT, CHILD], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
        assert parent.wait() == -9
    deadline = time.monotonic() + 20
    while _runs(child) and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not _runs(child)


def _runs(pid: int) -> bool:
    """Whether a process is there and no zombie that nobody waits for."""
    found = subprocess.run(["ps", "-o", "stat=", "-p", str(pid)], capture_output=True, text=True)
    return bool(found.stdout.strip()) and not found.stdout.strip().startswith("Z")


def test_without_a_lifeline_nothing_is_watched() -> None:
    command = "from snnlab.machine import lifeline; import threading; lifeline.watch(); print(threading.active_count())"
    done = subprocess.run(
        [sys.executable, "-c", command], capture_output=True, text=True, env={**os.environ}, check=True
    )
    assert done.stdout == "1\n"
