"""Takes pictures of every screen of the fictional practice: `python tests/e2e/pictures.py FOLDER`.

For people to look at (and for the README); nothing is asserted here.
"""

from __future__ import annotations

import shutil
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE.parent / "unit" / "web")]

from browser import Visit, browser  # noqa: E402
from demo_people import CODE, PASSWORD  # noqa: E402
from demo_records import studies  # noqa: E402
from demo_stage import Stage  # noqa: E402

AXE = HERE.parent / "tools" / "node_modules" / "axe-core" / "axe.min.js"
SCREENS = {
    "home": "/",
    "studies": "/studies",
    "patients": "/patients",
    "patient": f"/patients/{studies()[0].patient}",
    "to-file": "/to-file",
    "journal": "/journal",
    "members": "/members",
    "settings": "/settings",
    "viewer": f"/studies/{studies()[0].ref}",
    "viewer-no-key": f"/studies/{studies()[3].ref}",
}
WAYS = {
    "fr": {},
    "fr-dark": {"dark": True},
    "en": {"lang": "en"},
    "fr-360": {"width": 360, "height": 740, "touch": True},
}


def take(visit: Visit, name: str, path: str, target: Path) -> None:
    visit.go(path)
    visit.page.wait_for_timeout(1500)
    visit.page.screenshot(path=target, full_page="viewer" not in name)
    print(target)


def main(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    stage = Stage(Path(tempfile.mkdtemp()))
    with browser(shutil.which("chromium") or "chromium", AXE) as chromium:
        for way, options in WAYS.items():
            with chromium.visit(stage.url, **options) as visit:
                take(visit, "login", "/login", folder / f"{way}-login.png")
                visit.sign_in("a.perichon", PASSWORD, CODE)
                for name, path in SCREENS.items():
                    take(visit, name, path, folder / f"{way}-{name}.png")
    stage.server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
