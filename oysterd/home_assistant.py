"""The message by which Home Assistant finds a room by itself.

The format is its "device discovery" over MQTT: one retained message that names the device and all its entities.
"""

from __future__ import annotations

from typing import Any

from oysterd.config import SiteConfig


def discovery(site: SiteConfig, base: str) -> tuple[str, dict[str, Any]]:
    """The topic and the message for the room whose topics stand under `base`."""
    identifier = f"oysterd_{site.name}_{site.room}"

    def figure(name: str, key: str, unit: str | None) -> dict[str, Any]:
        entity = {"p": "sensor", "name": name, "unique_id": f"{identifier}_{key}", "state_class": "measurement"}
        entity["value_template"] = f"{{{{ value_json.{key} }}}}"
        return entity if unit is None else {**entity, "unit_of_measurement": unit}

    def words(name: str, command: str) -> dict[str, Any]:
        return {
            "p": "text",
            "name": name,
            "unique_id": f"{identifier}_{command}",
            "command_topic": f"{base}/command/{command}",
            "command_template": '{"text": {{ value | tojson }}}',
            "max": 255,
        }

    message = {
        "dev": {"ids": [identifier], "name": f"oysterd {site.name} {site.room}"},
        "o": {"name": "oysterd"},
        "availability_topic": f"{base}/availability",
        "state_topic": f"{base}/state",
        "qos": 1,
        "cmps": {
            "directive": words("Directive", "direct"),
            "scene": words("Scene", "scene"),
            "style": words("Style", "style"),
            "snapshot": {
                "p": "button",
                "name": "Snapshot",
                "unique_id": f"{identifier}_snapshot",
                "command_topic": f"{base}/command/snapshot",
                "payload_press": "{}",
            },
            "steps_per_s": figure("Steps", "steps_per_s", "1/s"),
            "rtf": figure("Real-time factor", "rtf", None),
        },
    }
    return f"homeassistant/device/{identifier}/config", message
