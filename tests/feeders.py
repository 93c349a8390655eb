"""Real senders on the loopback for sources that are sent to: a broker, a publisher, a board on a pseudo-terminal."""

from __future__ import annotations

import os
import socket
import threading
import tty
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import paho.mqtt.client as paho
import zmq
from paho.mqtt.enums import CallbackAPIVersion
from parts import free_udp_port, mosquitto, wait_until

from drivers.dmx_packets import art_dmx, e131

# Ends what was started for a test: its fixture closes it.
FEEDS = ExitStack()
INTERVAL_S = 0.02


def feed(send: Callable[[int], object]) -> None:
    """Call `send(n)` again and again on a thread, until the test ends."""
    stop = threading.Event()

    def run() -> None:
        count = 0
        while not stop.wait(INTERVAL_S):
            count += 1
            send(count)

    thread = threading.Thread(target=run, daemon=True)
    thread.start()
    FEEDS.callback(thread.join)
    FEEDS.callback(stop.set)


class Board:
    """A board at a serial port: what is written to its end of a pseudo-terminal comes out of `port`."""

    def __init__(self, link: Path) -> None:
        self.port = link  # as /dev/serial/by-id/… is: a name that stays, whatever the device is called
        self._ours = -1
        self.plug_in()

    def plug_in(self) -> None:
        self._ours, theirs = os.openpty()
        tty.setraw(theirs)
        self.port.symlink_to(os.ttyname(theirs))
        os.close(theirs)

    def write(self, text: str | bytes) -> None:
        os.write(self._ours, text.encode() if isinstance(text, str) else text)

    def unplug(self) -> None:
        """Take it away, its name too, as udev does."""
        if self._ours >= 0:
            self.port.unlink()
            os.close(self._ours)
            self._ours = -1


def publisher(port: int) -> paho.Client:
    """A client at a broker on the loopback, connected; ended with the test."""
    client = paho.Client(CallbackAPIVersion.VERSION2)
    client.connect("127.0.0.1", port)
    client.loop_start()
    FEEDS.callback(client.loop_stop)
    FEEDS.callback(client.disconnect)
    wait_until(client.is_connected, "the publisher's connection")
    return client


def mqtt_topics_options(folder: Path) -> dict[str, Any]:
    broker = FEEDS.enter_context(mosquitto(folder))
    client = publisher(broker.port)
    feed(lambda count: client.publish("house/wind", b"%d" % count))
    return {"host": "127.0.0.1", "port": broker.port, "values": [{"name": "wind", "topic": "house/+"}]}


def zmq_socket_options(folder: Path) -> dict[str, Any]:
    context = zmq.Context()
    FEEDS.callback(context.destroy, linger=0)
    socket = context.socket(zmq.PUB)
    port = socket.bind_to_random_port("tcp://127.0.0.1")
    feed(lambda count: socket.send_multipart([b"door", b'{"inside": %d}' % count]))
    values = [{"name": "people", "topic": "door", "path": "$.inside"}]
    return {"address": f"tcp://127.0.0.1:{port}", "values": values}


def serial_lines_options(folder: Path) -> dict[str, Any]:
    board = Board(folder / "board")
    FEEDS.callback(board.unplug)
    board.write("torn\n")
    feed(lambda count: board.write(f"lux {count}\n"))
    return {"port": str(board.port)}


def udp_feed(port: int, packet: Callable[[int], bytes]) -> None:
    """Send `packet(n)` to a port of the loopback again and again, until the test ends."""
    sender = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    FEEDS.callback(sender.close)
    feed(lambda count: sender.sendto(packet(count), ("127.0.0.1", port)))


def artnet_input_options(folder: Path) -> dict[str, Any]:
    port = free_udp_port()
    udp_feed(port, lambda count: art_dmx(1, bytes([count % 256, 7]), count % 255 + 1))
    return {"port": port, "values": [{"name": "fader", "universe": 1, "channel": 1}]}


def sacn_input_options(folder: Path) -> dict[str, Any]:
    port = free_udp_port()
    udp_feed(port, lambda count: e131(1, bytes([count % 256]), count % 256, b"s" * 16, "desk"))
    return {"port": port, "multicast": False, "values": [{"name": "fader", "universe": 1, "channel": 1}]}
