"""A timestamp authority (RFC 3161) over HTTP: openssl makes the answers.

Usage: tsa.py DIR

It ends when its standard input ends, and so with whoever started it.

Files in DIR:
  authority.pem  the root that vouches for it, made by openssl as all keys are
  peer.json      written when it can be asked: its URL
  control.json   read at each question: {"how": "sound"}, or what is wrong with the answer
"""

import http.server
import json
import os
import pathlib
import subprocess
import sys
import threading
import time

from common import publish

CONFIG = """
[ tsa ]
default_tsa = own
[ own ]
serial = serial
crypto_device = builtin
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = {digests}
accuracy = secs:1
clock_precision_digits = 3
ess_cert_id_alg = sha256
[ stamps ]
basicConstraints = critical,CA:FALSE
extendedKeyUsage = critical,timeStamping
[ root ]
basicConstraints = critical,CA:TRUE
keyUsage = critical,keyCertSign
"""
OTHER = "0505050505050505050505050505050505050505050505050505050505050505"


def openssl(*words, data=None):
    done = subprocess.run(["openssl", *words], input=data, capture_output=True)
    if done.returncode:
        raise SystemExit(done.stderr.decode())
    return done.stdout


def new_key(name, *words):
    openssl("req", "-nodes", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-subj", "/CN=" + name,
            "-keyout", name + ".key", "-out", name + ".pem", *words)


def certified(name, by, extensions, days):
    new_key(name)
    openssl("x509", "-req", "-in", name + ".pem", "-CA", by + ".pem", "-CAkey", by + ".key", "-CAcreateserial",
            "-days", days, "-extfile", "sound.cnf", "-extensions", extensions, "-out", name + ".crt")


def made():
    for name, digests in (("sound", "sha256, sha384, sha512"), ("refusing", "sha1")):
        with open(name + ".cnf", "w") as file:
            file.write(CONFIG.format(digests=digests))
    for root in ("authority", "stranger"):
        new_key(root, "-x509", "-days", "30", "-config", "sound.cnf", "-extensions", "root")
    certified("stamps", "authority", "stamps", "30")
    certified("strange-stamps", "stranger", "stamps", "30")
    certified("expired", "authority", "stamps", "0")
    with open("serial", "w") as file:
        file.write("01\n")
    time.sleep(1.1)


def reply(question, signer="stamps", config="sound"):
    with open("question", "wb") as file:
        file.write(question)
    done = subprocess.run(
        ["openssl", "ts", "-reply", "-config", config + ".cnf", "-section", "own", "-queryfile", "question",
         "-signer", signer + ".crt", "-inkey", signer + ".key"], capture_output=True)
    return done.stdout


def another(*words):
    return openssl("ts", "-query", "-cert", *words)


def imprint(question):
    text = openssl("ts", "-query", "-in", "/dev/stdin", "-text", data=question).decode()
    lines = [line.split(" - ")[1][:48] for line in text.splitlines() if " - " in line]
    return "".join(lines).replace("-", "").replace(" ", "")


class Authority(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        question = self.rfile.read(int(self.headers["Content-Length"]))
        try:
            with open("control.json") as file:
                how = json.load(file)["how"]
        except FileNotFoundError:
            how = "sound"
        if how == "slow":
            time.sleep(30)
        if how == "broken":
            self.connection.close()
            return
        sound = reply(question)
        # The signature is the last of a token without unsigned attributes.
        answer = {
            "sound": lambda: sound,
            "garbage": lambda: b"<html>try again later</html>",
            "oversized": lambda: sound + bytes(64 * 1024),
            "refused": lambda: reply(question, config="refusing"),
            "wrong-nonce": lambda: reply(another("-digest", imprint(question))),
            "no-nonce": lambda: reply(another("-digest", imprint(question), "-no_nonce")),
            "wrong-imprint": lambda: reply(another("-digest", OTHER)),
            "signature": lambda: sound[:-1] + bytes([sound[-1] ^ 1]),
            "stranger": lambda: reply(question, "strange-stamps"),
            "expired": lambda: reply(question, "expired"),
        }.get(how, lambda: sound)()
        self.send_response(503 if how == "busy" else 200)
        self.send_header("Content-Type", "application/timestamp-reply")
        self.send_header("Content-Length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)

    def log_message(self, *words):
        pass


def end_with_the_starter():
    sys.stdin.buffer.read()
    os._exit(0)


os.chdir(sys.argv[1])
made()
server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Authority)
publish(pathlib.Path("."), url="http://127.0.0.1:%d/tsr" % server.server_address[1])
threading.Thread(target=end_with_the_starter, daemon=True).start()
server.serve_forever()
