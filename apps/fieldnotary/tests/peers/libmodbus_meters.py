"""Meters served by libmodbus: RTU on a pseudo terminal and TCP, with a log of every answer.

Usage: libmodbus_meters.py DIR --units 1,2,3 [--typed]

No register ever gives the same answer twice in a row, so that an answer tells which request it
belongs to. With --typed, registers and bits hold values of every type (typed.py), which peer.json and
peer.jsonl name. It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json    written when both servers listen: the serial line and the TCP address
  peer.jsonl   one line for every answer, in the order of the answers, written before it is sent
"""

import argparse
import ctypes
import json
import os
import pathlib
import socket
import sys
import threading
import time

import common
import typed

# Each unit has this many registers in each of its two tables.
REGISTERS = 64
# A step that visits every 16-bit number before it repeats one.
STEP = 40_503
# The longest frame of either carrier, in bytes.
FRAME = 260
# A request to read, on a serial line, in bytes.
READ_REQUEST = 8


class Mapping(ctypes.Structure):
    """modbus_mapping_t of modbus.h."""

    _fields_ = [
        *((name, ctypes.c_int) for name in ("nb_bits", "start_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_bits", "start_input_bits")),
        *((name, ctypes.c_int) for name in ("nb_input_registers", "start_input_registers")),
        *((name, ctypes.c_int) for name in ("nb_registers", "start_registers")),
        *((name, ctypes.POINTER(ctypes.c_uint8)) for name in ("tab_bits", "tab_input_bits")),
        *((name, ctypes.POINTER(ctypes.c_uint16)) for name in ("tab_input_registers", "tab_registers")),
    ]


def library():
    """The functions used here, with what they take and give."""
    modbus = ctypes.CDLL("libmodbus.so.5", use_errno=True)
    context, number, text = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
    mapping = ctypes.POINTER(Mapping)
    for name, gives, takes in (
        ("modbus_new_rtu", context, (text, number, ctypes.c_char, number, number)),
        ("modbus_new_tcp", context, (text, number)),
        ("modbus_mapping_new", mapping, (number, number, number, number)),
        ("modbus_connect", number, (context,)),
        ("modbus_set_slave", number, (context, number)),
        ("modbus_tcp_listen", number, (context, number)),
        ("modbus_tcp_accept", number, (context, ctypes.POINTER(number))),
        ("modbus_receive", number, (context, text)),
        ("modbus_reply", number, (context, text, number, mapping)),
        ("modbus_close", None, (context,)),
    ):
        function = getattr(modbus, name)
        function.restype, function.argtypes = gives, takes
    return modbus


modbus = library()


def sound(result):
    """What a function gave, if it did not fail."""
    if result is None or result == -1:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))
    return result


class Meters:
    """The registers of all units of one carrier, and what was answered."""

    number = 0
    one_at_a_time = threading.Lock()

    def __init__(self, carrier, units, log, is_typed):
        self.carrier = carrier
        self.log = log
        self.is_typed = is_typed
        self.registers = typed.REGISTERS if is_typed else REGISTERS
        self.bits = typed.BITS if is_typed else 0
        sizes = (self.bits, self.bits, self.registers, self.registers)
        self.units = {unit: modbus.modbus_mapping_new(*sizes) for unit in units}

    def answer(self, context, request, length, head):
        """Answers a request whose unit is the last byte of its head of so many bytes."""
        unit, function = request.raw[head - 1], request.raw[head]
        address = int.from_bytes(request.raw[head + 1 : head + 3], "big")
        count = int.from_bytes(request.raw[head + 3 : head + 5], "big")
        mapping = self.units[unit]
        tables = mapping.contents
        table, size = {
            1: (tables.tab_bits, self.bits),
            2: (tables.tab_input_bits, self.bits),
            3: (tables.tab_registers, self.registers),
            4: (tables.tab_input_registers, self.registers),
        }[function]
        count = min(count, size - address)
        with Meters.one_at_a_time:
            if self.is_typed:
                held, points = typed.answer(function, address, count)
                meant = {"points": points}
            else:
                held = self.new(count)
                meant = {"values": held}
            for place, number in enumerate(held, start=address):
                table[place] = number
            line = {
                "at_ns": time.monotonic_ns(),
                "carrier": self.carrier,
                "unit": unit,
                "function": function,
                "address": address,
                **meant,
                "held_ms": 0,
            }
            self.log.write(json.dumps(line) + "\n")
            self.log.flush()
        modbus.modbus_reply(context, request, length, mapping)

    @staticmethod
    def new(count):
        """Numbers that were not there before."""
        Meters.number += count
        return [(Meters.number - count + step) * STEP & 0xFFFF for step in range(1, count + 1)]


class SerialLine:
    """Two pseudo terminals with this relay between them: the node on one, libmodbus on the other.

    A context of libmodbus listens for one unit only; the relay names the one that is asked.
    """

    def __init__(self, meters):
        self.meters = meters
        self.ends = common.Terminals()
        self.node, self.server = self.ends.node, self.ends.server
        name = self.ends.for_server.encode("ascii")
        self.context = sound(modbus.modbus_new_rtu(name, 115_200, b"N", 8, 1))
        sound(modbus.modbus_set_slave(self.context, 1))
        sound(modbus.modbus_connect(self.context))

    def serve(self):
        while True:
            asked = b""
            while len(asked) < READ_REQUEST:
                asked += os.read(self.node, READ_REQUEST - len(asked))
            if asked[0] not in self.meters.units:
                continue
            sound(modbus.modbus_set_slave(self.context, asked[0]))
            os.write(self.server, asked)
            request = ctypes.create_string_buffer(FRAME)
            length = modbus.modbus_receive(self.context, request)
            if length > 0:
                self.meters.answer(self.context, request, length, 1)
                os.write(self.node, os.read(self.server, 512))


class Network:
    """One connection after another."""

    def __init__(self, meters):
        self.meters = meters
        self.context = sound(modbus.modbus_new_tcp(b"127.0.0.1", 0))
        self.listener = ctypes.c_int(sound(modbus.modbus_tcp_listen(self.context, 1)))
        with socket.socket(fileno=os.dup(self.listener.value)) as listener:
            self.port = listener.getsockname()[1]

    def serve(self):
        while True:
            sound(modbus.modbus_tcp_accept(self.context, ctypes.byref(self.listener)))
            request = ctypes.create_string_buffer(FRAME)
            while (length := modbus.modbus_receive(self.context, request)) >= 0:
                if length:
                    self.meters.answer(self.context, request, length, 7)
            modbus.modbus_close(self.context)


def serve(server):
    """Serves until it fails, which ends the whole peer with the reason."""
    try:
        server.serve()
    except BaseException as error:  # a thread's failure must be seen
        print(repr(error), file=sys.stderr, flush=True)
        os._exit(1)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("dir", type=pathlib.Path)
    parser.add_argument("--units", required=True)
    parser.add_argument("--typed", action="store_true")
    args = parser.parse_args()
    units = [int(unit) for unit in args.units.split(",")]
    with open(args.dir / "peer.jsonl", "w", encoding="ascii") as log:
        line = SerialLine(Meters("rtu", units, log, args.typed))
        network = Network(Meters("tcp", units, log, args.typed))
        for server in (line, network):
            threading.Thread(target=serve, args=(server,), daemon=True).start()
        address = "127.0.0.1:%d" % network.port
        points = typed.described() if args.typed else []
        common.publish(args.dir, device=line.ends.for_node, address=address, points=points)
        sys.stdin.read()
    # Nothing here needs an orderly end.
    os._exit(0)


main()
