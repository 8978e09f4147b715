"""Remote I/O served by pymodbus: RTU on a pseudo terminal and TCP, one device behind both.

Usage: modbus_io.py DIR --unit N

Discrete input 5 is the contact of coil 20 and follows it after 30 ms. Input register 3 is a level.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json     written when both servers listen: the serial line and the TCP address
  peer.jsonl    one line for every write, written before it is answered
  control.json  read at each request, where it is there: "silent" (nothing is answered in time), "stuck" (the contact
                stays), "level" (the number in input register 3)
"""

import argparse
import asyncio
import json
import os
import pathlib
import time

import common
import served
from pymodbus.server import ModbusSerialServer

COIL = 20
CONTACT = 5
FOLLOWS_S = 0.03
SILENCE_S = 2.0


class Device:
    """What the device holds, whichever way it is asked."""

    def __init__(self, folder, log):
        self.folder = folder
        self.log = log
        self.coil = (False, 0.0)
        self.contact = False
        self.holding = {}

    def control(self):
        try:
            return json.loads((self.folder / "control.json").read_text(encoding="ascii"))
        except FileNotFoundError:
            return {}

    def on(self, unit):
        return served.device(unit, 64, self.answer)

    async def answer(self, function, first, address, count, registers, written):
        control = self.control()
        if written is not None:
            line = {"function": function, "address": address, "values": list(written)}
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
            if function == 5 and address == COIL:
                self.coil = (bool(written[0]), time.monotonic())
            for place, value in enumerate(written):
                if function in (6, 16):
                    self.holding[address + place] = value
        state, since = self.coil
        if not control.get("stuck") and time.monotonic() - since >= FOLLOWS_S:
            self.contact = state
        if function == 1:
            served.set_bit(registers, first, COIL, state)
        if function == 2:
            served.set_bit(registers, first, CONTACT, self.contact)
        if function == 3:
            for place, value in self.holding.items():
                registers[place - first] = value
        if function == 4:
            registers[3 - first] = control.get("level", 0) & 0xFFFF
        if control.get("silent"):
            await asyncio.sleep(SILENCE_S)


def relay(line):
    """Hands on what comes between the node and pymodbus."""
    loop = asyncio.get_running_loop()
    loop.add_reader(line.node, lambda: os.write(line.server, os.read(line.node, 512)))
    loop.add_reader(line.server, lambda: os.write(line.node, os.read(line.server, 512)))


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--unit", type=int, required=True)
    args = parser.parse_args()
    with open(args.dir / "peer.jsonl", "w", encoding="ascii") as log:
        device = Device(args.dir, log)
        line = common.Terminals()
        relay(line)
        rtu = ModbusSerialServer([device.on(args.unit)], port=line.for_server, baudrate=115_200)
        await rtu.serve_forever(background=True)
        _tcp, port = await served.listen([device.on(args.unit)])
        common.publish(args.dir, device=line.for_node, address="127.0.0.1:%d" % port)
        await common.input_ends()
    # Nothing here needs an orderly end.
    os._exit(0)


asyncio.run(main())
