#!/usr/bin/python3
"""A real FTP server (Debian's pyftpdlib), plain or with TLS. For tests only, on 127.0.0.1.

  ftp.py FOLDER USER PASSWORD [--tls PEM] [--no-mlsd] [--cut BYTES]

Prints its port; ends when its standard input is closed. PEM holds certificate and key. --no-mlsd: a server of before 2007, which
knows LIST alone. --cut: the connection breaks after so many bytes of each transfer's first try. Debian's package is made for the
system's Python, so start it with /usr/bin/python3."""
import argparse
import sys
import threading

from pyftpdlib.authorizers import DummyAuthorizer
from pyftpdlib.handlers import DTPHandler, FTPHandler, TLS_DTPHandler, TLS_FTPHandler
from pyftpdlib.log import config_logging
from pyftpdlib.servers import FTPServer


class SecureData(TLS_DTPHandler):
    """Clients may begin the handshake before they send the command; pyftpdlib 1.5.7 takes that for a disconnection."""

    def readable(self):
        return self._ssl_accepting or super().readable()


def cutting(kind, limit, seen):
    """Data connections that break once for each file."""
    class Cut(kind):
        sent = 0

        def send(self, data):
            name = getattr(self.file_obj, "name", None)
            if name is not None and name not in seen:
                if Cut.sent + len(data) > limit:
                    seen.add(name)
                    self.cmd_channel.close()
                    self.close()
                    return 0
                Cut.sent += len(data)
            return super().send(data)
    return Cut


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("user")
    parser.add_argument("password")
    parser.add_argument("--tls")
    parser.add_argument("--no-mlsd", action="store_true")
    parser.add_argument("--cut", type=int, default=0)
    options = parser.parse_args()
    config_logging(level=40)
    authorizer = DummyAuthorizer()
    authorizer.add_user(options.user, options.password, options.folder, perm="elradfmwMT")

    class Handler(TLS_FTPHandler if options.tls else FTPHandler):
        pass

    Handler.authorizer = authorizer
    Handler.use_sendfile = False
    if options.tls:
        Handler.certfile = options.tls
        Handler.dtp_handler = SecureData
        Handler.tls_control_required = Handler.tls_data_required = True
    if options.no_mlsd:
        Handler.proto_cmds = {k: v for k, v in FTPHandler.proto_cmds.items() if k not in ("MLSD", "MLST")}
    if options.cut:
        Handler.dtp_handler = cutting(DTPHandler, options.cut, set())
    server = FTPServer(("127.0.0.1", 0), Handler)
    print(server.address[1], flush=True)
    threading.Thread(target=server.serve_forever, kwargs={"handle_exit": False}, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
