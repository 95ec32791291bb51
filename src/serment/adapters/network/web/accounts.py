"""A web server's documented account, when the order says so: HTTP's own authentication only.

Forms are left alone: what a form does with a wrong password nobody knows beforehand. Each account
is tried once for each service, under whatever names it answers. Source: RFC 7617.
"""

from __future__ import annotations

import base64
import re
from typing import Final

from serment.adapters.network.web.client import Browser, Page
from serment.adapters.network.web.sight import Sight
from serment.core.exposure.accounts import Account, announces_lock_out, documented
from serment.core.exposure.seen import Answer

# What a page or its challenge says, where a product is not recognised by its front.
_MARKS: Final = (
    ("tomcat", re.compile(r"apache tomcat|tomcat manager|apache-coyote", re.IGNORECASE)),
    ("opensearch", re.compile(r"opensearch security", re.IGNORECASE)),
)
_ASKS: Final = re.compile(r"\bbasic\b", re.IGNORECASE)
_HEADERS: Final = {"Accept": "*/*", "X-Requested-With": "SERMENT-AUDIT"}  # Mirth wants the last


def try_documented(browser: Browser, sight: Sight, front: Page) -> None:
    """Sign in once with each account of the product, if its page asks for one in HTTP."""
    if not browser.call.order.default_accounts:
        return
    product = _product(sight, front)
    if product == "orthanc":
        return  # asked where it is looked for (`images`)
    for account in documented(product):
        page = browser.ask("GET", account.path, _HEADERS)
        if page.status != 401 or not _ASKS.search(page.headers.get("www-authenticate", "")):
            return
        if not browser.call.may_try(account):
            continue
        page = _signed_in(browser, account)
        sight.default_account = Answer.YES if page.status == 200 else Answer.REFUSED
        if page.status == 200:
            sight.product = sight.product or product.title()
        if page.status != 401 or announces_lock_out(page.text):
            return


def _signed_in(browser: Browser, account: Account) -> Page:
    """The protected page, asked for with an account, on a connection of its own: one that was kept
    might make the browser ask twice."""
    browser.drop()
    pair = base64.b64encode(f"{account.user}:{account.password}".encode()).decode("ascii")
    return browser.ask("GET", account.path, {**_HEADERS, "Authorization": f"Basic {pair}"})


def _product(sight: Sight, front: Page) -> str:
    said = " ".join((*front.headers.values(), front.text[:4096]))
    marked = next((name for name, mark in _MARKS if mark.search(said)), "")
    return marked or sight.product.casefold()
