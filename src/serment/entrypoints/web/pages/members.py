"""Members and devices: who may open what, who may send, and how each got there."""

from __future__ import annotations

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from serment.core.masked import Masked
from serment.core.records.vault import Role
from serment.entrypoints.web.doors import practice, ref, signed_in
from serment.entrypoints.web.forms import Form, read_form
from serment.entrypoints.web.rendering import show
from serment.entrypoints.web.views import NewDevice, NewMember, Page, SessionView
from serment.errors import N_, UsageError


@signed_in
async def members(request: Request, session: SessionView) -> Response:
    return await _members(request, session)


async def _members(
    request: Request,
    session: SessionView,
    token: Masked[str] | None = None,
    device: str = "",
) -> Response:
    view = await run_in_threadpool(practice(request).members, session.id)
    return show(request, "members.html", page=Page.MEMBERS, view=view, token=token, device=device)


@signed_in
async def add(request: Request, session: SessionView) -> Response:
    new = _new_member(await read_form(request))
    await run_in_threadpool(practice(request).add_member, session.id, new)
    return _back("")


def _new_member(form: Form) -> NewMember:
    password = form.raw("password")
    if password != form.raw("again"):
        raise UsageError(N_("the two passwords differ"), hint=N_("type the same password twice"))
    roles = tuple(role for role in Role if role.value in form.all("role"))
    return NewMember(form.text("login", 80), Masked(password), roles, form.text("circle", 80))


@signed_in
async def admit(request: Request, session: SessionView) -> Response:
    """Only with the declaration that the eight words were compared with the person, and with the
    words: the key they belong to is the one that gets in."""
    form = await read_form(request)
    if form.text("compared") != "1":
        raise UsageError(
            N_("the words were not compared"),
            hint=N_("read the eight words with the person, then tick the box"),
        )
    words = tuple(form.text("words", 200).split())
    await run_in_threadpool(practice(request).admit, session.id, ref(request, "member"), words)
    return _back("")


@signed_in
async def remove(request: Request, session: SessionView) -> Response:
    await run_in_threadpool(practice(request).remove_member, session.id, ref(request, "member"))
    return _back("")


@signed_in
async def add_device(request: Request, session: SessionView) -> Response:
    """The token is in this answer and nowhere else."""
    form = await read_form(request)
    new = NewDevice(
        name=form.text("name", 80),
        ae_title=form.text("ae_title", 16),
        address=form.text("address", 60),
        circle=form.text("circle", 80),
    )
    token = await run_in_threadpool(practice(request).add_device, session.id, new)
    return await _members(request, session, token, new.name)


@signed_in
async def remove_device(request: Request, session: SessionView) -> Response:
    await run_in_threadpool(practice(request).remove_device, session.id, ref(request, "device"))
    return _back("#devices")


def _back(anchor: str) -> Response:
    return RedirectResponse(f"/members{anchor}", status_code=303)


routes = [
    Route("/members", members, methods=["GET"]),
    Route("/members", add, methods=["POST"]),
    Route("/members/{member}/admit", admit, methods=["POST"]),
    Route("/members/{member}/remove", remove, methods=["POST"]),
    Route("/devices", add_device, methods=["POST"]),
    Route("/devices/{device}/remove", remove_device, methods=["POST"]),
]
