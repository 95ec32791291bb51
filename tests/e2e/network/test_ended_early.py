"""The process that talks is killed in the middle of an audit: what it had told is not lost."""

from __future__ import annotations

import os
import socket

import psutil
import pytest
from tests.e2e.network.running import HOST
from tests.e2e.network.webs import Answer, web

from serment.adapters.network.local import CHILD, LocalNetwork
from serment.core.exposure.findings import Place
from serment.core.exposure.seen import Missed, Service
from serment.errors import Unavailable
from serment.ports.network import Order


def kill_the_talker() -> None:
    for each in psutil.Process(os.getpid()).children():
        if CHILD in each.cmdline():
            each.kill()


def test_what_was_told_before_it_was_killed_stays() -> None:
    """One connection at a time goes to this host, so that the page is told before the silent one."""
    silent = socket.create_server((HOST, 0))
    with silent, web({"/": Answer("hello")}) as server:
        ports = (server.port, silent.getsockname()[1])
        services, missed = [], []
        for each in LocalNetwork().audit(Order((HOST,), ports)):
            if isinstance(each, Service):
                services.append(each)
                kill_the_talker()
            elif isinstance(each, Missed):
                missed.append(each)
    assert services
    left = {*ports} - {each.place.port for each in services}
    assert [each.ended for each in missed] == [True]
    assert {Place(HOST, port) for port in (0, *left)} <= {*missed[0].places}


def test_one_that_talked_to_nobody_is_no_audit() -> None:
    audit = LocalNetwork().audit(Order((HOST,), (1,)), lambda _: kill_the_talker())
    with pytest.raises(Unavailable):
        list(audit)
