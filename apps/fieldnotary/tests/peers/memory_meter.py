"""A meter with a load profile, served by pymodbus over TCP.

Usage: memory_meter.py DIR --every SECONDS

Unit 1. Holding registers 0 and 1 are its count, high word first. Input registers from 1000 on are its memory: 64 records of
four registers, newest first, each its time (seconds since 1970, high word first) and its count at that time. The count follows from
the time alone, so that whoever reads a record can tell whether it is the right one.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json    written when the server listens: the TCP address
"""

import argparse
import asyncio
import pathlib
import time

import served

FIRST = 1000
RECORDS = 64
WIDTH = 4
REGISTERS = FIRST + RECORDS * WIDTH
INPUT = 4


def count(at_s):
    return at_s * 7 % 1_000_000_007


def words(number):
    return [number >> 16 & 0xFFFF, number & 0xFFFF]


def memory(now_s, every_s):
    newest = now_s // every_s * every_s
    times = [newest - place * every_s for place in range(RECORDS)]
    return [word for at_s in times for word in words(at_s) + words(count(at_s))]


async def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--every", type=int, required=True)
    args = parser.parse_args()

    async def answer(function, first, address, length, registers, written):
        if written is not None:
            raise AssertionError("nobody may write here")
        now_s = int(time.time())
        table = words(count(now_s)) + [0] * (REGISTERS - 2)
        if function == INPUT:
            table[FIRST:] = memory(now_s, args.every)
        for place in range(address, address + length):
            registers[place - first] = table[place]

    await served.serve_one(args.dir, REGISTERS, answer)


asyncio.run(main())
