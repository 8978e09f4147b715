"""A master that others wrote (pyMeterBus), in a process of its own.

frames               prints the frames that it builds, one a line: what, then bytes
read PORT ADDRESS..  reads slaves behind a port of TCP, primary addresses as numbers, secondary ones as 16 digits,
                     and prints one line for each record: the address asked, the meter, value, unit
"""

import sys

import meterbus
import serial


class Kept:
    """What is sent to it, instead of a port."""

    def __init__(self):
        self.sent = b""

    def write(self, data):
        self.sent += bytes(data)


def frames():
    def show(what, send):
        port = Kept()
        send(port)
        print(what, port.sent.hex())

    for address in (0, 5, 250, 253, 254):
        show(f"ping {address}", lambda port: meterbus.send_ping_frame(port, address))
        show(f"request {address} 0", lambda port: meterbus.send_request_frame(port, address))
        show(f"request {address} 1", lambda port: meterbus.send_request_frame_multi(port, address))
    for secondary in ("12345678FFFFFFFF", "1234567F2D2C0107", "FFFFFFFFFFFFFFFF"):
        show(f"select {secondary}", lambda port: meterbus.send_select_frame(port, secondary))


def telegram(port, station, fcb):
    request = meterbus.TelegramShort()
    request.header.cField.parts = [0x5B | (0x20 if fcb else 0)]
    request.header.aField.parts = [station]
    meterbus.send_request_frame(port, req=request)
    return meterbus.load(meterbus.recv_frame(port))


def read(port, asked):
    secondary = meterbus.is_secondary_address(asked) and len(asked) == 16
    station = 253 if secondary else int(asked)
    if secondary:
        meterbus.send_ping_frame(port, 253)
        meterbus.recv_frame(port)
        meterbus.send_select_frame(port, asked)
    else:
        meterbus.send_ping_frame(port, station)
    if meterbus.recv_frame(port) != b"\xe5":
        print(asked, "silent")
        return
    fcb, more = True, True
    while more:
        frame = telegram(port, station, fcb)
        more, fcb = frame.more_records_follow, not fcb
        for record in frame.records:
            print(asked, frame.secondary_address, record.value, record.unit)


def main():
    if sys.argv[1] == "frames":
        frames()
        return
    with serial.serial_for_url(f"socket://127.0.0.1:{sys.argv[2]}", timeout=0.5) as port:
        for asked in sys.argv[3:]:
            read(port, asked)


main()
