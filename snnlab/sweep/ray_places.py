"""Runs the jobs of a sweep on a cluster of Ray: one that an address names, or one of this machine for this command."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from snnlab.config.schema import RunConfig
from snnlab.errors import ConfigError
from snnlab.sweep.options import RayOptions
from snnlab.sweep.ray_cluster import connect
from snnlab.sweep.remote_process import RemoteProcess

# A worker of Ray that ends would kill its job, which saves itself and ends by itself then (machine/lifeline.py).
SPARED = {"RAY_kill_child_processes_on_worker_exit": "0"}
LOST = 1  # the exit code of a job whose machine or worker is gone


class RayProcess:
    """A job that is in Ray's hands, waiting or running.

    Args:
        ray: the module.
        actor: the `RemoteProcess`.
        began: what will be the name of its machine.
    """

    def __init__(self, ray: Any, actor: Any, began: Any) -> None:
        self.where = ""
        self.trouble = ""
        self._ray = ray
        self._actor = actor
        self._began = began
        self._ended: Any = None
        self._signals: list[int] = []

    @property
    def has_begun(self) -> bool:
        return bool(self.where)

    def poll(self) -> int | None:
        try:
            if not self.where:
                if not self._is_there(self._began):
                    return None
                self.where = str(self._ray.get(self._began))
                self._ended = self._actor.wait.remote()
            while self._signals:
                self._actor.send_signal.remote(self._signals.pop(0))
            return int(self._ray.get(self._ended)) if self._is_there(self._ended) else None
        except self._ray.exceptions.RayTaskError as error:
            self.trouble = f"could not start: {error.cause}"
        except self._ray.exceptions.RayError as error:
            lines = str(error).strip().splitlines()
            self.trouble = f"lost by Ray: {lines[0] if lines else type(error).__name__}"
        return LOST

    def send_signal(self, number: int) -> None:
        self._signals.append(
            number
        )  # Ray is called in `poll`: a signal may come in the middle of another call

    def close(self) -> None:
        self._ray.kill(self._actor)

    def _is_there(self, reference: Any) -> bool:
        return bool(self._ray.wait([reference], timeout=0)[0])


class RayPlaces:
    """Hands jobs to Ray, which starts each where the CPUs and GPUs that it takes are free.

    Args:
        options: the cluster, and what a job takes.
    """

    def __init__(self, options: RayOptions) -> None:
        self._options = options
        self._running: list[RayProcess] = []
        self._environment = dict(os.environ)  # before Ray adds to it

    def is_free(self) -> bool:
        self._running = [one for one in self._running if one.poll() is None]
        return self._options.workers is None or len(self._running) < self._options.workers

    def start(self, arguments: Sequence[str], cfg: RunConfig, log: Path | None) -> RayProcess:
        ray, machines = connect(self._options.address)
        cpus, gpus = needs(self._options, cfg, self._environment, machines)
        actor = (
            ray.remote(RemoteProcess)
            .options(num_cpus=cpus, num_gpus=gpus, max_concurrency=3, runtime_env={"env_vars": SPARED})
            .remote()
        )
        assert log is not None  # the output of a job on another machine is in its file
        began = actor.start.remote(list(arguments), self._environment, str(Path.cwd()), str(log.absolute()))
        process = RayProcess(ray, actor, began)
        self._running.append(process)
        return process


def needs(
    options: RayOptions,
    cfg: RunConfig,
    environment: Mapping[str, str],
    machines: Sequence[Mapping[str, float]],
) -> tuple[int, float]:
    """CPUs and GPUs of a job.

    Without settings: a GPU if the cluster has one and the run may use it; one CPU beside it, else as many CPUs as the
    run has threads, so that it is as fast as one alone and its numbers are the same.

    Args:
        options: the launcher's.
        cfg: the job's.
        environment: the job's.
        machines: what each machine of the cluster has, as Ray counts it.

    Raises:
        ConfigError: no machine has so many.
    """
    gpus = options.gpus
    if gpus is None:
        gpus = float(cfg.trainer.device != "cpu" and any(one.get("GPU") for one in machines))
    cpus = options.cpus
    if cpus is None and gpus:
        cpus = 1
    elif cpus is None:
        given = cfg.trainer.threads or environment.get("OMP_NUM_THREADS", "")
        least = min((int(one["CPU"]) for one in machines if one.get("CPU")), default=1)
        cpus = int(given) if str(given).isdecimal() and int(given) else least
    if not any(one.get("CPU", 0) >= cpus and one.get("GPU", 0) >= gpus for one in machines):
        most = ", ".join(f"{one.get('CPU', 0):g} CPUs and {one.get('GPU', 0):g} GPUs" for one in machines)
        raise ConfigError(
            f"hydra.launcher: no machine of Ray's cluster has {cpus} CPUs and {gpus:g} GPUs for a job",
            f"its machines have {most}; set hydra.launcher.cpus and hydra.launcher.gpus",
        )
    return cpus, gpus
