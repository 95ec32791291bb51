"""One protocol a file. A file with a `PROBE` or a `HOST_PROBE` is used from the next start on."""

from __future__ import annotations

import importlib
import pkgutil

from serment.adapters.network.probing import HostProbe, Probe


def load() -> tuple[tuple[Probe, ...], tuple[HostProbe, ...]]:
    """Import every probe of this folder, in order of rank."""
    modules = [
        importlib.import_module(f"{__name__}.{found.name}")
        for found in pkgutil.iter_modules(__path__)
    ]
    probes = [module.PROBE for module in modules if hasattr(module, "PROBE")]
    hosts = [module.HOST_PROBE for module in modules if hasattr(module, "HOST_PROBE")]
    return tuple(sorted(probes, key=lambda each: (each.rank, each.protocol))), tuple(hosts)
