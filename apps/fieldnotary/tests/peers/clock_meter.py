"""A meter whose clock can be set, served by pymodbus over TCP.

Usage: clock_meter.py DIR --ahead SECONDS

Unit 1. Holding registers 0 and 1 are its clock, seconds since 1970, high word first; at first it is so many seconds ahead. Who writes
both (function 16) sets it. Registers from 2 on are read-only: a write there is declined.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json    written when the server listens: the TCP address
"""

import argparse
import asyncio
import pathlib
import time

import served
from pymodbus.constants import ExcCodes

REGISTERS = 8


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--ahead", type=int, required=True)
    args = parser.parse_args()
    ahead_s = args.ahead

    async def answer(function, first, address, length, registers, written):
        nonlocal ahead_s
        if written is not None:
            if (address, len(written)) != (0, 2):
                return ExcCodes.ILLEGAL_ADDRESS
            ahead_s = (written[0] << 16 | written[1]) - time.time()
        now_s = int(time.time() + ahead_s)
        table = [now_s >> 16 & 0xFFFF, now_s & 0xFFFF] + [0] * (REGISTERS - 2)
        for place in range(address, address + length):
            registers[place - first] = table[place]

    await served.serve_one(args.dir, REGISTERS, answer)


asyncio.run(main())
