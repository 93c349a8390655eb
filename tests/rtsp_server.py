"""A network camera for tests: RTSP by GStreamer, run by the system's Python as `python3 rtsp_server.py PORT [FPS]`.

It sees a grey room of 640×480. The upper quarter holds 24 bars, black or white: the bits of the monotonic clock's
milliseconds when the picture was made. Below, a dark figure walks from left to right in ten seconds.
"""

from __future__ import annotations

import sys
import time
from typing import Any

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import GLib, Gst, GstRtspServer  # noqa: E402

WIDTH, HEIGHT, BITS = 640, 480, 24
BAR = WIDTH // BITS
WALL, FIGURE = b"\x96", b"\x1e"


def picture(now_ms: int) -> bytes:
    """GRAY8, WIDTH × HEIGHT."""
    bars = b"".join((b"\xeb" if now_ms >> bit & 1 else b"\x10") * BAR for bit in range(BITS))
    stamped = bars + WALL * (WIDTH - len(bars))
    left = now_ms % 10_000 * (WIDTH - 80) // 10_000
    walked = WALL * left + FIGURE * 80 + WALL * (WIDTH - left - 80)
    return stamped * (HEIGHT // 4) + WALL * WIDTH * (HEIGHT // 8) + walked * (HEIGHT - HEIGHT // 4 - HEIGHT // 8)


def main() -> None:
    port, fps = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 30
    Gst.init(None)
    sources: list[Any] = []

    def push() -> bool:
        data = picture(time.monotonic_ns() // 1_000_000)
        for source in sources:
            source.emit("push-buffer", Gst.Buffer.new_wrapped(data))  # refused before it runs, and then lost
        return True

    def join(_: Any, media: Any) -> None:
        source = media.get_element().get_by_name_recurse_up("eye")
        sources.append(source)
        media.connect("unprepared", lambda _: sources.remove(source))

    factory = GstRtspServer.RTSPMediaFactory()
    factory.set_shared(True)
    factory.set_launch(
        f"( appsrc name=eye is-live=true do-timestamp=true format=time "
        f"caps=video/x-raw,format=GRAY8,width={WIDTH},height={HEIGHT},framerate={fps}/1 "
        "! videoconvert ! video/x-raw,format=I420 "
        "! x264enc tune=zerolatency speed-preset=ultrafast bitrate=4000 key-int-max=15 "
        "! rtph264pay name=pay0 pt=96 config-interval=1 )"
    )
    factory.connect("media-configure", join)
    server = GstRtspServer.RTSPServer()
    server.set_address("127.0.0.1")
    server.set_service(port)
    server.get_mount_points().add_factory("/eye", factory)
    server.attach(None)
    GLib.timeout_add(1000 // fps, push)
    GLib.MainLoop().run()


if __name__ == "__main__":
    main()
