"""How the room is: what each part last said of itself, as the state and the telemetry that are published."""

from __future__ import annotations

import os
import threading
from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
import psutil

from oysterd.bus import Message
from oysterd.clock import Clock
from oysterd.commands import Command, Receipt
from oysterd.config import InputConfig, OutputConfig, ProjectorConfig, Settings
from oysterd.playout import SOUND_KINDS
from oysterd.refusals import Refusals

# What p50 and p99 of directives are taken over.
REMEMBERED_DIRECTIVES = 500
STARTING = "starting"
FIGURES = ("step", "steps_per_s", "rtf", "headroom", "detail", "step_ms_p50", "step_ms_p99", "slice_ms")


class Device:
    """An input or output, by what its process said last. `why` is empty when it is well."""

    def __init__(self, config: InputConfig | OutputConfig | ProjectorConfig, setting: str, clock: Clock) -> None:
        self.config = config
        self.setting = setting
        self.why = STARTING
        self.heard_s: float | None = None
        self.figures: dict[str, Any] = {}
        self.refusals = Refusals(clock)
        self.alerts: dict[str, str] = {}  # what does not stop it and somebody should see to, by what it is about

    @property
    def is_starting(self) -> bool:
        return self.why == STARTING

    @property
    def is_well(self) -> bool:
        return self.why == ""


class Health:
    """Takes the events of all children and the receipts of all commands; the latter on any thread."""

    def __init__(self, settings: Settings, clock: Clock) -> None:
        self._settings = settings
        self._clock = clock
        inputs = [(f"inputs[{at}]", device) for at, device in enumerate(settings.inputs)]
        outputs = [(f"outputs[{at}]", device) for at, device in enumerate(settings.outputs)]
        self.inputs = {device.name: Device(device, setting, clock) for setting, device in inputs}
        self.outputs = {device.name: Device(device, setting, clock) for setting, device in outputs}
        self.projectors = {
            device.name: Device(device, f"projectors[{at}]", clock) for at, device in enumerate(settings.projectors)
        }
        for device in undriven(settings):
            self.outputs[device.name].why = "one sound output is driven, and it is not the first"
        self.world: dict[str, Any] = {}
        self.begun: Message | None = None
        self.has_shown = False
        self._sound: dict[str, Any] = {"underruns": 0, "device_underruns": 0, "latency_s": 0.0, "drift_ppm": 0.0}
        self._lock = threading.Lock()
        self._accepted_s: dict[str, float] = {}
        self._delays_ms: deque[float] = deque(maxlen=REMEMBERED_DIRECTIVES)

    def event(self, message: Message) -> list[str]:
        """Take what a child said of itself; troubles of its payloads that were not met before, to be logged."""
        sender, kind = message["from"], message["type"]
        group, _, name = sender.partition(".")
        if sender == "world":
            if kind == "ready":
                self.begun = message
            elif kind == "stats":
                self.world = {key: value for key, value in message.items() if key not in ("from", "type")}
            return []
        if kind == "stats" and "underruns" in message:
            self._sound |= {key: message[key] for key in self._sound if key in message}
        device = (self.inputs if group == "input" else self.outputs).get(name)
        if "projector" in message:
            device = self.projectors.get(message["projector"])
        if device is None:
            return []
        if kind in ("lost", "closed"):
            device.why = message["why"]
        elif kind == "back":
            device.why = ""
        elif kind == "alert":
            device.alerts.pop(message["about"], None)
            if message["why"]:
                device.alerts[message["about"]] = message["why"]
        elif kind == "shown":
            self.has_shown = True
        elif kind == "presence" or (kind == "readings" and message["samples"]):
            device.heard_s = self._clock.now_s()
        elif kind == "stats":
            device.figures = {key: value for key, value in message.items() if key not in ("from", "type", "projector")}
        if kind == "readings":
            device.refusals.read_well(name for _, values in message["samples"] for name in values)
            return device.refusals.met(message.get("refused", {}), message.get("refusals", 0))
        return []

    def died(self, child: str) -> None:
        """A child's process is gone, and will be started anew."""
        group, _, name = child.partition(".")
        device = (self.inputs if group == "input" else self.outputs).get(name)
        if device is not None:
            device.why = "its process ended and is started anew"

    def submitted(self, command: Command) -> None:
        """A command is due now: what it waited by its own wish is no delay."""
        with self._lock:
            if command.id in self._accepted_s:
                self._accepted_s[command.id] += command.at_s

    def answered(self, receipt: Receipt) -> None:
        """A receipt is published; of directives the time from the first to the last counts."""
        if receipt.name != "direct" or receipt.duplicate:
            return
        now_s = self._clock.now_s()
        with self._lock:
            if receipt.status == "accepted":
                self._accepted_s[receipt.id] = now_s
            elif (accepted_s := self._accepted_s.pop(receipt.id, None)) is not None and receipt.status == "applied":
                self._delays_ms.append((now_s - accepted_s) * 1000)

    def state(
        self,
        restarts: dict[str, int],
        links: dict[str, Any],
        alerts: Iterable[str] = (),
        holders: Mapping[str, str] | None = None,
    ) -> dict[str, Any]:
        """What the room is and does: JSON for pages, brokers and subscribers. `alerts` are those of the links.

        `holders` says which keys of the environment an operator or a sensor holds.
        """
        world = self.world
        return {
            "site": self._settings.site.name,
            "room": self._settings.site.room,
            "model": self._settings.world.model,
            "ready": self.begun is not None,
            "resumed": bool(self.begun is not None and self.begun["resumed"]),
            "asked": {key: value for key, value in world.get("asked", {}).items() if key != "weather"},
            "environment": _environment(world.get("asked", {}), holders or {}),
            "clamped": world.get("clamped", []),
            **{key: world.get(key) for key in FIGURES},
            "inputs": {name: self._input(device) for name, device in self.inputs.items()},
            "outputs": {name: self._output(device) for name, device in self.outputs.items()},
            "projectors": {
                name: {"ok": device.is_well, "why": device.why, **device.figures}
                for name, device in self.projectors.items()
            },
            "underruns": self._sound["underruns"],
            "restarts": restarts,
            "alerts": [*self.alerts(), *alerts],
            **links,
        }

    def telemetry(self, pids: Iterable[int]) -> dict[str, Any]:
        """Figures of this second; `pids` are the processes whose memory counts beside our own."""
        with self._lock:
            delays_ms = np.array(self._delays_ms)
        p50, p99 = (
            (round(float(ms), 1) for ms in np.percentile(delays_ms, [50, 99])) if len(delays_ms) else (None, None)
        )
        return {
            **{key: self.world.get(key) for key in FIGURES},
            **self._sound,
            "presents": {
                name: device.figures["presents"]
                for name, device in self.outputs.items()
                if "presents" in device.figures
            },
            "directive_ms_p50": p50,
            "directive_ms_p99": p99,
            "rss_mb": round(sum(map(_rss_bytes, [os.getpid(), *pids])) / 1e6, 1),
        }

    def alerts(self) -> list[str]:
        """What somebody should see to though the room runs on, as `setting name: why`.

        Devices that are missing, what those that work ask for, and payloads that can't be read.
        """
        lines = []
        if (detail := self.world.get("detail", 1.0)) < 1.0:
            lines.append(
                f"world.height_px: pictures are drawn at {detail:.0%} of their size, the machine is too slow for more"
            )
        for device in (*self.inputs.values(), *self.outputs.values(), *self.projectors.values()):
            setting = f"{device.setting} {device.config.name}"
            if not device.is_well and not device.is_starting:
                lines.append(f"{setting}: {device.why}")
            lines += [f"{setting}: {why}" for why in (*device.alerts.values(), *device.refusals.alerts())]
        return lines

    def _input(self, device: Device) -> dict[str, Any]:
        age_s = None if device.heard_s is None else round(self._clock.now_s() - device.heard_s, 2)
        assert isinstance(device.config, InputConfig)  # the others are outputs and projectors
        is_fresh = age_s is not None and age_s <= device.config.max_age_s
        refused = {"refused": device.refusals.count} if device.refusals.count else {}
        is_ok = device.is_well and is_fresh
        return {"kind": device.config.kind, "ok": is_ok, "age_s": age_s, "why": device.why, **refused}

    def _output(self, device: Device) -> dict[str, Any]:
        assert isinstance(device.config, OutputConfig)  # as above
        return {"kind": device.config.kind, "ok": device.is_well, "why": device.why, **device.figures}


def undriven(settings: Settings) -> list[OutputConfig]:
    """Sound outputs beyond the first, which is the room's clock: there is only one."""
    return [device for device in settings.outputs if device.kind in SOUND_KINDS][1:]


def _environment(applied: Mapping[str, Any], holders: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """Each key as the world has it now, and who holds it: an operator, a sensor, words that were said, or the world."""
    said = dict.fromkeys(applied.get("environment", {}), "words") | dict(holders)
    return {
        key: {"value": value, "held_by": said.get(key, "world")} for key, value in applied.get("weather", {}).items()
    }


def _rss_bytes(pid: int) -> int:
    try:
        return int(psutil.Process(pid).memory_info().rss)
    except psutil.NoSuchProcess:
        return 0  # it ended since it was listed
