"""The composition root: makes the parts of a running room, joins them, waits, and takes them down again."""

from __future__ import annotations

import logging
import secrets
import signal
from collections.abc import Callable
from contextlib import ExitStack
from types import FrameType

from model.checkpoint import CheckpointError, describe
from model.conditions import STEPS_PER_S
from oysterd import processes
from oysterd.bus import Bus
from oysterd.clock import MonotonicClock
from oysterd.commands import Command, Receipt
from oysterd.conditioning import Conditioning
from oysterd.config import Settings
from oysterd.device_link import DeviceLink
from oysterd.director import Director
from oysterd.errors import ConfigError
from oysterd.health import Health
from oysterd.notify import Notifier
from oysterd.playout import SAMPLE_RATE_HZ
from oysterd.ring import ChunkRing, RingError
from oysterd.room_learning import RoomLearning
from oysterd.screen import start_screen
from oysterd.sensors import Sensors
from oysterd.supervisor import Supervisor
from oysterd.triggers import as_command
from oysterd.world_link import WorldLink

# Chunks kept behind what is made ahead: what the page makes up for after a stall, and some.
BEHIND_CHUNKS = 12


class Stop:
    """Whether Ctrl-C or SIGTERM asked the daemon to end."""

    def __init__(self) -> None:
        self.is_asked = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def __call__(self) -> bool:
        return self.is_asked

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.is_asked = True


def run(settings: Settings, say: Callable[[str], None] = print) -> None:
    """Run a room until Ctrl-C or SIGTERM; on the main thread only.

    Raises ConfigError, naming the setting, for a model that can't be had and an address that is in use.
    """
    logging.basicConfig(level=settings.log.level.upper(), format="%(asctime)s %(levelname)s %(message)s")
    stop, clock = Stop(), MonotonicClock()
    with ExitStack() as stack:
        notifier = Notifier()
        stack.callback(notifier.close)
        ring_name, ring = _make_ring(settings, stack)
        bus = Bus()
        stack.callback(bus.close)
        health = Health(settings, clock)
        sensors = Sensors(settings, clock, lambda sensor, change: director.receive(*as_command(sensor, change)))
        conditioning = Conditioning(settings, clock, sensors)
        # The loop, the director and what publishes know each other; the ties are made as soon as all are there.
        supervisor = Supervisor(clock, lambda child: loop.died(child))
        stack.callback(supervisor.stop)
        world = WorldLink(bus, lambda identifier, why: director.failed(identifier, why))
        devices = DeviceLink(bus, clock, lambda done: director.applied(done), lambda *why: director.failed(*why))
        # The world first: it loads for seconds, during which all else can be made.
        supervisor.start(processes.world(settings, ring_name, bus.events, world.address))
        for child in processes.devices(settings, ring_name, bus, devices):
            supervisor.start(child)

        # Only now, for it takes a second to import all that serves pages and brokers.
        from oysterd.loop import Loop
        from oysterd.transports import Transports

        transports = Transports()

        def publish(receipt: Receipt) -> None:
            health.answered(receipt)
            transports.publish_receipt(receipt)

        def submit(command: Command) -> None:
            loop.submit(command)

        director = Director(clock, submit, publish)
        learning = RoomLearning(bus, settings, clock, lambda identifier, why: loop.learned(identifier, why))
        loop = Loop(
            bus, ring, settings.world.ahead_chunks, supervisor, director, conditioning, world, devices, health,
            transports, notifier, learning, clock,
        )  # fmt: skip
        transports.start(settings, director, ring, conditioning, clock, stack)
        # Pushed last, so that children put their things away while the transports end.
        stack.callback(supervisor.ask_to_stop)
        stack.callback(notifier.stopping)
        say(f"oysterd begins{_at(transports.addresses)}")
        loop.run(stop, lambda: say(start_screen(settings, transports.addresses, transports.missing, health)))


def _make_ring(settings: Settings, stack: ExitStack) -> tuple[str, ChunkRing]:
    name = f"oysterd-{secrets.token_hex(6)}"
    try:
        preset = describe(settings.world.model)
        if settings.world.height_px is not None:
            preset = preset.sized(settings.world.height_px)
        slots = settings.world.ahead_chunks + BEHIND_CHUNKS
        ring = ChunkRing.create(name, slots, preset.height, preset.width, SAMPLE_RATE_HZ // STEPS_PER_S)
    except CheckpointError as error:
        raise ConfigError([f"world.model: {error}"]) from error
    except RingError as error:
        raise ConfigError([f"world.ahead_chunks: {error}"]) from error
    stack.callback(ring.unlink)
    stack.callback(ring.close)
    return name, ring


def _at(addresses: dict[str, str]) -> str:
    return f": {addresses['page']}" if "page" in addresses else ""
