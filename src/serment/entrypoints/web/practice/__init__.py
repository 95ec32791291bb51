"""The pages' `services.Practice` on the real steps: what a session's keys open, as plain values.

One file a theme; `web_practice` joins them. Decides which facts a screen gets and that each is
journalled before it is returned; whether a key reaches is decided by the steps of `app.protect`.
"""

from serment.entrypoints.web.practice.web_practice import WebPractice

__all__ = ["WebPractice"]
