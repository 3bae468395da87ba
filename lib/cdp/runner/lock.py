"""One writer a lake at a time."""

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from cdp.base.console import Console
from cdp.base.errors import CdpError
from cdp.base.lake import Lake

WAIT_SECONDS = 600


@contextmanager
def exclusive(lake: Lake, run_id: str, console: Console, *, wait_seconds: float = WAIT_SECONDS) -> Iterator[None]:
    """Hold the lake for this run; a second run waits, then leaves with a message.

    The lock is the operating system's: it ends with the process, however that ends. On other than local disks Delta's
    own checks of concurrent writes are all there is.

    Raises:
        CdpError: another run still holds the lake after `wait_seconds`.
    """
    if not lake.files.is_local:
        yield
        return
    import fcntl

    path = Path(lake.root) / "_cdp" / "lock"
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("a+", encoding="utf-8") as handle:
        deadline = time.monotonic() + wait_seconds
        told = False
        while True:
            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > deadline:
                    raise CdpError(f"the lake {lake.root} is in use by {_holder(path)}; try again later") from None
                if not told:
                    console.note(f"waiting for {_holder(path)}, which is writing to {lake.root}")
                    told = True
                time.sleep(min(1.0, wait_seconds / 5 or 0.01))
        handle.truncate(0)
        handle.write(json.dumps({"run": run_id, "process": os.getpid()}))
        handle.flush()
        yield
        handle.truncate(0)


def _holder(path: Path) -> str:
    try:
        holder = json.loads(path.read_text(encoding="utf-8"))
        return f"run {holder['run']} (process {holder['process']})"
    except (OSError, ValueError, KeyError):
        return "another run"
