"""Judges entries by the published CDDL with tools that are not ours: zcbor and cbor2.

Usage: validate_entries.py CDDL < lines
Each line is an entry in hex. For each, one line of answer: `valid`, or `refused: ` and why.
"""

import contextlib
import io
import sys

import cbor2
from cbor2 import _decoder as decoder
from zcbor import DataTranslator
from zcbor.zcbor import zcbor

# zcbor asks cbor2 for the data; decimal fractions must reach it as tag 4, not as Python decimals,
# and bytes behind the item must not pass.
decoder.CBORTag = cbor2.CBORTag
decoder.semantic_decoders.pop(4, None)


def loads(data):
    stream = io.BytesIO(data)
    value = decoder.CBORDecoder(stream).decode()
    if stream.tell() != len(data):
        raise ValueError(f"{len(data) - stream.tell()} bytes are left over")
    return value


zcbor.loads = loads
# zcbor hands back what it decoded as named tuples and trips over fields of one type; the verdict
# does not need them.
zcbor.namedtuple = lambda *_: lambda *values: values

with open(sys.argv[1], encoding="utf-8") as schema:
    rules = schema.read() + "\n" + zcbor.PRELUDE_PATH.read_text(encoding="utf-8")
entry = DataTranslator.from_cddl(rules, 1_000_000).my_types["entry"]

for line in sys.stdin:
    data = bytes.fromhex(line)
    try:
        # The encoding is the deterministic one exactly if cbor2 writes the same bytes again.
        value = loads(data)
        if cbor2.dumps(value, canonical=True) != data:
            raise ValueError("not in deterministic encoding")
        capture = loads(value[2])
        if cbor2.dumps(capture, canonical=True) != value[2]:
            raise ValueError("the capture bytes are not in deterministic encoding")
        with contextlib.redirect_stdout(io.StringIO()):  # zcbor prints what it tried
            entry.validate_str(data)
    except Exception as error:  # whatever the tools object to
        print("refused:", " ".join(str(error).split())[:200])
    else:
        print("valid")
