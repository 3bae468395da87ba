"""A real Chromium without a window, driven over a pipe by its DevTools protocol."""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_SECONDS = 20


def find_chromium() -> str | None:
    """The program; None where there is none."""
    return next((found for name in ("chromium", "chromium-browser", "google-chrome") if (found := shutil.which(name))), None)


class Browser:
    """One tab."""

    def __init__(self, write: int, read: int) -> None:
        self._write, self._read, self._buffer, self._id = write, read, b"", 0
        self.requests: list[dict[str, Any]] = []
        self.console: list[str] = []
        target = self._call("Target.createTarget", {"url": "about:blank"}, session=None)["targetId"]
        self._session = self._call("Target.attachToTarget", {"targetId": target, "flatten": True}, session=None)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self._call(f"{domain}.enable")

    def open(self, url: str) -> None:
        self._settled(lambda: self._call("Page.navigate", {"url": url}))

    def run(self, script: str) -> Any:
        """The value of a script in the page, which may have none of its own."""
        told = self._call("Runtime.evaluate", {"expression": script, "returnByValue": True})
        assert "exceptionDetails" not in told, told["exceptionDetails"]
        return told["result"].get("value")

    def text(self) -> str:
        return str(self.run("document.body.innerText"))

    def path(self) -> str:
        return str(self.run("location.pathname + location.search"))

    def type(self, text: str) -> None:
        """As from a keyboard, to what has the focus."""
        self._call("Input.insertText", {"text": text})

    def press(self, key: str, *, leaves: bool = False) -> None:
        """A key; `leaves` where another page follows."""
        code = {"Enter": 13, "Tab": 9}[key]
        event = {"key": key, "code": key, "windowsVirtualKeyCode": code, **({"text": "\r"} if key == "Enter" else {})}

        def pressed() -> None:
            self._call("Input.dispatchKeyEvent", {"type": "keyDown", **event})
            self._call("Input.dispatchKeyEvent", {"type": "keyUp", **event})

        if leaves:
            self._settled(pressed)
        else:
            pressed()

    def size(self, width: int, height: int = 900) -> None:
        metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        self._call("Emulation.setDeviceMetricsOverride", metrics)

    def picture(self, path: Path) -> None:
        """The whole page as PNG."""
        data = self._call("Page.captureScreenshot", {"captureBeyondViewport": True, "format": "png"})["data"]
        path.write_bytes(base64.b64decode(data))

    def _settled(self, act: Any) -> None:
        self._loaded = False
        act()
        end = time.monotonic() + _SECONDS
        while not self._loaded:
            assert time.monotonic() < end, "the page did not load"
            self._take(self._next(end))

    def _call(self, method: str, params: dict[str, Any] | None = None, session: str | None = "") -> dict[str, Any]:
        self._id += 1
        message: dict[str, Any] = {"id": self._id, "method": method, "params": params or {}}
        if session == "":
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        mine, end = self._id, time.monotonic() + _SECONDS
        while True:
            answer = self._next(end)
            if answer.get("id") == mine:
                assert "error" not in answer, answer["error"]
                return dict(answer["result"])
            self._take(answer)

    def _take(self, message: dict[str, Any]) -> None:
        method, params = message.get("method"), message.get("params", {})
        if method == "Page.loadEventFired":
            self._loaded = True
        elif method == "Network.requestWillBeSent":
            self.requests.append(params["request"])
        elif method == "Log.entryAdded" and params["entry"]["level"] in ("warning", "error"):
            self.console.append(params["entry"]["text"])

    def _next(self, end: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select.select([self._read], [], [], max(0.0, end - time.monotonic()))[0], "the browser does not answer"
            more = os.read(self._read, 1 << 16)
            assert more, "the browser has ended"
            self._buffer += more
        line, self._buffer = self._buffer.split(b"\0", 1)
        return dict(json.loads(line))


@contextmanager
def browser(program: str, folder: Path) -> Iterator[Browser]:
    """A browser with a profile of its own below `folder`."""
    to_it, write = os.pipe()
    read, from_it = os.pipe()

    def handles() -> None:
        # It reads commands from 3 and writes answers to 4.
        one, two = os.dup(to_it), os.dup(from_it)
        os.dup2(one, 3)
        os.dup2(two, 4)

    options = ["--headless=new", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--hide-scrollbars"]
    call = [program, *options, "--disable-background-networking", f"--user-data-dir={folder}", "--remote-debugging-pipe"]
    process = subprocess.Popen(
        call, preexec_fn=handles, close_fds=False, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    os.close(to_it)
    os.close(from_it)
    try:
        yield Browser(write, read)
    finally:
        os.close(write)
        os.close(read)
        process.terminate()
        process.wait(timeout=20)
