"""Which child processes a configuration needs, in the order in which they start."""

from __future__ import annotations

from pathlib import Path

from oysterd.bus import Bus
from oysterd.calibration_file import path_of
from oysterd.capture import run_capture
from oysterd.config import Settings
from oysterd.device_link import DeviceLink
from oysterd.health import undriven
from oysterd.lamps import LAMP_KINDS, run_lamps
from oysterd.playout import SOUND_KINDS, run_playout
from oysterd.projector import run_pictures, run_projector
from oysterd.projectors import CHILD, run_projectors
from oysterd.streaming import run_stream
from oysterd.supervisor import Child

# A process that says nothing for this long hangs; each says something every second.
HUNG_AFTER_S = 5.0
# The same for inputs, beyond the patience that each asks for while it opens or reads its device.
INPUT_HUNG_AFTER_S = 1.0
# Until it is first heard: a slow machine loads OpenCV and a graphics driver.
START_WITHIN_S = 30.0
# The world hangs when it makes no chunk for so long while one is wanted.
WORLD_HUNG_AFTER_S = 15.0
# Loading and compiling the network may take minutes where it is done for the first time.
WORLD_START_WITHIN_S = 300.0

# Outputs that nobody has to calibrate, by kind.
PICTURE_TARGETS = {
    "stream": run_stream,
    "frame_ring": run_pictures,
    "v4l2_output": run_pictures,
    **dict.fromkeys(LAMP_KINDS, run_lamps),
}


def world(settings: Settings, ring_name: str, events: str, inbox: str) -> Child:
    """The world's process."""
    # Imported by name in the child; this process never loads the network.
    from oysterd.world_process import run_world

    arguments = (settings.world, ring_name, events, inbox)
    return Child("world", run_world, arguments, WORLD_HUNG_AFTER_S, WORLD_START_WITHIN_S)


def devices(settings: Settings, ring_name: str, bus: Bus, link: DeviceLink) -> list[Child]:
    """The processes of inputs and outputs. There is always one for the sound, for it is the clock of all."""
    limits = (HUNG_AFTER_S, START_WITHIN_S)
    left_out = undriven(settings)
    sounds = [device for device in settings.outputs if device.kind in SOUND_KINDS and device not in left_out]
    sound = sounds[0] if sounds else None
    name = "sound" if sound is None else f"output.{sound.name}"
    children = [Child(name, run_playout, (sound, ring_name, bus.events, settings.sound), *limits)]
    for device in settings.outputs:
        if device.kind in PICTURE_TARGETS:
            arguments = (device, ring_name, bus.events)
            children.append(Child(f"output.{device.name}", PICTURE_TARGETS[device.kind], arguments, *limits))
        elif device.kind not in SOUND_KINDS:
            name = f"output.{device.name}"
            inbox = link.open("output", [device.name], name)
            file = path_of(settings.world.state_dir, device.name)
            children.append(Child(name, run_projector, (device, ring_name, bus.events, inbox, file), *limits))
    if settings.projectors:
        inbox = link.open("projector", [projector.name for projector in settings.projectors], CHILD)
        machines = (settings.projectors, settings.switching.stagger_s, bus.events, inbox)
        children.append(Child(CHILD, run_projectors, machines, *limits))
    for source in settings.inputs:
        inbox, room_file = bus.open(f"input.{source.name}"), learned_room(settings, source.name)
        captured = (source, bus.events, inbox, room_file)
        children.append(Child(f"input.{source.name}", run_capture, captured, INPUT_HUNG_AFTER_S, START_WITHIN_S))
    return children


def learned_room(settings: Settings, source: str) -> Path:
    """Where an input keeps the empty room it has learned."""
    return Path(settings.world.state_dir) / f"{settings.site.name}-{settings.site.room}-{source}.room.npz"
