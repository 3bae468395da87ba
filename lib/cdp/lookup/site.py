"""The page for store and service people: one search box, and a person's page behind it. It only reads."""

from collections.abc import Collection, Mapping
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import Route

from cdp.base.console import Console
from cdp.base.errors import CdpError, UsageError
from cdp.lookup.ask import CUSTOMER, asked, guessed
from cdp.lookup.find import check_type, find
from cdp.lookup.guard import COOKIE, Guard, session_in
from cdp.lookup.mask import masked_entry, masked_person, told_match
from cdp.lookup.pages import render, style
from cdp.lookup.person import person, timeline
from cdp.lookup.read import Tables
from cdp.lookup.sessions import LASTS_SECONDS

_LONGEST_FORM = 4_096
_MOST_PAGES = 1_000_000


def site(tables: Tables, *, show_pii: bool, hosts: Collection[str], token: str | None, console: Console) -> Guard:
    """The whole application.

    Args:
        tables: of the lake.
        show_pii: whether personal values stand as they are.
        hosts: names under which the server is reached.
        token: what callers must know; None: nothing.
        console: where a line for each request goes.
    """
    pages = _Pages(tables, show_pii, needs_token=token is not None)
    routes = [
        Route("/", pages.start),
        Route("/search", pages.search, methods=["POST"]),
        Route("/customers/{customer_id}", pages.customer),
        Route("/style.css", pages.style),
        Route("/login", pages.login, methods=["GET", "POST"]),
        Route("/logout", pages.logout, methods=["POST"]),
    ]
    app = Starlette(routes=routes, exception_handlers={404: pages.missing, CdpError: pages.failed})
    guard = pages.guard = Guard(app, hosts, token, console)
    return guard


class _Pages:
    """What answers each address."""

    guard: Guard

    def __init__(self, tables: Tables, show_pii: bool, *, needs_token: bool) -> None:
        self._tables, self._show_pii, self._needs_token = tables, show_pii, needs_token

    async def start(self, request: Request) -> Response:
        return self._page("start")

    async def search(self, request: Request) -> Response:
        typed = (await _form(request)).get("q", "")
        try:
            wanted = guessed(typed, option="Search")
            found = await run_in_threadpool(find, self._tables, wanted)
            if not found.matches:
                await run_in_threadpool(check_type, self._tables, wanted, option="Search")
        except UsageError as error:
            return self._page("start", 400, message=str(error), typed=typed)
        if not found.matches:
            return self._page("start", 404, message="Nobody has this. Is there another way to find the person?", typed=typed)
        if len(found.matches) == 1:
            return RedirectResponse(f"/customers/{found.matches[0].customer_id}", 303)
        shown = [told_match(match, show_pii=self._show_pii) for match in found.matches]
        return self._page("choose", matches=shown, more=found.more, typed=typed)

    def customer(self, request: Request) -> Response:
        """In a thread of its own, as it only waits for files."""
        customer_id, page = request.path_params["customer_id"], _number(request.query_params.get("page"))
        with ThreadPoolExecutor(max_workers=1) as pool:
            happened = pool.submit(timeline, self._tables, customer_id, page)
            known = person(self._tables, customer_id)
        if known is None:
            return self._former(customer_id)
        entries, page, pages = happened.result()
        if not self._show_pii:
            known, entries = masked_person(known), [masked_entry(entry) for entry in entries]
        return self._page("customer", person=known, entries=entries, page=page, pages=pages)

    def _former(self, customer_id: str) -> Response:
        """An id that a merge or split took out of use still leads to who has its records now."""
        try:
            found = find(self._tables, asked(CUSTOMER, customer_id, option="Customer"))
        except UsageError:
            return self._page("start", 404, message="There is no such customer.")
        if len(found.matches) == 1:
            return RedirectResponse(f"/customers/{found.matches[0].customer_id}", 303)
        if not found.matches:
            return self._page("start", 404, message="There is no such customer.")
        shown = [told_match(match, show_pii=self._show_pii) for match in found.matches]
        return self._page("choose", matches=shown, more=found.more)

    async def login(self, request: Request) -> Response:
        if request.method != "POST":
            return self._page("login", is_inside=False)
        if not self.guard.knows((await _form(request)).get("token", "")):
            return self._page("login", 401, message="That is not the token.", is_inside=False)
        answer = RedirectResponse("/", 303)
        secure = request.url.scheme == "https"
        answer.set_cookie(COOKIE, self.guard.sessions.begin(), httponly=True, samesite="strict", secure=secure, max_age=LASTS_SECONDS)
        return answer

    async def logout(self, request: Request) -> Response:
        self.guard.sessions.end(session_in(request.headers))
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(COOKIE, httponly=True, samesite="strict")
        return answer

    async def style(self, request: Request) -> Response:
        return Response(style(), media_type="text/css")

    async def missing(self, request: Request, error: Exception) -> Response:
        return self._page("start", 404, message="There is no such page.")

    async def failed(self, request: Request, error: Exception) -> Response:
        return self._page("start", 503, message=str(error))

    def _page(self, name: str, status: int = 200, *, is_inside: bool = True, typed: str = "", **values: object) -> Response:
        # What was typed is a person's: it comes back only where personal values are shown.
        echoed = typed if self._show_pii else ""
        text = render(
            name, **{"message": "", **values}, typed=echoed, is_masked=not self._show_pii, can_leave=self._needs_token and is_inside, is_inside=is_inside
        )
        return Response(text, status, media_type="text/html")


async def _form(request: Request) -> Mapping[str, str]:
    """The fields of a small form; of a large one none."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return {}
    fields = parse_qs(body.decode("utf-8", "replace"), keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}


def _number(text: str | None) -> int:
    return min(max(int(text), 1), _MOST_PAGES) if text and text.isascii() and text.isdecimal() and len(text) < 10 else 1
