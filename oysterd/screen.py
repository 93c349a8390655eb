"""The start screen: where the room is reached, what works, what is missing and which setting that belongs to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from oysterd.config import Settings
from oysterd.health import Device, Health

_INDENT = 11


def start_screen(settings: Settings, addresses: Mapping[str, str], missing: Sequence[str], health: Health) -> str:
    """A screenful of text; `addresses` and `missing` are those of the transports."""
    site, world = settings.site, settings.world
    lines = [f"oysterd    {site.name}/{site.room}"]
    begun = health.begun
    how = (
        "still beginning" if begun is None else "resumed" if begun["resumed"] else f"begun in {begun['begin_s']:.1f} s"
    )
    shown = world.image if world.image is not None else world.scene
    lines.append(_line("world", f'{world.model} on {world.device}, {how}: "{_short(shown)}"'))
    lines.append(_line("page", addresses.get("page", "off (page.enabled)")))
    if "mqtt" in addresses:
        lines.append(_line("mqtt", f"{addresses['mqtt']}, topics oysterd/{site.name}/{site.room}/…"))
    elif not settings.mqtt.enabled:
        lines.append(_line("mqtt", "off (mqtt.enabled)"))
    served = [f"{key.removeprefix('zmq.')} {address}" for key, address in addresses.items() if key.startswith("zmq.")]
    lines.append(_line("zeromq", "  ".join(served) or "off (zmq.enabled)"))
    if "osc" in addresses:
        lines.append(_line("osc", f"{addresses['osc']}, addresses /oysterd/…"))
    lines += _devices("inputs", list(health.inputs.values()))
    lines += _devices("outputs", list(health.outputs.values()))
    if health.projectors:
        lines += _devices("projectors", list(health.projectors.values()))
    lines += _missing(missing, health)
    lines.append(_line("end", "Ctrl-C"))
    return "\n".join(lines)


def _devices(title: str, devices: Sequence[Device]) -> list[str]:
    if not devices:
        return [_line(title, f"none configured ({title})")]
    words = []
    for device in devices:
        how = "works" if device.is_well else "starting" if device.is_starting else "missing"
        words.append(f"{device.config.name} ({device.config.kind}) {how}")
    return [_line(title if at == 0 else "", line) for at, line in enumerate(words)]


def _missing(missing: Sequence[str], health: Health) -> list[str]:
    lines = list(missing)
    for device in (*health.inputs.values(), *health.outputs.values(), *health.projectors.values()):
        if not device.is_well and not device.is_starting:
            lines.append(f"{device.setting} {device.config.name}: {device.why}")
    if lines:
        lines.append("(the world goes on without, and what may come back is looked for)")
    return [_line("missing" if at == 0 else "", line) for at, line in enumerate(lines)]


def _line(title: str, words: str) -> str:
    return f"{title:<{_INDENT}}{words}"


def _short(text: str) -> str:
    return text if len(text) <= 60 else text[:59] + "…"
