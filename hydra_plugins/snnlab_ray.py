"""A Hydra launcher for clusters of Ray: each point of a sweep in a process on one of its machines.

Hydra finds plugins in this package only; what it does is in `snnlab.sweep`.
"""

from typing import Any

from hydra_plugins.snnlab_process import ProcessLauncher


class RayLauncher(ProcessLauncher):
    """Starts `snnlab train <overrides>` for each point; conf/hydra/launcher/ray.yaml has its options."""

    def places(self) -> tuple[Any, Any]:
        from snnlab.sweep.options import RayOptions
        from snnlab.sweep.ray_places import RayPlaces

        options = RayOptions(**self.options)
        return options, RayPlaces(options)
