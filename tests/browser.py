"""A real Chromium without a screen, driven over its debugging protocol (CDP)."""

from __future__ import annotations

import base64
import itertools
import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from parts import PATIENCE_S, end, wait_until
from websockets.sync.client import connect
from websockets.sync.connection import Connection

# Chromium phones home unless each of these is said.
QUIET = [
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-domain-reliability",
    "--disable-quic",
    "--disable-sync",
    "--no-default-browser-check",
    "--no-first-run",
    "--no-pings",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
]


class Tab:
    """One page of a browser."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._numbers = itertools.count(1)

    def call(self, method: str, **parameters: Any) -> dict[str, Any]:
        number = next(self._numbers)
        self._line.send(json.dumps({"id": number, "method": method, "params": parameters}))
        while True:
            answer = json.loads(self._line.recv(PATIENCE_S))
            if answer.get("id") == number:
                assert "error" not in answer, answer["error"]
                result = answer["result"]
                assert isinstance(result, dict)
                return result

    def value(self, expression: str) -> Any:
        """What a JavaScript expression gives; a promise is waited for. Counts as the user's own gesture."""
        answer = self.call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    def open(self, address: str) -> None:
        self.call("Page.enable")
        self.call("Emulation.setDeviceMetricsOverride", width=1280, height=800, deviceScaleFactor=1, mobile=False)
        self.call("Page.navigate", url=address)
        wait_until(lambda: self.value("document.readyState") == "complete", address)

    def key(self, kind: str, key: str, code: str, number: int) -> None:
        """Press ("rawKeyDown") or let go ("keyUp") a key, by its DOM names and its key code."""
        self.call("Input.dispatchKeyEvent", type=kind, key=key, code=code, windowsVirtualKeyCode=number)

    def type_line(self, text: str) -> None:
        """Type into what has the focus, then Enter."""
        self.call("Input.insertText", text=text)
        self.call(
            "Input.dispatchKeyEvent", type="keyDown", key="Enter", code="Enter", windowsVirtualKeyCode=13, text="\r"
        )
        self.call("Input.dispatchKeyEvent", type="keyUp", key="Enter", code="Enter", windowsVirtualKeyCode=13)

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))


@contextmanager
def chromium(folder: Path) -> Iterator[Tab]:
    """A browser of 1280×800 with an empty profile in `folder`, ended with the block."""
    binary = shutil.which("chromium")
    if binary is None:
        pytest.skip("chromium is not installed (apt: chromium)")
    as_root = ["--no-sandbox"] if os.geteuid() == 0 else []
    with (folder / "chromium.log").open("wb") as log:
        process = subprocess.Popen(
            [
                *(binary, "--headless", "--disable-gpu", "--mute-audio", "--window-size=1280,800", *as_root, *QUIET),
                *("--remote-debugging-port=0", f"--user-data-dir={folder / 'profile'}", "about:blank"),
            ],
            stdout=log,
            stderr=log,
            # Its helpers look for settings and caches at home otherwise.
            env={**os.environ, "HOME": str(folder)},
        )
    try:
        # Chromium writes the port it chose there, once it listens.
        chosen = folder / "profile" / "DevToolsActivePort"
        wait_until(lambda: chosen.exists() and len(chosen.read_text().split("\n")) >= 2, "chromium", 60)
        port, browser_path = chosen.read_text().split("\n")[:2]
        with connect(f"ws://127.0.0.1:{port}{browser_path}", proxy=None, max_size=None) as line:
            target = Tab(line).call("Target.createTarget", url="about:blank")["targetId"]
        with connect(f"ws://127.0.0.1:{port}/devtools/page/{target}", proxy=None, max_size=None) as line:
            yield Tab(line)
    finally:
        end(process)
