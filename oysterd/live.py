"""Sends picture and sound to the operator pages that are open: encoded once for all, and only while one is.

Binary messages, one chunk each: a byte of type, the chunk's index as 8 bytes big-endian, then a JPEG (type 1) or
interleaved int16 little-endian stereo samples (type 2). Text messages are JSON: see `Live.tell`.
"""

from __future__ import annotations

import asyncio
import json
import logging
import struct
from collections import deque
from typing import Any, Protocol

import cv2
import numpy as np
from numpy.typing import NDArray
from starlette.websockets import WebSocket, WebSocketDisconnect

logger = logging.getLogger(__name__)

PICTURE, SOUND = 1, 2
# How often the media are asked for a new chunk: well under a slice, and next to nothing in work.
POLL_S = 0.015
# A client further behind than this (in chunks of sound, or in text messages) loses the oldest.
MOST_SOUND, MOST_TEXT = 24, 128
# How many chunks are made up for after a stall; older ones nobody wants to hear any more.
MOST_MISSED = 8


class Media(Protocol):
    """What the playout holds: `playing` is the chunk being heard (-1: none), `newest` the last one made."""

    @property
    def playing(self) -> int: ...

    @property
    def newest(self) -> int: ...

    def read(self, index: int) -> tuple[NDArray[np.uint8], NDArray[np.float32]] | None:
        """A picture uint8 (H, W, 3) and sound float32 (n, 2) of a chunk; None when it is gone or not yet there."""
        ...


class Client:
    """One open page: what waits to be sent to it. Its newest picture replaces the one it was too slow for."""

    def __init__(self, socket: WebSocket) -> None:
        self._socket = socket
        self._something = asyncio.Event()
        self._picture: bytes | None = None
        self._sound: deque[bytes] = deque(maxlen=MOST_SOUND)
        self._texts: deque[str] = deque(maxlen=MOST_TEXT)
        self.wants_sound = False
        self.skipped_pictures = 0

    def show(self, picture: bytes, sound: bytes) -> None:
        self.skipped_pictures += self._picture is not None
        self._picture = picture
        if self.wants_sound:
            self._sound.append(sound)
        self._something.set()

    def tell(self, text: str) -> None:
        self._texts.append(text)
        self._something.set()

    async def send(self) -> None:
        """Send what waits, for as long as the page is open. A slow page blocks here and nobody else."""
        try:
            while True:
                await self._something.wait()
                self._something.clear()
                while self._texts:
                    await self._socket.send_text(self._texts.popleft())
                while self._sound:
                    await self._socket.send_bytes(self._sound.popleft())
                picture, self._picture = self._picture, None
                if picture is not None:
                    await self._socket.send_bytes(picture)
        except (WebSocketDisconnect, RuntimeError) as error:
            # RuntimeError is what starlette raises for a socket that was closed meanwhile; who reads it ends too.
            logger.debug("page: a client left: %s", error)


class Live:
    """All open pages, and the one task that follows the media. Lives on the page's event loop."""

    def __init__(self, media: Media, jpeg_quality: int) -> None:
        self._media = media
        self._jpeg_quality = jpeg_quality
        self._clients: set[Client] = set()
        self._somebody = asyncio.Event()
        self._last = -1
        self.encoded_pictures = 0

    def join(self, client: Client) -> None:
        if not self._clients:
            self._last = self._now()  # whoever comes first begins with the next chunk
        self._clients.add(client)
        self._somebody.set()

    def leave(self, client: Client) -> None:
        self._clients.discard(client)
        if not self._clients:
            self._somebody.clear()

    def tell(self, kind: str, content: dict[str, Any]) -> None:
        """Send `{kind: content}` to all pages; kinds are hello, state, telemetry and receipt."""
        text = json.dumps({kind: content})
        for client in self._clients:
            client.tell(text)

    async def follow(self) -> None:
        """Pass on each chunk when the room hears it, or when it is made where no sound is played; until cancelled."""
        while True:
            await self._somebody.wait()
            now = self._now()
            if now < self._last:
                self._last = now - 1  # the world began anew
            for index in range(max(self._last + 1, now - MOST_MISSED), now + 1):
                await self._pass_on(index)
            self._last = now
            await asyncio.sleep(POLL_S)

    def _now(self) -> int:
        return self._media.playing if self._media.playing >= 0 else self._media.newest

    async def _pass_on(self, index: int) -> None:
        chunk = self._media.read(index)
        if chunk is None:
            return
        # OpenCV lets other threads run while it encodes; the loop must too.
        picture = await asyncio.to_thread(_jpeg, chunk[0], self._jpeg_quality)
        self.encoded_pictures += 1
        head = struct.pack(">Q", index)
        sound = bytes([SOUND]) + head + _pcm(chunk[1])
        for client in self._clients:
            client.show(bytes([PICTURE]) + head + picture, sound)


def _jpeg(rgb: NDArray[np.uint8], quality: int) -> bytes:
    encoded, data = cv2.imencode(".jpg", cv2.cvtColor(rgb, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, quality])
    if not encoded:
        raise RuntimeError(f"a picture of shape {rgb.shape} can't be encoded")
    return data.tobytes()


def _pcm(samples: NDArray[np.float32]) -> bytes:
    return (np.clip(samples, -1.0, 1.0) * 32767.0).astype("<i2").tobytes()
