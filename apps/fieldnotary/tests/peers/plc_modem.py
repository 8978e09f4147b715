"""A PLC modem in three shapes: JSON of Python's own HTTP server, answers on a pseudo-terminal, and a script of a shell.

Usage: plc_modem.py DIR

Each question counts three retransmissions. The address and the line count apart, so that nobody can be taken for another.

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  peer.json    written when it can be asked: the TCP address, the serial device and the program
  control.json read at each question: {"how": "busy"} refuses, {"how": "silent"} says nothing, {"how": "anew"} counts from 0
"""

import http.server
import json
import os
import pathlib
import pty
import sys
import threading
import time
import tty

import common

STEP = 3


class Modem:
    """What it has counted, and how it behaves."""

    def __init__(self, control, start):
        self.control = control
        self.count = start
        self.anew = False

    def asked(self):
        how = json.loads(self.control.read_text())["how"] if self.control.exists() else ""
        if how == "anew" and not self.anew:
            self.anew, self.count = True, 0
        self.count += STEP
        return how


def web(modem):
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            how = modem.asked()
            if how == "silent":
                time.sleep(5)
                return
            said = {"link": {"up": True}, "tx": {"retries": modem.count}, "snr": 215, "rx": [{"crc": 4}]}
            body = json.dumps(said).encode()
            self.send_response(503 if how == "busy" else 200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *words):
            pass

    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return f"127.0.0.1:{server.server_port}"


def line(modem):
    main, other = pty.openpty()
    tty.setraw(other)
    name = os.ttyname(other)

    def serve():
        # The other end stays open, so that the line is never hung up.
        asked = b""
        while byte := os.read(main, 1):
            if byte != b"\r":
                asked += byte
                continue
            how = modem.asked()
            said = f"\r\n+RETX: 9,{modem.count}\r\nLINK=down\r\nSNR: 7.5 dB\r\nOK\r\n"
            if how == "busy" or asked != b"AT+PLCSTAT?":
                said = "\r\nERROR\r\n"
            if how != "silent":
                os.write(main, said.encode())
            asked = b""

    threading.Thread(target=serve, daemon=True).start()
    return name, other


def main():
    folder = pathlib.Path(sys.argv[1])
    control = folder / "control.json"
    device, _held = line(Modem(control, 1000))
    program = folder / "modem.sh"
    program.write_text("#!/bin/sh\necho LINK=up\necho RETX=17\n")
    program.chmod(0o755)
    address = web(Modem(control, 100))
    common.publish(folder, address=address, device=device, program=str(program))
    sys.stdin.read()


main()
