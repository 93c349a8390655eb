"""Being found by lighting desks: ArtPoll, by which they ask who is there, and ArtPollReply.

Source: "Art-Net 4 Specification", Artistic Licence, sections ArtPoll and ArtPollReply (art-net.org.uk); Art-Net is
designed by and copyright of Artistic Licence.
"""

from __future__ import annotations

import socket
import struct
import uuid
from collections.abc import Iterable, Iterator

from drivers.dmx_packets import ARTNET_ID, ARTNET_PORT

_OP_POLL, _OP_POLL_REPLY = 0x2000, 0x2100
# Fields that are low byte first, then those that are not; what follows the last is 0.
_HEAD = struct.Struct("<8sH4sH")  # id, opcode, address, port
_NODE = struct.Struct(">HBBHBBH18s64s64s")  # firmware, net, subnet, OEM, UBEA, status, ESTA code, names, report
_PORTS = struct.Struct(">H4s4s4s4s4s6x")  # how many, what they can, input state, output state, input and output address
_REST = struct.Struct(">B6s4sBB")  # style, MAC, address and number of this part of the node, status
REPLY_BYTES = 239
MOST_PORTS = 4
_OEM_UNKNOWN, _ESTA_PROTOTYPING = 0x00FF, 0xF07F  # the latter is 0x7FF0, low byte first
_INDICATORS_NORMAL, _PORT_ADDRESSES_OF_15_BITS = 0xC0, 0x08
_OUTPUTS_DMX, _IS_ACTIVE = 0x80, 0x80  # "output" as the network sees it: levels leave it here


def is_art_poll(datagram: bytes) -> bool:
    """Whether somebody asks who is there."""
    return datagram[:10] == ARTNET_ID + struct.pack("<H", _OP_POLL)


def art_poll_replies(universes: Iterable[int], address: str, name: str) -> Iterator[bytes]:
    """What a node at that address answers that listens to these port-addresses (0..32767): packets of at most four."""
    by_subnet: dict[int, list[int]] = {}
    for universe in sorted(set(universes)):
        by_subnet.setdefault(universe >> 4, []).append(universe & 0xF)
    parts = [
        (subnet, ports[at : at + MOST_PORTS])
        for subnet, ports in by_subnet.items()
        for at in range(0, len(ports), MOST_PORTS)
    ]
    ours = socket.inet_aton(address)
    for number, (subnet, ports) in enumerate(parts, 1):
        count = len(ports)
        reply = _HEAD.pack(ARTNET_ID, _OP_POLL_REPLY, ours, ARTNET_PORT)
        reply += _NODE.pack(
            1, subnet >> 4, subnet & 0xF, _OEM_UNKNOWN, 0, _INDICATORS_NORMAL, _ESTA_PROTOTYPING,
            _text(name, 18), _text(f"{name}: channels as sensors", 64), _text("#0001 [0000] listening", 64),
        )  # fmt: skip
        kinds, active = bytes([_OUTPUTS_DMX] * count), bytes([_IS_ACTIVE] * count)
        reply += _PORTS.pack(count, kinds, b"", active, b"", bytes(ports))
        mac = uuid.getnode().to_bytes(6, "big")
        reply += _REST.pack(0, mac, ours, number, _PORT_ADDRESSES_OF_15_BITS)
        yield reply.ljust(REPLY_BYTES, b"\0")


def address_towards(host: str) -> str:
    """Our IPv4 address as that host sees it. Raises OSError where there is no way to it."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as way:
        way.connect((host, ARTNET_PORT))  # of UDP: nothing is sent
        return str(way.getsockname()[0])


def _text(text: str, size: int) -> bytes:
    """ASCII in a field of that size, which ends with 0."""
    return text.encode("ascii", "replace")[: size - 1]
