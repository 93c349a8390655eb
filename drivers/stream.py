"""Picture and sound for screens elsewhere, by FFmpeg (PyAV): HLS into a folder, or RTSP pushed to a media server."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from drivers.base import Clock, DeviceLost, DriverConfig, ReadableBy


class StreamConfig(DriverConfig):
    """Options of the kind `stream`."""

    url: str = Field(
        default="work/hls/room.m3u8",
        pattern=r"^(rtsp://\S+|[^:]*\.m3u8)$",
        description="an HLS playlist's path, or rtsp://… to push to",
    )
    width: int | None = Field(default=None, ge=16, le=7680, multiple_of=2, description="pixels; the world's if unset")
    height: int | None = Field(default=None, ge=16, le=4320, multiple_of=2)
    video_kbit_s: int = Field(default=3000, ge=50, le=100_000)
    audio_kbit_s: int = Field(default=128, ge=32, le=512)
    preset: Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium"] = Field(
        default="veryfast", description="x264's: slower ones look better and cost more"
    )
    segment_s: float = Field(default=2.0, gt=0, le=30, description="of HLS; the delay is about three of them")
    segments: int = Field(default=6, ge=2, le=1000, description="kept in the folder")
    readable_by: ReadableBy = Field(default="all", description="who on this machine may read the folder: a web server")


class Stream:
    """A sink of slices, each a picture and the sound that belongs to it, encoded as H.264 and AAC.

    Files are made as the process's umask has it: FFmpeg knows no other way, so `readable_by` is up to who runs it.
    """

    def __init__(self, config: StreamConfig, clock: Clock) -> None:
        del clock  # what is written sets the time
        self._config = config
        self._container: Any = None  # av's OutputContainer
        self._video: Any = None
        self._audio: Any = None
        self._slice: tuple[int, int, int, int] | None = None  # height, width, samples, samples a second
        self._written = 0

    def open(self) -> None:
        """Make ready; the connection is made by the first write, when the shape of what is sent is known."""
        self.close()
        if not self._is_rtsp:
            folder = Path(self._config.url).parent
            try:
                folder.mkdir(parents=True, exist_ok=True)
                # What a run that ended badly left behind belongs to no playlist any more.
                for segment in folder.glob(f"{Path(self._config.url).stem}-[0-9]*.ts"):
                    segment.unlink()
            except OSError as error:
                raise DeviceLost(f"stream.url: {folder} can't be written: {error}") from error

    def write(
        self, rgb: NDArray[np.uint8], /, sound: NDArray[np.float32] | None = None, sample_rate_hz: int = 24_000
    ) -> None:
        """Send a picture uint8 (H, W, 3) that is shown for as long as its sound float32 (n, 2) sounds.

        Without sound it is a twelfth of a second of silence.
        Raises DeviceLost, naming `stream.url`, where they can't be sent. FFmpeg knows no time-out for a server that
        takes a connection and says nothing: who calls this must be able to end the process.
        """
        import av

        if sound is None:
            sound = np.zeros((sample_rate_hz // 12, 2), np.float32)
        height, width, _ = rgb.shape
        shape = (height, width, len(sound), sample_rate_hz)
        try:
            if self._container is None or shape != self._slice:
                self._begin(shape)
            picture = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
            picture = picture.reformat(width=self._video.width, height=self._video.height, format="yuv420p")
            picture.pts, picture.time_base = self._written, Fraction(len(sound), sample_rate_hz)
            self._container.mux(self._video.encode(picture))
            planes = np.ascontiguousarray(np.clip(sound, -1.0, 1.0).T, dtype=np.float32)
            samples = av.AudioFrame.from_ndarray(planes, format="fltp", layout="stereo")
            samples.sample_rate, samples.time_base = sample_rate_hz, Fraction(1, sample_rate_hz)
            samples.pts = self._written * len(sound)
            self._container.mux(self._audio.encode(samples))
        except (OSError, av.FFmpegError) as error:
            self._forget()
            raise DeviceLost(f"stream.url: {self._config.url}: {error}") from error
        self._written += 1

    def close(self) -> None:
        """Send what the encoders hold, and end the playlist or the session."""
        if self._container is None:
            return
        import av

        try:
            for stream in (self._video, self._audio):
                self._container.mux(stream.encode(None))
        except (OSError, av.FFmpegError):
            pass  # whom it was for is gone
        self._forget()

    @property
    def _is_rtsp(self) -> bool:
        return self._config.url.startswith("rtsp://")

    def _begin(self, shape: tuple[int, int, int, int]) -> None:
        import av

        self.close()
        height, width, samples, sample_rate_hz = shape
        config = self._config
        rate = Fraction(sample_rate_hz, samples)
        if self._is_rtsp:
            # Over TCP: what is lost on the way would be seen as grey mud until the next whole picture.
            options, form = {"rtsp_transport": "tcp"}, "rtsp"
        else:
            names = Path(config.url).with_suffix("")
            options, form = (
                {
                    "hls_time": f"{config.segment_s:g}",
                    "hls_list_size": str(config.segments),
                    "hls_flags": "delete_segments+temp_file+independent_segments+program_date_time",
                    "hls_segment_filename": f"{names}-%d.ts",
                    # Players keep segments by name, and must not take the last run's for this one's.
                    "hls_start_number_source": "epoch",
                },
                "hls",
            )
        self._container = av.open(config.url, "w", format=form, options=options)
        self._video = self._container.add_stream("libx264", rate=rate)
        self._video.width = config.width or width - width % 2
        self._video.height = config.height or height - height % 2
        self._video.pix_fmt, self._video.bit_rate = "yuv420p", config.video_kbit_s * 1000
        self._video.time_base = 1 / rate
        whole_every = max(round(rate * Fraction(config.segment_s)), 1)
        self._video.options = {"preset": config.preset, "tune": "zerolatency", "g": str(whole_every),
                               "keyint_min": str(whole_every), "sc_threshold": "0"}  # fmt: skip
        self._video.codec_context.thread_count = 1  # the world needs the other cores
        self._audio = self._container.add_stream(
            "aac", rate=sample_rate_hz, layout="stereo", bit_rate=config.audio_kbit_s * 1000
        )
        self._slice, self._written = shape, 0

    def _forget(self) -> None:
        import av

        container, self._container = self._container, None
        if container is not None:
            try:
                container.close()
            except (OSError, av.FFmpegError):
                return  # it failed before, and that was told
