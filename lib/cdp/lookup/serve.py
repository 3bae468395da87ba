"""`cdp serve`: the page on an address of this machine."""

import ipaddress
import logging
import os
import socket
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from cdp.base.console import Console
from cdp.base.errors import UsageError
from cdp.lookup.guard import Guard
from cdp.lookup.read import Tables
from cdp.lookup.site import site
from cdp.tables.gold import LOOKUP_KEYS, PROFILES

if TYPE_CHECKING:
    import uvicorn

TOKEN = "CDP_SERVE_TOKEN"
_SHORTEST = 16
_MOST_AT_ONCE = 200
"""Connections; who comes beyond them is told to come back (503)."""
_ANYWHERE = ("0.0.0.0", "::", "")


def serve(lake: Path, *, host: str, port: int, names: Collection[str], show_pii: bool) -> None:
    """Serve until the process is told to end.

    Raises:
        UsageError: no lake, an address that is not ours or in use, or one that others reach and no token.
    """
    app = application(lake, host=host, names=names, show_pii=show_pii)
    listening = _bound(host, port)
    at = f"[{host}]" if ":" in host else host
    print(f"http://{at}:{listening.getsockname()[1]}/", flush=True)
    server(app).run(sockets=[listening])


def server(app: Guard) -> "uvicorn.Server":
    """What answers requests. Its own logs are off: they would hold addresses of people's pages and of callers."""
    import uvicorn

    logging.getLogger("uvicorn").disabled = logging.getLogger("uvicorn.error").disabled = True
    config = uvicorn.Config(
        app, log_config=None, access_log=False, server_header=False, lifespan="off", ws="none", limit_concurrency=_MOST_AT_ONCE
    )
    return uvicorn.Server(config)


def application(lake: Path, *, host: str, names: Collection[str] = (), show_pii: bool = False) -> Guard:
    """What is served.

    Raises:
        UsageError: no lake, or an address that others reach and no token.
    """
    token = os.environ.get(TOKEN) or None
    if token is not None and len(token) < _SHORTEST:
        raise UsageError(f"{TOKEN}: found {len(token)} characters, wanted at least {_SHORTEST}")
    if token is None and not _is_loopback(host):
        raise UsageError(f"--host {host}: others reach it; wanted a token in the environment as {TOKEN}")
    tables = Tables(lake, PROFILES, LOOKUP_KEYS)
    return site(tables, show_pii=show_pii, hosts=_names(host, names), token=token, console=Console("plain"))


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _names(host: str, names: Collection[str]) -> set[str]:
    """Names under which browsers may ask: what they call another name is a page of somebody else's."""
    own = {"localhost", "127.0.0.1", "::1"} if _is_loopback(host) else set()
    if host in _ANYWHERE:
        own |= {socket.gethostname(), socket.getfqdn()}
    return own | {host} | set(names)


def _bound(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except (OSError, OverflowError) as error:
        listening.close()
        reason = error.strerror if isinstance(error, OSError) else "not a port"
        raise UsageError(f"--host {host} --port {port}: cannot be listened at: {reason}") from None
    return listening
