"""Pixels that look like an examination: shapes and noise, drawn from a label, of nobody.

Decides only how the pictures look; the same label always gives the same pixels.
"""

from __future__ import annotations

import hashlib

import numpy as np
from numpy.typing import NDArray

Mask = NDArray[np.bool_]
Plane = NDArray[np.float32]


def rng(label: str) -> np.random.Generator:
    """A generator of the numbers that belong to this label."""
    return np.random.default_rng(int.from_bytes(hashlib.sha256(label.encode()).digest()[:8], "big"))


def _noise(label: str, height: int, width: int, deviation: float) -> Plane:
    return rng(label).standard_normal((height, width), dtype=np.float32) * np.float32(deviation)


def _grid(height: int, width: int) -> tuple[Plane, Plane]:
    """Coordinates from -1 to 1: rows (down) and columns (to the right)."""
    rows, columns = np.meshgrid(
        np.linspace(-1, 1, height, dtype=np.float32),
        np.linspace(-1, 1, width, dtype=np.float32),
        indexing="ij",
    )
    return rows, columns


def _ellipse(grid: tuple[Plane, Plane], x: float, y: float, rx: float, ry: float) -> Mask:
    rows, columns = grid
    inside: Mask = ((columns - x) / rx) ** 2 + ((rows - y) / ry) ** 2 <= 1
    return inside


def chest_ct(label: str, level: float, size: int = 512) -> NDArray[np.uint16]:
    """One axial slice in Hounsfield units + 1024, 12 bits; `level` runs from 0 (apex) to 1."""
    grid = _grid(size, size)
    lung = 0.20 + 0.14 * np.sin(np.pi * level)
    plane = np.full((size, size), -1000, dtype=np.float32)
    plane[_ellipse(grid, 0, 0.05, 0.88, 0.66)] = -90  # fat
    plane[_ellipse(grid, 0, 0.05, 0.82, 0.60)] = 45  # muscle
    for side in (-1, 1):
        plane[_ellipse(grid, side * 0.42, 0.02, lung, lung * 1.45)] = -850
        for rib in range(4):
            plane[_ellipse(grid, side * (0.70 - 0.05 * rib), -0.30 + 0.22 * rib, 0.05, 0.02)] = 600
    plane[_ellipse(grid, 0.10, -0.08, 0.24, 0.20)] = 60  # heart
    plane[_ellipse(grid, 0.08, 0.26, 0.06, 0.06)] = 180  # aorta
    plane[_ellipse(grid, 0, 0.42, 0.11, 0.10)] = 450  # vertebra
    plane[_ellipse(grid, 0, 0.44, 0.03, 0.03)] = 20  # spinal canal
    plane[_ellipse(grid, -0.45, 0.10, 0.045, 0.045 + 0.02 * level)] = 35  # a nodule
    plane += _noise(label, size, size, 14)
    return np.clip(plane + 1024, 0, 4095).astype(np.uint16)


def head_mr(label: str, level: float, size: int = 256) -> NDArray[np.uint16]:
    """One axial slice of a T1-like head, 12 bits; `level` runs from 0 to 1."""
    grid = _grid(size, size)
    wide = 0.45 + 0.25 * np.sin(np.pi * (0.2 + 0.7 * level))
    plane = np.zeros((size, size), dtype=np.float32)
    for scale, value in ((1.0, 1500), (0.94, 150), (0.90, 620), (0.80, 900)):
        plane[_ellipse(grid, 0, 0, wide * scale, wide * 1.25 * scale)] = value
    for side in (-1, 1):
        plane[_ellipse(grid, side * 0.10, -0.05, 0.06, 0.20)] = 180  # ventricles
    plane[_ellipse(grid, 0.24, 0.22, 0.05, 0.05)] = 1250
    plane += np.abs(_noise(label, size, size, 25))
    return np.clip(plane, 0, 4095).astype(np.uint16)


def chest_radiograph(label: str, size: int = 1024) -> NDArray[np.uint16]:
    """A frontal chest view, 14 bits, bright where much is crossed."""
    grid = _grid(size, size)
    rows, columns = grid
    plane = np.full((size, size), 900, dtype=np.float32)
    plane += 7000 * np.exp(-((columns / 0.85) ** 8)) * (rows > -0.85)
    for side in (-1, 1):
        plane[_ellipse(grid, side * 0.40, -0.05, 0.30, 0.62)] -= 4200
    plane += 4200 * np.exp(-((columns / 0.13) ** 2))  # spine and mediastinum
    plane[_ellipse(grid, 0.15, 0.25, 0.33, 0.30)] += 3000  # heart
    ribs = np.sin((rows + 0.35 * columns**2) * 26)
    plane += np.where((np.abs(columns) < 0.78) & (ribs > 0.75), 900, 0).astype(np.float32)
    plane += _noise(label, size, size, 90)
    return np.clip(plane, 0, 16383).astype(np.uint16)


def fan(label: str, frame: int, height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """One grey frame of a sector scan: speckle, a vessel that beats, black outside the fan."""
    rows, columns = _grid(height, width)
    depth = np.hypot(columns * (width / height) * 0.9, (rows + 1.05) / 2 * 1.6)
    angle = np.arctan2(columns * (width / height) * 0.9, (rows + 1.05) / 2 * 1.6)
    coarse = np.abs(_noise(f"{label}/{frame}", height // 2, width // 2, 1))
    speckle = np.repeat(np.repeat(coarse, 2, axis=0), 2, axis=1)
    plane = 70 * speckle * np.exp(-0.9 * depth) * (1 + 0.5 * np.cos(9 * depth))
    beat = 0.12 + 0.03 * np.sin(2 * np.pi * frame / 8)
    plane[_ellipse((rows, columns), 0.08, 0.05, beat, beat * 1.2)] *= 0.12
    plane[np.abs(depth - 1.15) < 0.02] += 120
    plane[(np.abs(angle) > 0.62) | (depth > 1.5) | (depth < 0.12)] = 0
    grey: NDArray[np.uint8] = np.clip(plane, 0, 255).astype(np.uint8)
    return grey


def doppler(label: str, frame: int, height: int = 480, width: int = 640) -> NDArray[np.uint8]:
    """The same sector in RGB with a colour box: flow in red and blue. Shape (h, w, 3)."""
    grey = fan(label, frame, height, width)
    picture: NDArray[np.uint8] = np.repeat(grey[:, :, None], 3, axis=2)
    vessel = _ellipse(_grid(height, width), 0.08, 0.05, 0.11, 0.13)
    flow = np.sin(2 * np.pi * frame / 8)
    picture[vessel] = (200, 40, 20) if flow >= 0 else (20, 60, 200)
    return picture
