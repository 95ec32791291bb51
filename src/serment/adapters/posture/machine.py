"""The machine Serment runs on (`ports.machine.Machine`): every question at the same time."""

from __future__ import annotations

import sys
import threading
import time
from typing import Final

from serment.adapters.posture.asking import ask
from serment.adapters.posture.questions import QUESTIONS, Question
from serment.core.exposure.posture.verdict import Said, System
from serment.errors import N_, Unavailable

ONE_SECONDS: Final = 3.5  # what one program may take
ALL_SECONDS: Final = 4.0  # leaves a second to start and to show
_SYSTEMS: Final = {"linux": System.LINUX, "darwin": System.MACOS, "win32": System.WINDOWS}


class ThisMachine:
    """Answers that come too late are left out; their programs are ended."""

    def system(self) -> System:
        if sys.platform not in _SYSTEMS:
            raise Unavailable(
                N_("this system cannot be examined: {system}"),
                hint=N_("run `serment scan host` on Windows, macOS or Linux"),
                system=sys.platform,
            )
        return _SYSTEMS[sys.platform]

    def says(self) -> Said:
        system, answers = self.system(), dict[str, str]()

        def put(name: str, question: Question) -> None:
            answer = ask(question, system, ONE_SECONDS)
            if answer is not None:
                answers[name] = answer

        threads = [
            threading.Thread(target=put, args=each, daemon=True)
            for each in QUESTIONS[system].items()
        ]
        for thread in threads:
            thread.start()
        end = time.monotonic() + ALL_SECONDS
        for thread in threads:
            thread.join(max(0.0, end - time.monotonic()))
        return dict(answers)
