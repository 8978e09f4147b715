"""Writes the seeds of the Modbus and port targets, beside this file: modbus.py

Frames are the examples of the Modbus Application Protocol 1.1b3 (6.1 to 6.12, 7) with the CRC and the MBAP header they
have on their carriers; scripts are the forms that the targets' own files describe.
"""

import pathlib

HERE = pathlib.Path(__file__).resolve().parent

# Function by function: what is asked, and what is answered.
PAIRS = {
    "coils": ("0100130013", "0103CD6B05"),
    "discrete": ("0200C40016", "0203ACDB35"),
    "holding": ("03006B0003", "0306022B00000064"),
    "input": ("0400080001", "0402000A"),
    "write_coil": ("0500ACFF00", "0500ACFF00"),
    "write_register": ("0600010003", "0600010003"),
    "write_coils": ("0F0013000A02CD01", "0F0013000A"),
    "write_registers": ("100001000204000A0102", "1000010002"),
}
EXCEPTIONS = {"function": "8101", "address": "8302", "value": "9003", "failure": "8404", "gateway": "830B"}

# Of the scripts of io_port: time to the next thing that is due, twenty milliseconds and an answer, what else there is.
PASS = bytes([11])
LOST, FULL, FREE = bytes([5]), bytes([0x08]), bytes([0x18])
# Kinds of harm to an answer.
EXCEPTION, OTHER_BYTES, OTHER_UNIT, OTHER_TRANSACTION, NONE = 0, 1, 2, 3, 4


def crc(frame):
    """The frame with its CRC (Modbus over serial line 1.02, 6.2.2)."""
    value = 0xFFFF
    for byte in frame:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xA001 if value & 1 else 0)
    return frame + value.to_bytes(2, "little")


def rtu(pdu, unit=17):
    return crc(bytes([unit]) + bytes.fromhex(pdu))


def tcp(pdu, transaction=0x1501, unit=255):
    pdu = bytes.fromhex(pdu)
    return transaction.to_bytes(2, "big") + bytes(2) + (len(pdu) + 1).to_bytes(2, "big") + bytes([unit]) + pdu


def said(*runs):
    """Runs of bytes, each with the tenths of a millisecond before it."""
    return b"".join(bytes([pause, len(run)]) + run for pause, run in runs)


def pdus():
    for name, (asked, answered) in PAIRS.items():
        yield f"{name}_asked", bytes.fromhex(asked)
        yield f"{name}_answered", bytes.fromhex(answered)
    for name, pdu in EXCEPTIONS.items():
        yield f"exception_{name}", bytes.fromhex(pdu)


def lines():
    for name, (asked, answered) in PAIRS.items():
        yield name, said((100, rtu(asked)), (40, rtu(answered)))
    asked, answered = map(rtu, PAIRS["holding"])
    refused = rtu(EXCEPTIONS["address"])
    yield "exception", said((100, asked), (40, refused))
    yield "pieces", said((100, asked), (40, answered[:4]), (10, answered[4:]))
    yield "drops", said((100, asked), *((1, bytes([byte])) for byte in answered))
    yield "twice", said((100, asked), (40, answered), (60, answered))
    yield "late", said((100, asked), (255, asked), (40, answered), (60, answered))
    yield "as_another", said((100, asked), (40, rtu(PAIRS["holding"][1], 18)))
    yield "damaged", said((100, asked), (40, answered[:5] + b"\x55" + answered[6:]))
    yield "cut", said((100, asked), (40, answered[:6]), (100, asked))
    yield "noise_before", said((100, asked), (20, b"\xee\x01\x02"), (40, answered))
    yield "noise_behind", said((100, asked), (40, answered + b"\x00\xff"))
    yield "echo", said((100, asked), (1, asked), (40, answered))
    yield "one_frame", answered


def streams():
    for name, (asked, answered) in PAIRS.items():
        yield f"{name}_asked", b"\xff" + tcp(asked)
        yield f"{name}_answered", b"\xff" + tcp(answered)
    answered = tcp(PAIRS["holding"][1])
    behind = tcp(PAIRS["input"][1], 0x1502)
    yield "exception", b"\xff" + tcp(EXCEPTIONS["gateway"])
    yield "two_byte_by_byte", b"\x01" + answered + behind
    yield "two_across", b"\x0b" + answered + behind
    yield "cut", b"\x07" + answered[:9] + behind
    yield "no_modbus", b"\xff" + answered[:2] + b"\x00\x01" + answered[4:]
    yield "too_long", b"\xff" + answered[:4] + b"\xff\xff" + answered[6:]


def answer(harm, data=b"\x00\x07\x12\x34"):
    """Twenty milliseconds, and an answer: how much data and what harm share four bits."""
    count = next(count for count in (*range(len(data), 16), *range(16)) if count & 7 == harm)
    return bytes([count << 4]) + data.ljust(count, b"\x21")[:count]


def heard(data):
    return bytes([len(data) << 4 | 4]) + data


def ports():
    """Courses of a port with two meters: on a line, over TCP, on an M-Bus."""
    good, refused = answer(NONE), answer(EXCEPTION, b"")
    courses = {
        "answers": PASS + (good + PASS) * 6,
        "silence": PASS * 12,
        "late": PASS + PASS + good + PASS + good + PASS * 2 + good,
        "exceptions": (PASS + refused) * 4 + PASS + good,
        "other_unit": PASS + answer(OTHER_UNIT) + good + PASS + good,
        "other_transaction": PASS + answer(OTHER_TRANSACTION) + good + PASS,
        "other_bytes": PASS + answer(OTHER_BYTES, b"\x03\x04\x00\x01\x02\x03\x04\x05\x06") + PASS * 3,
        "twice": PASS + good + good + PASS + good,
        "noise": PASS + heard(b"\xee\x01\x02") + good + PASS * 2 + heard(b"\x01\x03\x04\x00") + good,
        "lost": PASS + good + LOST + PASS * 3 + good + PASS + LOST + PASS,
        "full": PASS + FULL + good + PASS * 3 + FREE + PASS + good,
        "clock": PASS + bytes([0x06, 0x16, 0x26]) + (PASS + good) * 6,
        "memory": (PASS + good) * 2 + bytes([0x17, 0xE0]) + (PASS + good) * 8,
        "uart": PASS + bytes([0x19, 0x29, 0xF9]) + good + PASS + bytes([0x29]),
    }
    for kind, name in enumerate(("line", "tcp", "mbus")):
        for course, script in courses.items():
            yield f"{name}_{course}", bytes([kind]) + script


def askings():
    """Courses of one request after the other to a remote card: on a line, over TCP."""
    good, tick = bytes([0x42, 1, 2, 3, 4]), bytes([7])
    ask = [bytes([kind << 4]) for kind in range(4)]
    courses = {
        "all_answered": b"".join(one + good for one in ask),
        "silence": ask[0] + tick * 3 + ask[1] + tick * 3,
        "late": ask[0] + tick * 2 + good + ask[1] + good,
        "refused": ask[2] + bytes([0x02]) + ask[3] + good,
        "other_unit": ask[1] + bytes([0x22, 1, 2]) + good,
        "other_transaction": ask[1] + bytes([0x32, 1, 2, 3]) + tick,
        "pieces": ask[1] + bytes([0x34, 1, 4, 4]) + bytes([0x44, 0, 1, 0, 2]) + tick * 2,
        "opened_anew": ask[0] + bytes([6]) + ask[0] + good,
    }
    for kind, name in enumerate(("line", "tcp")):
        for course, script in courses.items():
            yield f"{name}_{course}", bytes([kind]) + script


TARGETS = {
    "modbus_pdu": pdus,
    "modbus_rtu": lines,
    "modbus_listen": lines,
    "modbus_tcp": streams,
    "io_port": ports,
    "io_asking": askings,
}

if __name__ == "__main__":
    for target, seeds in TARGETS.items():
        folder = HERE / target
        folder.mkdir(exist_ok=True)
        for stale in folder.iterdir():
            stale.unlink()
        for name, seed in seeds():
            (folder / name).write_bytes(seed)
