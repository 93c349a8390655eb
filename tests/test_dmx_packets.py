"""Art-Net and sACN byte by byte, against the tables of their specifications and against another implementation."""

from __future__ import annotations

import random

import pytest
from sacn.messages.data_packet import DataPacket
from sacn.messages.universe_discovery import UniverseDiscoveryPacket

from drivers.dmx_packets import (
    DISCOVERY_UNIVERSE,
    NotDmx,
    art_dmx,
    e131,
    e131_discovery,
    is_newer,
    multicast_address,
    read_art_net,
    read_e131,
)

SOURCE = bytes(range(16))


def test_an_artdmx_packet_is_as_the_specification_has_it() -> None:
    packet = art_dmx(0x1234, b"\x01\x02\x03", 9)
    assert packet == b"".join(
        [
            b"Art-Net\x00",  # ID
            b"\x00\x50",  # OpCode, low byte first
            b"\x00\x0e",  # ProtVer 14
            b"\x09",  # Sequence
            b"\x00",  # Physical
            b"\x34",  # SubUni, the low byte of the port-address
            b"\x12",  # Net, its upper seven bits
            b"\x00\x04",  # Length, even
            b"\x01\x02\x03\x00",  # levels
        ]
    )
    read = read_art_net(packet)
    assert read is not None and (read.universe, read.sequence, read.levels) == (0x1234, 9, b"\x01\x02\x03\x00")


def test_an_e131_packet_is_as_the_specification_has_it() -> None:
    packet = e131(0x0102, b"\xff\x80", 7, SOURCE, "oysterd", priority=120, terminated=True)
    assert packet == b"".join(
        [
            b"\x00\x10\x00\x00ASC-E1.17\x00\x00\x00",  # 0: preamble, post-amble, ACN packet identifier
            b"\x70\x70",  # 16: flags, length 128 - 16
            b"\x00\x00\x00\x04",  # 18: VECTOR_ROOT_E131_DATA
            SOURCE,  # 22: CID
            b"\x70\x5a",  # 38: flags, length 128 - 38
            b"\x00\x00\x00\x02",  # 40: VECTOR_E131_DATA_PACKET
            b"oysterd" + bytes(57),  # 44: source name
            b"\x78",  # 108: priority
            b"\x00\x00",  # 109: synchronization address
            b"\x07",  # 111: sequence
            b"\x40",  # 112: options, Stream_Terminated
            b"\x01\x02",  # 113: universe
            b"\x70\x0d",  # 115: flags, length 128 - 115
            b"\x02\xa1",  # 117: VECTOR_DMP_SET_PROPERTY, address and data type
            b"\x00\x00\x00\x01",  # 119: first property, increment
            b"\x00\x03",  # 123: START code and two levels
            b"\x00",  # 125: START code
            b"\xff\x80",  # 126: levels
        ]
    )


@pytest.mark.parametrize("count", [1, 3, 512])
def test_another_implementation_reads_what_we_write_and_we_what_it_writes(count: int) -> None:
    levels = random.Random(count).randbytes(count)
    theirs = DataPacket.make_data_packet(tuple(e131(63999, levels, 200, SOURCE, "Österreich", 50)))
    assert (theirs.universe, theirs.sequence, theirs.priority, bytes(theirs.cid)) == (63999, 200, 50, SOURCE)
    assert bytes(theirs.dmxData)[:count] == levels and theirs.sourceName.rstrip("\0") == "Österreich"
    written = DataPacket(tuple(SOURCE), "desk", 7, tuple(levels), priority=90, sequence=3, streamTerminated=True)
    ours = read_e131(bytes(written.getBytes()))
    assert ours is not None and ours.levels[:count] == levels
    assert (ours.universe, ours.sequence, ours.priority, ours.source) == (7, 3, 90, SOURCE)
    assert ours.terminated and not ours.preview


def test_the_list_of_universes_is_as_another_implementation_writes_it() -> None:
    ours = e131_discovery([300, 1, 7], SOURCE, "oysterd")
    assert ours == bytes(UniverseDiscoveryPacket(tuple(SOURCE), "oysterd", (1, 7, 300)).getBytes())
    assert read_e131(ours) is None
    assert multicast_address(DISCOVERY_UNIVERSE) == "239.255.250.214"


def test_a_long_name_is_cut_between_characters() -> None:
    name = e131(1, b"\0", 0, SOURCE, "界" * 40)[44:108]
    assert len(name) == 64 and name.rstrip(b"\0").decode() == "界" * 21


def test_other_packets_of_the_protocols_are_passed_over() -> None:
    assert read_art_net(b"Art-Net\x00\x00\x20\x00\x0e" + bytes(4)) is None  # ArtPoll
    packet = bytearray(e131(1, b"\x01", 0, SOURCE, "x"))
    packet[125] = 0xDD  # START code of priorities per channel
    assert read_e131(bytes(packet)) is None
    packet[18:22] = b"\0\0\0\x08"  # VECTOR_ROOT_E131_EXTENDED
    assert read_e131(bytes(packet)) is None


def test_what_is_broken_is_refused_and_never_more_than_that() -> None:
    chance = random.Random(5)
    refused = 0
    whole = [art_dmx(1, bytes(range(20)), 1), e131(1, bytes(range(20)), 1, SOURCE, "x")]
    for _ in range(20_000):
        datagram = bytearray(chance.choice([*whole, chance.randbytes(chance.randrange(0, 200))]))
        for _ in range(chance.randrange(0, 4)):
            if datagram:
                datagram[chance.randrange(len(datagram))] = chance.randrange(256)
        datagram = datagram[: chance.randrange(len(datagram) + 1)]
        for read in (read_art_net, read_e131):
            try:
                found = read(bytes(datagram))
            except NotDmx:
                refused += 1
            else:
                assert found is None or len(found.levels) <= 512
    assert refused > 20_000
    for packet, read in zip(whole, (read_art_net, read_e131), strict=True):
        with pytest.raises(NotDmx):
            read(packet[:-1])


def test_order_and_addresses() -> None:
    assert multicast_address(1) == "239.255.0.1" and multicast_address(63999) == "239.255.249.255"
    assert is_newer(1, 0) and is_newer(0, 255) and is_newer(127, 0)
    assert not is_newer(5, 5) and not is_newer(250, 3) and not is_newer(3, 22)
    assert is_newer(3, 23)  # twenty behind: the sender began anew
