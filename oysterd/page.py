"""The operator page: live picture and sound, directing by hand, and what the room is doing. HTTP on the loopback."""

from __future__ import annotations

import asyncio
import json
import logging
import socket
import threading
from collections import deque
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import uvicorn
from fastapi import FastAPI, Request, Response, WebSocket, WebSocketDisconnect
from fastapi.responses import HTMLResponse, JSONResponse
from starlette.datastructures import Headers

from model.conditions import CHARACTERS, FIGURES, STYLES
from oysterd.changes import Motion
from oysterd.commands import COMMANDS, LARGEST_PAYLOAD_BYTES, CommandError, Receipt, parse_motion
from oysterd.control_config import PageConfig, is_loopback
from oysterd.director import Director
from oysterd.live import Client, Live, Media

logger = logging.getLogger(__name__)

ORIGIN = "http"
START_TIMEOUT_S = 10.0
STOP_TIMEOUT_S = 2.0
# Receipts that a page which is opened later is told as well.
MOST_RECEIPTS = 50


class PageError(Exception):
    """The page can't be served; the message names the setting."""


class Page:
    """FastAPI on uvicorn, in a thread with an event loop of its own.

    `on_motion(motion)` is called on that thread and must not block. Publishing is thread-safe.
    """

    def __init__(
        self,
        config: PageConfig,
        director: Director,
        media: Media,
        on_motion: Callable[[Motion], None],
        sample_rate_hz: int,
    ) -> None:
        self._config = config
        self._director = director
        self._media = media
        self._on_motion = on_motion
        self._sample_rate_hz = sample_rate_hz
        self._state: dict[str, Any] = {}
        self._receipts: deque[dict[str, Any]] = deque(maxlen=MOST_RECEIPTS)  # of the loop's thread alone
        self._loop: asyncio.AbstractEventLoop | None = None
        self._ready = threading.Event()
        self._thread: threading.Thread | None = None
        self._server: uvicorn.Server | None = None
        self._index = files("oysterd").joinpath("static/index.html").read_text(encoding="utf-8")
        self.live: Live | None = None
        self.address = ""

    def start(self) -> None:
        """Serve until `stop()`; `address` then is the page's URL. Raises PageError when the port is in use."""
        listener = self._listen()
        host, port = self._config.host, listener.getsockname()[1]
        self.address = f"http://{f'[{host}]' if ':' in host else host}:{port}"
        self._server = uvicorn.Server(
            uvicorn.Config(
                self._application(),
                log_level="warning",
                access_log=False,
                ws_max_size=LARGEST_PAYLOAD_BYTES,
                # JPEGs do not become smaller, and noise hardly does.
                ws_per_message_deflate=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = threading.Thread(
            target=self._server.run, kwargs={"sockets": [listener]}, name="page", daemon=True
        )
        self._thread.start()
        if not self._ready.wait(START_TIMEOUT_S):
            raise PageError(f"page.enabled: the page did not start within {START_TIMEOUT_S:g} s")

    def stop(self) -> None:
        """End the server and its thread; harmless when it does not run."""
        thread, self._thread = self._thread, None
        if thread is None or self._server is None:
            return
        self._server.should_exit = True
        thread.join(STOP_TIMEOUT_S)
        if thread.is_alive():
            self._server.force_exit = True
            thread.join(STOP_TIMEOUT_S)

    def publish_state(self, state: dict[str, Any]) -> None:
        """Take the state for `GET /state` and the open pages."""
        self._state = state
        self._tell("state", state)

    def publish_telemetry(self, telemetry: dict[str, Any]) -> None:
        """Show figures on the open pages."""
        self._tell("telemetry", telemetry)

    def publish_receipt(self, receipt: Receipt) -> None:
        """Show a receipt on the pages, whoever sent the command, and say by which way that came."""
        by = receipt.origin.partition(":")[0]
        self._tell("receipt", {**receipt.model_dump(mode="json"), "by": "page" if by == ORIGIN else by})

    def _tell(self, kind: str, content: dict[str, Any]) -> None:
        if self._loop is not None and self.live is not None and self._thread is not None:
            try:
                self._loop.call_soon_threadsafe(self._pass_on, kind, content)
            except RuntimeError as error:  # the loop closed between the check and the call: nobody is listening
                logger.debug("page: %s", error)

    def _pass_on(self, kind: str, content: dict[str, Any]) -> None:
        if kind == "receipt":
            self._receipts.append(content)
        assert self.live is not None  # `_tell` saw it
        self.live.tell(kind, content)

    def _listen(self) -> socket.socket:
        """Bind before the server starts: uvicorn would end the whole process for a port in use."""
        family = socket.AF_INET6 if ":" in self._config.host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((self._config.host, self._config.port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            where = f"{self._config.port} on {self._config.host}"
            raise PageError(f"page.port: {where} can't be used: {error.strerror}") from error
        return listener

    @asynccontextmanager
    async def _lifespan(self, application: FastAPI) -> AsyncIterator[None]:
        self._loop = asyncio.get_running_loop()
        self.live = Live(self._media, self._config.jpeg_quality)
        following = asyncio.create_task(self.live.follow())
        following.add_done_callback(_tell_of_failure)
        self._ready.set()
        yield
        following.cancel()

    def _application(self) -> FastAPI:
        application = FastAPI(lifespan=self._lifespan, docs_url=None, redoc_url=None, openapi_url=None)
        application.add_api_route("/", self._get_index, methods=["GET"])
        application.add_api_route("/state", self._get_state, methods=["GET"])
        application.add_api_route("/healthz", self._get_health, methods=["GET"])
        application.add_api_route("/command/{name}", self._post_command, methods=["POST"], response_model=None)
        application.add_api_websocket_route("/live", self._serve_live)
        return application

    async def _get_index(self, request: Request) -> Response:
        if not _is_ours(request.headers):
            return _refusal()
        policy = "default-src 'self'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; img-src blob: data:"
        headers = {"Content-Security-Policy": policy, "X-Frame-Options": "DENY", "Cache-Control": "no-store"}
        return HTMLResponse(self._index, headers=headers)

    async def _get_state(self, request: Request) -> Response:
        return JSONResponse(self._state) if _is_ours(request.headers) else _refusal()

    async def _get_health(self) -> Response:
        """200 once there has been a picture, 503 before."""
        newest = self._media.newest
        return JSONResponse({"newest": newest, "playing": self._media.playing}, 200 if newest >= 0 else 503)

    async def _post_command(self, name: str, request: Request) -> Response:
        """202 accepted, 404 unknown command, 409 repeated id, 413 too large, 422 rejected; the body is the receipt."""
        if not _is_ours(request.headers):
            return _refusal()
        body = bytearray()
        async for part in request.stream():
            body += part
            if len(body) > LARGEST_PAYLOAD_BYTES:
                return JSONResponse({"why": [f"payload: must have at most {LARGEST_PAYLOAD_BYTES} bytes"]}, 413)
        receipt = self._director.receive(name, bytes(body), ORIGIN)
        status = 404 if name not in COMMANDS else 409 if receipt.duplicate else 202
        if receipt.status == "rejected" and status == 202:
            status = 422
        return JSONResponse(receipt.model_dump(mode="json"), status)

    async def _serve_live(self, websocket: WebSocket) -> None:
        if not _is_ours(websocket.headers):
            await websocket.close(1008)  # before it is accepted: the browser sees 403
            return
        await websocket.accept()
        assert self.live is not None  # the lifespan made it before anything was served
        client = Client(websocket)
        words = {"styles": STYLES, "characters": CHARACTERS, "figures": FIGURES}
        client.tell(json.dumps({"hello": {"sample_rate_hz": self._sample_rate_hz, **words}}))
        client.tell(json.dumps({"state": self._state}))
        for receipt in self._receipts:
            client.tell(json.dumps({"receipt": receipt}))
        self.live.join(client)
        sending = asyncio.create_task(client.send())
        try:
            while True:
                self._said(client, await websocket.receive_json())
        except WebSocketDisconnect:
            logger.debug("page: a client left")
        except (ValueError, KeyError, CommandError) as error:
            logger.warning("page: a client sent what is no message of ours and was closed: %s", error)
            await websocket.close(1003)
        finally:
            self.live.leave(client)
            sending.cancel()

    def _said(self, client: Client, message: Any) -> None:
        """A page says `{"sound": true}` to be sent sound, and `{"motion": {…}}` while keys are held."""
        if not isinstance(message, dict) or not set(message) <= {"sound", "motion"}:
            raise ValueError("must be an object with sound or motion")
        if "sound" in message:
            client.wants_sound = message["sound"] is True
        if "motion" in message:
            motion = message["motion"]
            self._on_motion(parse_motion(motion if isinstance(motion, dict) else json.dumps(motion)))


def _is_ours(headers: Headers) -> bool:
    """Whether a request comes from our own page, or from no page at all.

    Any page that is open in the operator's browser can reach the loopback. Its `Origin` gives it away; and a foreign
    name that was made to point here (DNS rebinding) shows in `Host`.
    """
    host = headers.get("host", "")
    name = urlsplit(f"//{host}").hostname
    origin = headers.get("origin")
    return name is not None and is_loopback(name) and (origin is None or urlsplit(origin).netloc == host)


def _refusal() -> Response:
    return JSONResponse({"why": ["Origin or Host: this page answers only to itself, on the loopback"]}, 403)


def _tell_of_failure(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        logger.error("page: picture and sound stopped: %s", error, exc_info=error)
