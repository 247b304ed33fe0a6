"""TLS in front of a plain server, with a certificate of its own authority: what `https://` endpoints look like."""
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import threading

REASON = "" if shutil.which("openssl") else "openssl is not installed"


class TlsProxy:
    """`endpoint` and `authority` (a file that trusts it); stops with close()."""

    def __init__(self, port):
        self.port, self.folder = port, tempfile.mkdtemp(prefix="caudal-tls-")
        key, self.authority = os.path.join(self.folder, "key"), os.path.join(self.folder, "certificate")
        subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost", "-addext",
                        "subjectAltName=IP:127.0.0.1,DNS:localhost", "-keyout", key, "-out", self.authority], check=True, capture_output=True)
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(self.authority, key)
        self.listener = socket.create_server(("127.0.0.1", 0), backlog=64)
        self.endpoint = f"https://127.0.0.1:{self.listener.getsockname()[1]}"
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                plain, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self._serve, args=(plain,), daemon=True).start()

    def _serve(self, plain):
        try:
            inside = self.context.wrap_socket(plain, server_side=True)
            outside = socket.create_connection(("127.0.0.1", self.port))
        except OSError:
            plain.close()
            return
        threading.Thread(target=self._copy, args=(outside, inside), daemon=True).start()
        self._copy(inside, outside)

    @staticmethod
    def _copy(source, to):
        try:
            while data := source.recv(65536):
                to.sendall(data)
        except OSError:
            pass
        for end in (to, source):
            try:
                end.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        source.close()

    def close(self):
        self.listener.close()
        shutil.rmtree(self.folder, ignore_errors=True)
