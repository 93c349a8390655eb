"""The daemon's one loop: takes what children tell, sends the world its conditions, publishes how the room is."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

import numpy as np

from model.conditions import STEPS_PER_S
from oysterd.asking import Refused, check_change
from oysterd.bus import Bus, Message
from oysterd.clock import Clock
from oysterd.commands import Command, DeviceCommand, LearnRoom
from oysterd.conditioning import Conditioning
from oysterd.device_link import DeviceLink
from oysterd.director import Director
from oysterd.health import STARTING, Health
from oysterd.notify import Notifier
from oysterd.ring import ChunkRing
from oysterd.room_learning import RoomLearning
from oysterd.supervisor import Supervisor
from oysterd.transports import Transports
from oysterd.world_link import WorldLink

logger = logging.getLogger(__name__)

# How long an event is waited for at a time: a command that just came is late by this at most, a quarter of a step.
WAIT_S = 0.02
# Conditions are sent twice a step, so that none is older than half of one.
CONDITIONS_S = 0.04
PUBLISH_S = 1.0
# How live `oysterd mappings` is.
MAPPINGS_S = 0.2
# What has not said by now how it is, is told of as starting.
SETTLE_WITHIN_S = 15.0


class Loop:
    """Everything here runs on the thread that calls `run`."""

    def __init__(
        self,
        bus: Bus,
        ring: ChunkRing,
        ahead_chunks: int,
        supervisor: Supervisor,
        director: Director,
        conditioning: Conditioning,
        world: WorldLink,
        devices: DeviceLink,
        health: Health,
        transports: Transports,
        notifier: Notifier,
        learning: RoomLearning,
        clock: Clock,
    ) -> None:
        self._bus = bus
        self._ring = ring
        self._ahead_chunks = ahead_chunks
        self._supervisor = supervisor
        self._director = director
        self._conditioning = conditioning
        self._world = world
        self._devices = devices
        self._health = health
        self._transports = transports
        self._notifier = notifier
        self._learning = learning
        self._clock = clock
        self._newest = ring.newest
        self._fed = ring.newest
        self._conditions_s = self._published_s = self._mappings_s = clock.now_s() - PUBLISH_S  # due at once

    def run(self, is_stopping: Callable[[], bool], settled: Callable[[], None]) -> None:
        """Until `is_stopping()`; calls `settled()` once, when the room runs or some of it is known to be missing."""
        begin_s, is_settled = self._clock.now_s(), False
        while not is_stopping():
            self.turn()
            if not is_settled and self._is_settled(self._clock.now_s() - begin_s):
                is_settled = True
                settled()

    def turn(self) -> None:
        """Once around: takes at most WAIT_S when there is nothing to do."""
        for message in self._bus.receive(WAIT_S):
            self._event(message)
        self._supervisor.tick()
        self._director.tick()
        self._devices.tick()
        self._learning.tick()
        self._world.flush()
        self._watch_world()
        now_s = self._clock.now_s()
        if now_s - self._conditions_s >= CONDITIONS_S:
            self._conditions_s = now_s
            self._world.conditions(self._conditioning.conditions())
        if now_s - self._mappings_s >= MAPPINGS_S:
            self._mappings_s = now_s
            self._transports.publish_mappings(self._conditioning.mappings())
        if now_s - self._published_s >= PUBLISH_S:
            self._published_s = now_s
            self._publish()

    def submit(self, command: Command) -> None:
        """Take a command that is due."""
        if isinstance(command, DeviceCommand):
            self._devices.submit(command)
            return
        if isinstance(command, LearnRoom):
            self._learning.submit(command)
            return
        change = command.to_change()
        if change is not None:
            try:
                check_change(change)
            except Refused as error:
                self._director.failed(command.id, str(error))
                return
            self._conditioning.change(change)
        self._health.submitted(command)
        self._world.submit(command)

    def learned(self, identifier: str, why: list[str]) -> None:
        """The cameras have learned the room, or not, and why."""
        if why:
            self._director.failed(identifier, "; ".join(why))
        else:
            self._director.applied(identifier, self._ring.newest, (self._ring.newest + 1) / STEPS_PER_S)

    def died(self, child: str) -> None:
        """A child's process is gone."""
        self._health.died(child)
        self._learning.died(child)
        if child == "world":
            self._world.died()

    def _event(self, message: Message) -> None:
        sender, kind = message["from"], message["type"]
        if sender != "world":
            self._supervisor.heard(sender, message.get("patience_s"))
        elif kind == "ready":
            self._supervisor.heard("world")
            self._world.ready()
            for note in message.get("notes", []):
                logger.warning("%s", note)
        for trouble in self._health.event(message):
            logger.warning("%s: %s", sender, trouble)
        if sender != "world" and kind in ("applied", "failed"):
            self._devices.answered(sender, message["id"], message.get("why", ""))
        elif kind == "applied":
            self._world.answered(message["id"])
            self._director.applied(message["id"], message["step"], message["time_s"])
        elif kind == "failed":
            self._world.answered(message["id"])
            self._director.failed(message["id"], message["why"])
        elif kind == "presence":
            presence, source = np.array(message["map"], np.float32), sender.removeprefix("input.")
            people = [(x, y) for x, y in message["people"]]
            self._conditioning.presence(source, presence, message["captured_ns"], people)
        elif kind == "readings":
            for captured_ns, values in message["samples"]:
                self._conditioning.readings(sender.removeprefix("input."), values, captured_ns)
        elif kind == "learned":
            self._learning.learned(sender, message["id"], message["why"])
        elif kind in ("lost", "closed") or (kind == "alert" and message["why"]):
            logger.warning("%s: %s", sender, message["why"])
        elif kind == "back":
            logger.info("%s works", sender)

    def _watch_world(self) -> None:
        """The world shows life by new chunks, or by having made all that is wanted."""
        newest = self._ring.newest
        if not self._world.is_ready:
            return
        if newest != self._newest or newest - self._ring.playing >= self._ahead_chunks:
            self._newest = newest
            self._supervisor.heard("world")

    def _publish(self) -> None:
        pids = self._supervisor.pids()
        restarts = self._supervisor.restarts()
        links, alerts = self._transports.links(), self._transports.alerts()
        state = self._health.state(restarts, links, alerts, self._conditioning.holders())
        self._transports.publish_state(state)
        telemetry = {
            **self._health.telemetry(pids.values()),
            "people": self._conditioning.people(),
            **self._conditioning.heard(),
        }
        self._transports.publish_telemetry(telemetry)
        if self._is_shown():
            self._notifier.ready()
        if self._ring.newest != self._fed:
            self._fed = self._ring.newest
            self._notifier.alive()
        self._notifier.status(_status(state))

    def _is_shown(self) -> bool:
        """Whether somebody can see the world: on a projector, or where none works on the page."""
        windows = [device for device in self._health.outputs.values() if device.config.kind == "window"]
        is_waited_for = any(device.is_well or device.is_starting for device in windows)
        return self._health.has_shown or (self._ring.playing >= 0 and not is_waited_for)

    def _is_settled(self, since_s: float) -> bool:
        devices = [*self._health.inputs.values(), *self._health.outputs.values()]
        is_known = not any(device.is_starting for device in devices) and self._ring.playing >= 0
        return is_known or since_s > SETTLE_WITHIN_S


def _status(state: dict[str, Any]) -> str:
    """One line, whose words change seldom."""
    devices = [*state["inputs"].items(), *state["outputs"].items()]
    broken = [name for name, device in devices if device["why"] not in ("", STARTING)]
    begun = "the world runs" if state["ready"] else "the world begins"
    return f"{begun}; without {', '.join(broken)}" if broken else begun
