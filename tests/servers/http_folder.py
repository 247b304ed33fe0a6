#!/usr/bin/env python3
"""A folder over HTTP as Python's own http.server lists it, and what goes wrong there. For tests only, on 127.0.0.1.

  http_folder.py FOLDER [--cut BYTES] [--ranges] [--login USER:PASSWORD] [--redirect URL]

Prints its port; ends when its standard input is closed. --cut: the first answer for each file breaks after so many bytes.
--ranges: it knows `Range`, which http.server does not."""
import argparse
import base64
import functools
import http.server
import sys
import threading


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    options, cut, asked = None, set(), []

    def do_GET(self):
        Handler.asked.append((self.path, self.headers.get("Range")))
        self.answer(super().do_GET)

    def do_HEAD(self):
        self.answer(super().do_HEAD)

    def answer(self, usual):
        options = self.options
        if options.redirect:
            self.send_response(302)
            self.send_header("Location", options.redirect)
            self.send_header("Content-Length", "0")
            return self.end_headers()
        if options.login and self.headers.get("Authorization") != "Basic " + base64.b64encode(options.login.encode()).decode():
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="files"')
            self.send_header("Content-Length", "0")
            return self.end_headers()
        usual()

    def send_head(self):
        source = super().send_head()
        if source is not None and self.ranged:
            source.seek(self.ranged)
        return source

    def send_response(self, code, message=None):
        wanted = self.headers.get("Range") if self.options.ranges and self.command == "GET" and code == 200 else None
        self.ranged = int(wanted.split("=")[1].rstrip("-")) if wanted else 0
        super().send_response(206 if self.ranged else code, message)

    def send_header(self, keyword, value):
        if keyword.lower() == "content-length" and getattr(self, "ranged", 0):
            value = str(int(value) - self.ranged)
        super().send_header(keyword, value)

    def copyfile(self, source, outputfile):
        if self.options.cut and self.path not in self.cut and not self.path.endswith("/"):
            self.cut.add(self.path)
            outputfile.write(source.read(self.options.cut))
            outputfile.flush()
            self.close_connection = True
            return
        super().copyfile(source, outputfile)

    def log_message(self, *words):
        pass


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("--cut", type=int, default=0)
    parser.add_argument("--ranges", action="store_true")
    parser.add_argument("--login")
    parser.add_argument("--redirect")
    Handler.options = parser.parse_args()
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Handler, directory=Handler.options.folder))
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    for line in sys.stdin:  # "asked": which ranges were asked for
        print(";".join(f"{path} {wanted}" for path, wanted in Handler.asked if wanted) or "none", flush=True)


if __name__ == "__main__":
    main()
