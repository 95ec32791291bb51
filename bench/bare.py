"""What the machine itself can do: the time of one flush, and a bare loop that appends and syncs."""

from __future__ import annotations

import os
import platform
import statistics
import threading
import time
from collections.abc import Sequence
from pathlib import Path

import psutil

from bench.samples import Sample


def flush_ms(folder: Path, times: int = 60) -> float:
    """Median time to append 4 KiB and have it on disk, in milliseconds."""
    taken = []
    with (folder / "flush").open("wb", buffering=0) as file:
        for _ in range(times):
            begin = time.perf_counter()
            file.write(bytes(4096))
            os.fdatasync(file.fileno())
            taken.append(time.perf_counter() - begin)
    (folder / "flush").unlink()
    return statistics.median(taken) * 1000


def append_and_sync(folder: Path, samples: Sequence[Sample], threads: int = 1) -> float:
    """Seconds to append these files to one file a thread, each synced before the next."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = [sample.path.read_bytes() for sample in samples]

    def work(number: int) -> None:
        with (folder / f"bare-{number}").open("wb", buffering=0) as file:
            for content in contents[number::threads]:
                file.write(content)
                os.fdatasync(file.fileno())

    workers = [threading.Thread(target=work, args=(number,)) for number in range(threads)]
    begin = time.perf_counter()
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join()
    return time.perf_counter() - begin


def machine() -> dict[str, str | int | float]:
    """What the figures were taken on, without naming it."""
    memory = psutil.virtual_memory().total / 2**30
    return {
        "system": f"{platform.system()} {platform.machine()}",
        "processor": _processor(),
        "cores": os.cpu_count() or 1,
        "memory_gib": round(memory),
        "python": platform.python_version(),
        "load": round(os.getloadavg()[0], 1),
    }


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor()
    return next((line.partition(":")[2].strip() for line in lines if "model name" in line), "")
