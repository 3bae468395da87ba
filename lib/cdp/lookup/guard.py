"""Who may ask the page, and from where: host, origin and token of each request, and headers of each answer.

Personal data never stands in a URL, a log or an error: what is logged of a request is the kind of page, status and time.
"""

import hmac
import time
from collections.abc import Collection
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from cdp.base.console import Console
from cdp.lookup.sessions import Sessions

COOKIE = "cdp_session"
_OPEN_PATHS = ("/login", "/style.css")
_POSTS = ("/search", "/login", "/logout")
_PAGES = ("/", "/customers", *_POSTS, *_OPEN_PATHS)
_HEADERS = {
    "content-security-policy": "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    # With no-referrer a browser would send its forms with the origin `null`.
    "referrer-policy": "same-origin",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "cache-control": "no-store",
}


class Guard:
    """Lets requests through that come to one of our names, from our own pages, with the token where there is one.

    Args:
        app: what answers them.
        hosts: names under which the server is reached. Another one is a stranger's name that was led to this address.
        token: what callers must know; None: whoever reaches the server may ask.
        console: where a line for each request goes.
    """

    def __init__(self, app: ASGIApp, hosts: Collection[str], token: str | None, console: Console) -> None:
        self._app, self._hosts, self._token, self._console = app, frozenset(h.lower() for h in hosts), token, console
        self.sessions = Sessions()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began, status = time.monotonic(), 0

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, receive, answer)
        except Exception as error:
            # Its message may hold a value.
            self._console.event("lookup_failed", "ERROR", error=type(error).__name__)
            if not status:
                await PlainTextResponse("Something went wrong.", 500)(scope, receive, answer)
        page = "/" + scope["path"].removeprefix("/").partition("/")[0]
        known = page if page in _PAGES else "other"
        self._console.event("lookup_served", page=known, status=status, ms=round(1000 * (time.monotonic() - began)))

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return self._token is None or hmac.compare_digest(token.encode(), self._token.encode())

    def _refusal(self, scope: Scope) -> Response | None:
        headers, method, path = Headers(scope=scope), scope["method"], scope["path"]
        if _name(headers.get("host", "")) not in self._hosts:
            return PlainTextResponse("This server is not reached under that name.", 421)
        if method not in ("GET", "HEAD") and not (method == "POST" and path in _POSTS):
            return PlainTextResponse("There is nothing to change here.", 405, {"allow": "GET, HEAD"})
        if method == "POST" and not _is_ours(headers):
            return PlainTextResponse("Forms are taken from this server's own pages only.", 403)
        if path in _OPEN_PATHS or self._may(headers):
            return None
        if "text/html" in headers.get("accept", "") and "authorization" not in headers:
            return RedirectResponse("/login", 303)
        return PlainTextResponse("A token is needed.", 401, {"www-authenticate": "Bearer"})

    def _may(self, headers: Headers) -> bool:
        if self._token is None:
            return True
        scheme, _, token = headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return self.knows(token.strip())
        return self.sessions.holds(session_in(headers))


def session_in(headers: Headers) -> str | None:
    """The session in a request's cookie, whatever cookies others on the same host have set beside it."""
    return cookie_parser(headers.get("cookie", "")).get(COOKIE)


def _name(host: str) -> str:
    """The name in a Host header, without the port."""
    try:
        return (urlsplit(f"//{host}").hostname or "").lower()
    except ValueError:
        return ""


def _is_ours(headers: Headers) -> bool:
    """Whether a form was sent from our page; programs that are no browser say nothing of it."""
    origin = headers.get("origin")
    try:
        if origin is not None and urlsplit(origin).netloc.lower() != headers.get("host", "").lower():
            return False
    except ValueError:
        return False
    return headers.get("sec-fetch-site", "same-origin") == "same-origin"
