#!/usr/bin/python3
"""A real SMTP server (Debian's aiosmtpd) on the loopback address, for tests only.

  smtp_server.py [--tls FOLDER] [--starttls FOLDER] [--login USER:PASSWORD]

Prints its port, then each message as one JSON line {from, to, tls, user, data}; ends when its standard input is closed.
FOLDER holds cert.pem and key.pem. Debian's package is made for the system's Python, so start it with /usr/bin/python3.
"""
import argparse
import json
import os
import socket
import ssl
import sys

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult


class Handler:
    async def handle_DATA(self, server, session, envelope):
        line = {"from": envelope.mail_from, "to": envelope.rcpt_tos, "tls": session.ssl is not None,
                "user": getattr(session, "auth_data", None) and session.auth_data.decode(), "data": envelope.content.decode("utf-8")}
        print(json.dumps(line), flush=True)
        return "250 taken"


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tls")
    parser.add_argument("--starttls")
    parser.add_argument("--login")
    options = parser.parse_args()

    def context(folder):
        made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        made.load_cert_chain(os.path.join(folder, "cert.pem"), os.path.join(folder, "key.pem"))
        return made

    def login(server, session, envelope, mechanism, data):
        given = data.login + b":" + data.password
        good = given.decode() == options.login
        return AuthResult(success=good, handled=False, auth_data=data.login if good else None)

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    more = {}
    if options.starttls:
        more = {"tls_context": context(options.starttls), "require_starttls": True}
    if options.login:
        more |= {"authenticator": login, "auth_required": True, "auth_require_tls": bool(options.starttls)}
    controller = Controller(Handler(), hostname="127.0.0.1", port=port, ssl_context=context(options.tls) if options.tls else None, **more)
    controller.start()
    print(port, flush=True)
    sys.stdin.read()
    controller.stop()


if __name__ == "__main__":
    main()
