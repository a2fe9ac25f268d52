"""What Ray places on a machine of its cluster: an object that starts a job there, signals it, and waits for it."""

import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib import import_module

from snnlab.machine import lifeline


class RemoteProcess:
    """A snnlab command in a process of its own, which ends when this object's process does.

    Its methods run in threads: one waits for the process while another sends it a signal.
    """

    def start(self, arguments: Sequence[str], environment: Mapping[str, str], folder: str, log: str) -> str:
        """Starts `snnlab <arguments>` and returns the name of this machine.

        Args:
            arguments: the words after `snnlab`.
            environment: that of the sweep; the GPUs are those that Ray gives.
            folder: the sweep's working directory.
            log: the file for its output.

        Raises:
            OSError: the folder or the log is not on this machine.
        """
        gpus = ",".join(map(str, import_module("ray").get_gpu_ids()))
        with open(log, "wb") as output:
            self._process = lifeline.start(
                [sys.executable, "-m", "snnlab", *arguments],
                {**environment, "CUDA_VISIBLE_DEVICES": gpus},
                cwd=folder,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        return socket.gethostname()

    def wait(self) -> int:
        """The exit code, when the process has ended."""
        return self._process.wait()

    def send_signal(self, number: int) -> None:
        """Sends the process a signal."""
        self._process.send_signal(number)
