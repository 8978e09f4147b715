"""Meters served by pymodbus: RTU on a pseudo terminal and TCP, with a log of every answer.

Usage: modbus_meters.py DIR --units 1,2,3 [--hold-every N --hold-ms MIN MAX] [--typed]

No register ever gives the same answer twice in a row, so that an answer tells which request it
belongs to. With --hold-every, about one reply in N is held back on its way while later ones pass.
With --typed, registers and bits hold values of every type (typed.py), which peer.json and peer.jsonl name.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json    written when both servers listen: the serial line and the TCP address
  peer.jsonl   one line for every answer, in the order of the answers, written before it is sent
"""

import argparse
import asyncio
import functools
import json
import os
import pathlib
import random
import time

import common
import served
import typed
from pymodbus.server import ModbusSerialServer

# Each unit has this many registers in each of its two tables.
REGISTERS = 64
# A step that visits every 16-bit number before it repeats one.
STEP = 40_503
# A serial line is quiet this long before a held reply may use it.
QUIET_S = 0.008


class Meters:
    """The registers of all units of one carrier, and what was answered."""

    number = 0

    def __init__(self, carrier, units, log, plan, is_typed):
        self.carrier = carrier
        self.log = log
        self.plan = plan
        self.is_typed = is_typed
        # What is to happen to the replies that are on their way, oldest first.
        self.holds = asyncio.Queue()
        self.devices = [self.device(unit) for unit in units]

    def device(self, unit):
        return served.device(unit, max(REGISTERS, typed.REGISTERS), functools.partial(self.answer, unit))

    async def answer(self, unit, function, first, address, count, registers, written):
        """Fills the registers asked for with numbers that were not there before."""
        if written is not None:
            raise AssertionError("nobody may write here")
        if self.is_typed:
            meant = self.typed(function, first, address, count, registers)
        else:
            meant = {"values": self.new(address - first, count, registers)}
        hold_s = self.plan.next()
        self.holds.put_nowait(hold_s)
        line = {
            "at_ns": time.monotonic_ns(),
            "carrier": self.carrier,
            "unit": unit,
            "function": function,
            "address": address,
            **meant,
            "held_ms": round(hold_s * 1000),
        }
        self.log.write(json.dumps(line) + "\n")
        self.log.flush()


    def new(self, from_place, count, registers):
        """Numbers that were not there before, and what they are."""
        for place in range(from_place, from_place + count):
            Meters.number += 1
            registers[place] = Meters.number * STEP & 0xFFFF
        return registers[from_place : from_place + count]

    def typed(self, function, first, address, count, registers):
        """Values of every type, and what they are."""
        if function in (1, 2):
            # pymodbus counts words of bits here.
            address, count = address * 16, count * 16
        held, points = typed.answer(function, address, count)
        for place, number in enumerate(held, start=address):
            if function in (1, 2):
                served.set_bit(registers, first, place, number)
            else:
                registers[place - first] = number
        return {"points": points}


class Plan:
    """Which replies are held back, and how long; the same in every run."""

    def __init__(self, every, low_ms, high_ms):
        self.every = every
        self.bounds_s = (low_ms / 1000, high_ms / 1000)
        self.random = random.Random(7)

    def next(self):
        if not self.every or self.random.randrange(self.every):
            return 0.0
        return self.random.uniform(*self.bounds_s)


class SerialLine:
    """Two pseudo terminals with this relay between them: the node on one, pymodbus on the other."""

    def __init__(self, meters):
        self.meters = meters
        self.ends = common.Terminals()
        self.node, self.server = self.ends.node, self.ends.server
        self.last_byte = 0.0

    def start(self):
        loop = asyncio.get_running_loop()
        loop.add_reader(self.node, self.forward)
        loop.add_reader(self.server, self.reply)

    def forward(self):
        self.last_byte = time.monotonic()
        os.write(self.server, os.read(self.node, 512))

    def reply(self):
        # pymodbus writes a frame at once and a pseudo terminal hands it over whole.
        frame = os.read(self.server, 512)
        hold_s = self.meters.holds.get_nowait()
        asyncio.get_running_loop().create_task(self.deliver(frame, hold_s))

    async def deliver(self, frame, hold_s):
        await asyncio.sleep(hold_s)
        while hold_s and time.monotonic() - self.last_byte < QUIET_S:
            await asyncio.sleep(QUIET_S / 4)
        self.last_byte = time.monotonic()
        os.write(self.node, frame)


async def connection(meters, server_port, reader, writer):
    """Carries one TCP connection to pymodbus; replies may overtake each other on the way back."""
    from_server, to_server = await asyncio.open_connection("127.0.0.1", server_port)

    async def requests():
        while data := await reader.read(4096):
            to_server.write(data)
        to_server.close()

    async def deliver(frame, hold_s):
        await asyncio.sleep(hold_s)
        if not writer.is_closing():
            writer.write(frame)

    async def replies():
        while True:
            head = await from_server.readexactly(6)
            frame = head + await from_server.readexactly(int.from_bytes(head[4:6], "big"))
            tasks.add(asyncio.create_task(deliver(frame, meters.holds.get_nowait())))

    tasks = {asyncio.create_task(replies())}
    try:
        await requests()
    finally:
        writer.close()


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--units", required=True)
    parser.add_argument("--hold-every", type=int, default=0)
    parser.add_argument("--hold-ms", type=float, nargs=2, default=(0, 0))
    parser.add_argument("--typed", action="store_true")
    args = parser.parse_args()
    units = [int(unit) for unit in args.units.split(",")]
    plan = Plan(args.hold_every, *args.hold_ms)
    with open(args.dir / "peer.jsonl", "w", encoding="ascii") as log:
        on_line = Meters("rtu", units, log, plan, args.typed)
        line = SerialLine(on_line)
        line.start()
        rtu = ModbusSerialServer(on_line.devices, port=line.ends.for_server, baudrate=115_200)
        await rtu.serve_forever(background=True)

        on_net = Meters("tcp", units, log, plan, args.typed)
        _tcp, port = await served.listen(on_net.devices)
        relay = await asyncio.start_server(
            functools.partial(connection, on_net, port), "127.0.0.1", 0
        )
        address = "127.0.0.1:%d" % relay.sockets[0].getsockname()[1]
        points = typed.described() if args.typed else []
        common.publish(args.dir, device=line.ends.for_node, address=address, points=points)
        await common.input_ends()
    # Nothing here needs an orderly end.
    os._exit(0)


asyncio.run(main())
