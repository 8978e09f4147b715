"""A serial line between two pseudo terminals that takes the time its bits take, with pymodbus at the far end.

Usage: slow_line.py DIR --baud N --units 1,2,3

Characters have 11 bits (8N2: a pseudo terminal has no parity bit). A request is on the line from the instant at which its
bytes are here; the reply begins 3.5 characters behind its end (1.75 ms above 19,200 baud) or when pymodbus has it, whichever
is later, and is handed over character by character, each when its last bit is over and never before.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  line.json    written when the line is there: the device of the near end
  line.jsonl   one line for every request and its reply, in nanoseconds of one clock
"""

import argparse
import asyncio
import json
import os
import pathlib
import select
import sys
import time
import tty

from pymodbus.server import ModbusSerialServer
from pymodbus.simulator import DataType, SimData, SimDevice

BITS = 11
FAST_BAUD = 19_200
FAST_SILENCE_NS = 1_750_000


async def serve(device, units):
    def table(datatype, value):
        return [SimData(0, values=[value] * 16, datatype=datatype)]

    devices = [
        SimDevice(
            unit,
            simdata=(
                table(DataType.BITS, False),
                table(DataType.BITS, False),
                table(DataType.REGISTERS, unit),
                table(DataType.REGISTERS, unit),
            ),
        )
        for unit in units
    ]
    await ModbusSerialServer(devices, port=device, baudrate=115_200).serve_forever()


class Line:
    def __init__(self, baud, near, far, log):
        self.character_ns = BITS * 1_000_000_000 / baud
        self.silence_ns = FAST_SILENCE_NS if baud > FAST_BAUD else 3.5 * self.character_ns
        self.near, self.far, self.log = near, far, log
        self.request_ns = self.request_end_ns = 0.0
        self.request_bytes = 0
        # The reply on the line: when it began, what of it is still to come, and how much is over.
        self.begin_ns, self.reply, self.sent = 0.0, b"", 0

    def due_ns(self):
        """When the next character is over, if one is on its way."""
        if not self.reply:
            return None
        return self.begin_ns + (self.sent + 1) * self.character_ns

    def asked(self, now):
        request = os.read(self.near, 512)
        if self.reply:
            raise SystemExit("a request while a reply was on the line")
        self.request_ns, self.request_bytes = now, len(request)
        self.request_end_ns = now + len(request) * self.character_ns
        os.write(self.far, request)

    def answered(self, now):
        self.reply += os.read(self.far, 512)
        if not self.sent:
            self.begin_ns = max(now, self.request_end_ns + self.silence_ns)

    def carry(self, now):
        while self.reply and self.due_ns() <= now:
            os.write(self.near, self.reply[:1])
            self.reply, self.sent = self.reply[1:], self.sent + 1
        if self.sent and not self.reply:
            line = {
                "request_ns": round(self.request_ns),
                "request_bytes": self.request_bytes,
                "begin_ns": round(self.begin_ns),
                "reply_bytes": self.sent,
                "end_ns": round(self.begin_ns + self.sent * self.character_ns),
            }
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
            self.sent = 0

    def run(self):
        while True:
            due = self.due_ns()
            wait_s = None if due is None else max(0, due - time.monotonic_ns()) / 1e9
            ready, _, _ = select.select([self.near, self.far, sys.stdin], [], [], wait_s)
            now = time.monotonic_ns()
            if sys.stdin in ready:
                return
            if self.near in ready:
                self.asked(now)
            if self.far in ready:
                self.answered(now)
            self.carry(now)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--baud", type=int, required=True)
    parser.add_argument("--units", required=True)
    args = parser.parse_args()
    units = [int(unit) for unit in args.units.split(",")]
    near, near_end = os.openpty()
    far, far_end = os.openpty()
    for end in (near_end, far_end):
        tty.setraw(end)
    server = os.fork()
    if server == 0:
        asyncio.run(serve(os.ttyname(far_end), units))
        os._exit(1)
    try:
        with open(args.dir / "line.jsonl", "w", encoding="ascii") as log:
            draft = args.dir / "line.json.new"
            draft.write_text(json.dumps({"device": os.ttyname(near_end)}), encoding="ascii")
            draft.rename(args.dir / "line.json")
            Line(args.baud, near, far, log).run()
    finally:
        os.kill(server, 9)


main()
