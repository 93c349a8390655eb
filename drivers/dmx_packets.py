"""DMX512 levels in the packets of Art-Net and of streaming ACN (sACN): how they are written and read.

Sources: "Art-Net 4 Specification", Artistic Licence, section ArtDmx (art-net.org.uk); Art-Net is designed by and
copyright of Artistic Licence. "ANSI E1.31-2018, Lightweight streaming protocol for transport of DMX512 using ACN", ESTA
(tsp.esta.org), table 4-1 and sections 5 to 7. Numbers are big-endian but where Art-Net says otherwise.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass

ARTNET_PORT = 6454  # 0x1936
ARTNET_ID = b"Art-Net\0"
SACN_PORT = 5568
# Of a DMX512 universe.
MOST_CHANNELS = 512

_OP_DMX = 0x5000
_ARTNET_VERSION = 14
_ARTNET_HEAD = struct.Struct("<8sH")  # id, opcode low byte first
_ARTNET_DMX = struct.Struct(">HBBBBH")  # version, sequence, physical, low and high of the port-address, length

# E1.31 table 4-1: the root, framing and DMP layers of a data packet, up to the START code.
_E131 = struct.Struct(">HH12sHI16s HI64sBHBBH HBBHHH")
_ACN_ID = b"ASC-E1.17\0\0\0"
_VECTOR_ROOT_DATA, _VECTOR_DATA_PACKET, _VECTOR_SET_PROPERTY = 4, 2, 2
# E1.31 table 4-3: a universe discovery packet, up to the list of universes.
_E131_DISCOVERY = struct.Struct(">HH12sHI16s HI64s4x HIBB")
_VECTOR_ROOT_EXTENDED, _VECTOR_DISCOVERY, _VECTOR_UNIVERSE_LIST = 8, 2, 1
# Where sources say every ten seconds what they send (E1.31 section 8), for desks and monitors to list.
DISCOVERY_UNIVERSE, DISCOVERY_INTERVAL_S = 64214, 10.0
# Of one page of the list; who sends more needs several.
MOST_UNIVERSES_A_PAGE = 512
_OPTION_PREVIEW, _OPTION_TERMINATED = 0x80, 0x40


class NotDmx(ValueError):
    """A datagram that is no such packet; the message says why."""


@dataclass(frozen=True)
class Universe:
    """Levels of a universe as they came: `levels` are channel 1 and on, of `source`, in its order by `sequence`."""

    universe: int
    levels: bytes
    sequence: int
    source: bytes = b""
    priority: int = 100
    preview: bool = False
    terminated: bool = False


def art_dmx(universe: int, levels: bytes, sequence: int) -> bytes:
    """An ArtDmx packet for a port-address (0..32767); `sequence` is 1..255, and 0 says that there is none."""
    if len(levels) % 2:
        levels += b"\0"  # "an even number in the range 2 - 512"
    fields = _ARTNET_DMX.pack(_ARTNET_VERSION, sequence, 0, universe & 0xFF, universe >> 8, len(levels))
    return _ARTNET_HEAD.pack(ARTNET_ID, _OP_DMX) + fields + levels


def read_art_net(datagram: bytes) -> Universe | None:
    """The levels in an ArtDmx packet, None for other packets of Art-Net. Raises NotDmx."""
    if not datagram.startswith(ARTNET_ID) or len(datagram) < _ARTNET_HEAD.size:
        raise NotDmx("is no Art-Net")
    if _ARTNET_HEAD.unpack_from(datagram)[1] != _OP_DMX:
        return None
    if len(datagram) < _ARTNET_HEAD.size + _ARTNET_DMX.size:
        raise NotDmx("is an ArtDmx packet cut short")
    version, sequence, _, low, high, length = _ARTNET_DMX.unpack_from(datagram, _ARTNET_HEAD.size)
    levels = datagram[_ARTNET_HEAD.size + _ARTNET_DMX.size :][:length]
    if version < _ARTNET_VERSION or high > 0x7F or not 2 <= length <= MOST_CHANNELS or len(levels) < length:
        raise NotDmx("is an ArtDmx packet with wrong fields")
    return Universe(high << 8 | low, levels, sequence)


def e131(
    universe: int,
    levels: bytes,
    sequence: int,
    source: bytes,
    source_name: str,
    priority: int = 100,
    terminated: bool = False,
) -> bytes:
    """An E1.31 data packet for a universe (1..63999); `source` is the sender's component identifier, 16 bytes."""
    size = _E131.size + 1 + len(levels)

    def length(start: int) -> int:
        return 0x7000 | (size - start)  # flags and length, counted from the field itself

    head = _E131.pack(
        0x0010, 0, _ACN_ID, length(16), _VECTOR_ROOT_DATA, source,
        length(38), _VECTOR_DATA_PACKET, _name(source_name), priority, 0, sequence,
        _OPTION_TERMINATED if terminated else 0, universe,
        length(115), _VECTOR_SET_PROPERTY, 0xA1, 0, 1, 1 + len(levels),
    )  # fmt: skip
    return head + b"\0" + levels  # START code 0: levels of dimmers


def e131_discovery(universes: list[int], source: bytes, source_name: str) -> bytes:
    """The one page that lists what a source sends: at most 512 universes."""
    size = _E131_DISCOVERY.size + 2 * len(universes)
    head = _E131_DISCOVERY.pack(
        0x0010, 0, _ACN_ID, 0x7000 | (size - 16), _VECTOR_ROOT_EXTENDED, source,
        0x7000 | (size - 38), _VECTOR_DISCOVERY, _name(source_name),
        0x7000 | (size - 112), _VECTOR_UNIVERSE_LIST, 0, 0,
    )  # fmt: skip
    return head + struct.pack(f">{len(universes)}H", *sorted(universes))


def read_e131(datagram: bytes) -> Universe | None:
    """The levels in an E1.31 data packet, None for other packets of E1.31 and other START codes. Raises NotDmx."""
    if len(datagram) < 38 or datagram[:4] != b"\0\x10\0\0" or datagram[4:16] != _ACN_ID:
        raise NotDmx("is no sACN")
    if int.from_bytes(datagram[18:22], "big") != _VECTOR_ROOT_DATA:
        return None  # synchronization, discovery
    if len(datagram) <= _E131.size:
        raise NotDmx("is an sACN packet cut short")
    fields = _E131.unpack_from(datagram)
    (
        _,
        _,
        _,
        _,
        _,
        source,
        _,
        framing,
        _,
        priority,
        _,
        sequence,
        options,
        universe,
        _,
        vector,
        kind,
        first,
        step,
        count,
    ) = fields
    levels = datagram[_E131.size + 1 :][: count - 1]
    if (framing, vector, kind, first, step) != (_VECTOR_DATA_PACKET, _VECTOR_SET_PROPERTY, 0xA1, 0, 1):
        raise NotDmx("is an sACN packet with wrong fields")
    if not 1 <= count <= MOST_CHANNELS + 1 or len(levels) < count - 1:
        raise NotDmx("is an sACN packet with a wrong count")
    if datagram[_E131.size] != 0:
        return None
    is_preview, is_terminated = bool(options & _OPTION_PREVIEW), bool(options & _OPTION_TERMINATED)
    return Universe(universe, levels, sequence, source, priority, is_preview, is_terminated)


def multicast_address(universe: int) -> str:
    """Where a universe of sACN is sent to (E1.31 section 9.3.1)."""
    return f"239.255.{universe >> 8}.{universe & 0xFF}"


def is_newer(sequence: int, before: int) -> bool:
    """Whether a packet is in order after another one (E1.31 section 6.7.2); 128 behind is a sender that began anew."""
    behind = (sequence - before + 128) % 256 - 128
    return not -20 < behind <= 0


def _name(text: str) -> bytes:
    """UTF-8 text in 64 bytes, the last of them 0, cut between characters."""
    return text.encode()[:63].decode(errors="ignore").encode()
