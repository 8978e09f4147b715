"""Values of every type in every table: where they lie, what they are, and the registers that mean them.

The numbers are encoded here with Python's struct and with decimal digits, by the words of the types, and by nothing of the
node's.
"""

import itertools
import random
import struct

ORDERS = ("high-first", "low-first", "high-first-swapped", "low-first-swapped")
WIDTHS = {"16": 1, "32": 2, "64": 4}
# Bits of a number that are a number of their own, by the type they lie in.
FIELDS = (("u16", "4-11"), ("u16", "15"), ("u32", "10-20"), ("u64", "5-40"))
TABLES = {1: "coil", 2: "discrete", 3: "holding", 4: "input"}
BITS = 10


def bound(kind):
    return 1 << int(kind[-2:])


class Spot:
    """A point: its table, its first register or bit, and how it is read."""

    def __init__(self, function, first, kind, order, bits=None):
        self.function, self.first, self.kind, self.order, self.bits = function, first, kind, order, bits
        self.width = 1 if kind == "bit" else WIDTHS[kind[-2:]]
        words = (TABLES[function], kind, order, bits)
        self.id = "-".join(word for word in words if word) + f"-{first}"
        self.random = random.Random(self.id)

    def described(self):
        """What a contract says of it."""
        return {
            "id": self.id,
            "register": f"{TABLES[self.function]}:{self.first}",
            "type": self.kind,
            "word_order": self.order,
            "bits": self.bits,
        }

    def next(self):
        """A number that was not there before: its bits, most significant byte first, and its value in words."""
        kind, size = self.kind, 2 * self.width
        if kind[0] == "f":
            form = ">f" if size == 4 else ">d"
            exponent = self.random.choice((-9, -3, -1, 0, 1, 2, 7, 30))
            data = struct.pack(form, self.random.uniform(-10, 10) * 10.0**exponent)
            return data, repr(struct.unpack(form, data)[0])
        if kind.startswith("bcd"):
            digits = "".join(self.random.choice("0123456789") for _ in range(2 * size))
            return bytes.fromhex(digits), str(int(digits))
        if kind[0] == "i":
            value = self.random.randrange(-bound(kind) // 2, bound(kind) // 2)
            return value.to_bytes(size, "big", signed=True), str(value)
        value = self.random.randrange(bound(kind))
        data = value.to_bytes(size, "big")
        if self.bits:
            low, high = (int(bit) for bit in (self.bits.split("-") * 2)[:2])
            value = value // 2**low % 2 ** (high - low + 1)
        return data, str(value)

    def registers(self, data):
        """The registers in which a number lies, in the order of their addresses."""
        words = [data[at : at + 2] for at in range(0, len(data), 2)]
        if self.order.startswith("low-first"):
            words.reverse()
        if self.order.endswith("swapped"):
            words = [word[::-1] for word in words]
        return [int.from_bytes(word, "big") for word in words]


def spots():
    """All types in all orders in both tables of registers, and bits in both of bits."""
    for function in (3, 4):
        kinds = [name + width for width in WIDTHS for name in ("u", "i", "f", "bcd") if (name, width) != ("f", "16")]
        wanted = [(kind, order, None) for kind, order in itertools.product(kinds, ORDERS)]
        wanted += [(kind, order, bits) for (kind, bits), order in itertools.product(FIELDS, ORDERS)]
        first = 0
        for kind, order, bits in wanted:
            # A value of one register has no order of words.
            if kind.endswith("16") and order.startswith("low-first"):
                continue
            spot = Spot(function, first, kind, order, bits)
            yield spot
            first += spot.width
    for function in (1, 2):
        for place in range(BITS):
            yield Spot(function, place, "bit", None)


SPOTS = list(spots())
REGISTERS = max(spot.first + spot.width for spot in SPOTS)


def described():
    return [spot.described() for spot in SPOTS]


def answer(function, first, count):
    """The registers or bits from an address on, new at each call, and what the points among them are: raw and value."""
    held, points = [0] * count, {}
    for spot in SPOTS:
        place = spot.first - first
        if spot.function != function or place < 0 or place + spot.width > count:
            continue
        if spot.kind == "bit":
            state = spot.random.randrange(2)
            held[place] = state
            points[spot.id] = {"raw": f"{state:02x}", "value": str(state)}
            continue
        data, value = spot.next()
        words = spot.registers(data)
        held[place : place + spot.width] = words
        points[spot.id] = {"raw": "".join(f"{word:04x}" for word in words), "value": value}
    return held, points
