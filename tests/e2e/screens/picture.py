"""Takes the README's picture of the worklist: `python -m tests.e2e.screens.picture FILE.png`.

A real server, the demonstration's fictional patients, French, 1280 by 900. Nothing is asserted.
"""

from __future__ import annotations

import io
import shutil
import sys
import tempfile
from pathlib import Path

from PIL import Image
from tests.e2e.browser import browser
from tests.e2e.conftest import AXE
from tests.e2e.screens.premises import LATE, PASSWORD, premises

# Chromium without its language packs writes the hint of a date field in English whatever the page.
FRENCH_DATES = """for (const one of document.querySelectorAll("input[type=date]")) {
  one.type = "text";
  one.placeholder = "jj/mm/aaaa";
}"""


def take(folder: Path) -> bytes:
    """The worklist as the doctor sees it, as PNG."""
    with premises(folder) as practice, browser(shutil.which("chromium") or "", AXE) as chromium:
        practice.send(LATE)
        with chromium.visit(practice.url, lang="fr", height=900) as visit:
            visit.sign_in("docteur", PASSWORD)
            visit.go("/studies")
            visit.until(
                "Array.from(document.images).slice(0, 6).every((one) => one.naturalWidth > 20)"
            )
            visit.page.evaluate(FRENCH_DATES)
            visit.page.wait_for_timeout(1000)
            return visit.page.screenshot()


def main(target: Path) -> None:
    with tempfile.TemporaryDirectory(prefix="serment-picture-") as folder:
        shot = Image.open(io.BytesIO(take(Path(folder)))).convert("RGB")
    shot.quantize(160, method=Image.Quantize.MEDIANCUT).save(target, optimize=True)
    sys.stdout.write(f"{target}: {shot.width} x {shot.height}, {target.stat().st_size} bytes\n")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
