"""Devices that pymodbus serves over TCP."""

import os

import common
from pymodbus.server import ModbusTcpServer
from pymodbus.simulator import DataType, SimData, SimDevice


def device(unit, registers, action):
    """A device of pymodbus with so many registers in each of its two tables, and 64 bits in each of the others."""

    def words():
        return [SimData(0, values=[0] * registers, datatype=DataType.REGISTERS)]

    def bits():
        return [SimData(0, values=[False] * 64, datatype=DataType.BITS)]

    return SimDevice(unit, simdata=(bits(), bits(), words(), words()), action=action)


def set_bit(words, first, bit, state):
    """Sets a bit of those that pymodbus holds in words, the first of which is this."""
    place, mask = bit // 16 - first, 1 << bit % 16
    words[place] = words[place] | mask if state else words[place] & ~mask


async def listen(devices):
    """Serves them over TCP; its port."""
    server = ModbusTcpServer(devices, address=("127.0.0.1", 0))
    await server.serve_forever(background=True)
    return server, server.transport.sockets[0].getsockname()[1]


async def serve_one(folder, registers, action):
    """One device, unit 1, over TCP until standard input ends."""
    _server, port = await listen([device(1, registers, action)])
    common.publish(folder, address="127.0.0.1:%d" % port)
    await common.input_ends()
    # Nothing here needs an orderly end.
    os._exit(0)
