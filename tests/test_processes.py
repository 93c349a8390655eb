"""Which processes a configuration gets."""

from __future__ import annotations

import pickle
from pathlib import Path

from oysterd import processes
from oysterd.bus import Bus
from oysterd.clock import ManualClock
from oysterd.config import Settings
from oysterd.device_link import DeviceLink


def test_every_output_and_projector_gets_what_drives_it() -> None:
    settings = Settings.model_validate(
        {
            "world": {"state_dir": "/var/lib/oysterd"},
            "outputs": [
                {"name": "wall", "kind": "window"},
                {"name": "foyer", "kind": "stream"},
                {"name": "server", "kind": "frame_ring"},
                {"name": "front", "kind": "speaker"},
            ],
            "projectors": [{"name": "left", "host": "127.0.0.1", "password": "secret"}],
        }
    )
    bus = Bus()
    link = DeviceLink(bus, ManualClock(), lambda done: None, lambda identifier, why: None)
    children = processes.devices(settings, "ring", bus, link)
    assert {child.name: child.target.__name__ for child in children} == {
        "output.front": "run_playout",
        "output.wall": "run_projector",
        "output.foyer": "run_stream",
        "output.server": "run_pictures",
        "projectors": "run_projectors",
    }
    wall = next(child for child in children if child.name == "output.wall")
    assert wall.arguments[-1] == Path("/var/lib/oysterd/calibration/wall.json")
    for child in children:  # as they are sent to a process that is spawned, secrets included
        assert len(pickle.loads(pickle.dumps(child.arguments))) == len(child.arguments)
    bus.close()
