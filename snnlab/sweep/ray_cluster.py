"""Connects to a cluster of Ray, once for a command; without an address it is one of this machine that ends with it.

It sends nothing about its use to anybody, shows no dashboard, and writes nothing that stays.
"""

import atexit
import logging
import os
import secrets
import shutil
import signal
import socket
import tempfile
from collections.abc import Mapping
from functools import cache
from importlib import import_module
from types import ModuleType

from snnlab.errors import ConfigError
from snnlab.signals import STOP_SIGNALS, Stopped

# Ray's own store of objects, of which jobs need next to none; Ray takes no less.
STORE_BYTES = 80 * 2**20
PATIENCE_SECONDS = 10.0


def refuse_unreachable(address: str | None) -> None:
    """Refuses an address where nothing listens, for which Ray itself would wait for minutes.

    Args:
        address: as in `connect`.

    Raises:
        ConfigError: it is no address, or nothing listens there.
    """
    place = "RAY_ADDRESS" if address is None else "hydra.launcher.address"
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    if address in ("local", "auto"):
        return
    host, _, port = address.removeprefix("ray://").rpartition(":")
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=PATIENCE_SECONDS).close()
    except (OSError, OverflowError, ValueError) as error:
        reason = error if isinstance(error, OSError) else "no address"
        raise ConfigError(
            f"{place}: no cluster of Ray at '{address}': {reason}",
            "HOST:PORT as `ray start --head` prints it, auto, or null for a cluster of this machine",
        ) from None


@cache
def connect(address: str | None) -> tuple[ModuleType, tuple[Mapping[str, float], ...]]:
    """The module `ray`, connected, and what each machine of the cluster has.

    Args:
        address: of a cluster that runs; None for the one that RAY_ADDRESS names, else one of this machine.

    Raises:
        ConfigError: there is no such cluster, or it cannot be used.
        Stopped: SIGTERM came meanwhile.
    """
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    address = address or os.environ.get("RAY_ADDRESS") or "local"
    handlers = {one: signal.getsignal(one) for one in STOP_SIGNALS}
    options: dict[str, object] = {}
    if address == "local":
        options |= {"include_dashboard": False, "object_store_memory": STORE_BYTES}
        # In /tmp, since Ray refuses names of sockets that get long.
        folder = tempfile.mkdtemp(prefix="snnlab-ray-", dir="/tmp")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)  # runs after Ray's own, which comes later
        options["_temp_dir"] = f"{folder}/ray"  # whose rights Ray gives to all
        os.environ |= {
            # A word that only this command knows keeps others on this machine from its cluster.
            "RAY_AUTH_MODE": "token",
            "RAY_AUTH_TOKEN": secrets.token_hex(32),
            "RAY_worker_niceness": "0",  # jobs are no background work here
        }
    ray = import_module("ray")
    try:
        ray.init(
            address=address,
            log_to_driver=False,
            logging_level=logging.ERROR,
            configure_logging=False,
            **options,
        )
        machines = tuple(one["Resources"] for one in ray.nodes() if one["Alive"])
    except SystemExit as leave:  # Ray's own handler of SIGTERM
        raise Stopped("SIGTERM") from leave
    except (OSError, RuntimeError, ValueError, ray.exceptions.RayError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise ConfigError(
            f"hydra.launcher.address: Ray cannot use '{address}': {reason}",
            "HOST:PORT as `ray start --head` prints it, auto, or null for a cluster of this machine",
        ) from None
    finally:
        for one, handler in handlers.items():
            signal.signal(one, handler)
    return ray, machines
