#!/usr/bin/env python3
"""An HTTP API that behaves as real ones do on good and bad days. For tests only, on the loopback address.

  http_server.py        prints its port as one line; ends when its standard input is closed

/pages /link /offset /page /cursor   five records, two a page, each with another way to the next page
/etag /modified                      304 where nothing changed
/bearer /basic /key /keyq            credentials: token sesame, user ali password baba, key sesame
/since?since=N                       records whose n is N or more
/login /badjson /half /slow /big     what goes wrong
/flaky?id=X /limited?id=X /busy /down   500 twice; 429 once; 429 for an hour; 500 for ever
/away /round /same /gzip /ndjson /csv /empty /one /many?n=N /nothing
"""
import base64
import gzip
import http.server
import json
import socketserver
import sys
import threading
import time
import urllib.parse

ITEMS = [{"id": i, "name": f"item {i}", "updated_at": f"2026-01-0{i}T00:00:00Z"} for i in range(1, 6)]
SEEN = {}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.base = f"http://{self.headers['Host']}"
        handler = getattr(self, "get_" + url.path.strip("/").replace("/", "_"), None)
        if handler is None:
            return self.send(404, {"error": "no such path"})
        handler()

    def send(self, status, body, headers=(), kind="application/json"):
        data = body if isinstance(body, bytes) else json.dumps(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def number(self, name, fallback):
        return int(self.query.get(name, fallback))

    def get_pages(self):
        page = self.number("page", 1)
        after = f"{self.base}/pages?page={page + 1}" if page < 3 else None
        self.send(200, {"data": ITEMS[2 * page - 2:2 * page], "paging": {"next_url": after}})

    def get_link(self):
        page = self.number("page", 1)
        link = {"Link": f'<{self.base}/link?page=1>; rel="first", </link?page={page + 1}>; rel="next"'} if page < 3 else {}
        self.send(200, ITEMS[2 * page - 2:2 * page], link)

    def get_offset(self):
        offset, limit = self.number("offset", 0), self.number("limit", 2)
        self.send(200, {"results": ITEMS[offset:offset + limit], "total": len(ITEMS)})

    def get_page(self):
        page = self.number("page", 0)
        self.send(200, {"items": ITEMS[2 * page:2 * page + 2]})

    def get_cursor(self):
        at = self.number("cursor", 0)
        self.send(200, {"data": ITEMS[at:at + 2], "cursors": {"next": str(at + 2) if at + 2 < len(ITEMS) else None}})

    def get_etag(self):
        if self.headers.get("If-None-Match") == '"v1"':
            return self.send(304, b"", {"ETag": '"v1"'})
        self.send(200, {"data": ITEMS}, {"ETag": '"v1"'})

    def get_modified(self):
        stamp = "Thu, 01 Jan 2026 00:00:00 GMT"
        if self.headers.get("If-Modified-Since") == stamp:
            return self.send(304, b"", {"Last-Modified": stamp})
        self.send(200, {"data": ITEMS}, {"Last-Modified": stamp})

    def guarded(self, good):
        if good:
            return self.send(200, {"data": ITEMS})
        self.send(401, {"error": "bad credentials", "given": self.headers.get("Authorization", "") + self.path})

    def get_bearer(self):
        self.guarded(self.headers.get("Authorization") == "Bearer sesame")

    def get_basic(self):
        self.guarded(self.headers.get("Authorization") == "Basic " + base64.b64encode(b"ali:baba").decode())

    def get_key(self):
        self.guarded(self.headers.get("X-Key") == "sesame")

    def get_keyq(self):
        self.guarded(self.query.get("api_key") == "sesame")

    def get_since(self):
        since = self.query.get("since", "")
        self.send(200, {"data": [i for i in ITEMS if i["updated_at"] >= since]})

    def get_login(self):
        self.send(200, b"<!DOCTYPE html><html><form>password</form></html>", kind="text/html; charset=utf-8")

    def get_badjson(self):
        self.send(200, b'{"data": [{"id": 1}, {"id": ')

    def get_half(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b'{"data": [')
        self.wfile.flush()
        self.close_connection = True

    def get_slow(self):
        time.sleep(20)
        self.send(200, {"data": ITEMS})

    def get_big(self):
        self.send(200, b"[" + b" " * (2 << 20) + b"]")

    def times(self):
        key = self.path
        SEEN[key] = SEEN.get(key, 0) + 1
        return SEEN[key]

    def get_flaky(self):
        if self.times() <= 2:
            return self.send(500, {"error": "oops"})
        self.send(200, {"data": ITEMS})

    def get_limited(self):
        if self.times() <= 1:
            return self.send(429, {"error": "slow down"}, {"Retry-After": "0"})
        self.send(200, {"data": ITEMS})

    def get_busy(self):
        self.send(429, {"error": "slow down"}, {"Retry-After": "3600"})

    def get_down(self):
        self.send(500, {"error": "oops"}, {"Retry-After": "0"})

    def get_away(self):
        self.send(302, b"", {"Location": f"http://localhost:{self.server.server_port}/pages"})

    def get_round(self):
        self.send(302, b"", {"Location": "/round"})

    def get_moved(self):
        self.send(301, b"", {"Location": "/pages"})

    def get_same(self):
        self.send(200, {"data": ITEMS, "next": f"{self.base}/same"})

    def get_gzip(self):
        self.send(200, gzip.compress(json.dumps({"data": ITEMS}).encode()), {"Content-Encoding": "gzip"})

    def get_ndjson(self):
        self.send(200, b"".join(json.dumps(i).encode() + b"\n" for i in ITEMS), kind="application/x-ndjson")

    def get_csv(self):
        self.send(200, b"id,name\n1,a\n2,b\n", kind="text/csv")

    def get_empty(self):
        self.send(200, {"data": []})

    def get_one(self):
        self.send(200, {"data": ITEMS[:1]})

    def get_many(self):
        self.send(200, {"data": [{"id": i} for i in range(self.number("n", 10))]})

    def get_nothing(self):
        self.send(204, b"")

    def log_message(self, *args):
        pass


class Server(socketserver.ThreadingMixIn, http.server.HTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # clients of these tests hang up on purpose


def main():
    server = Server(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
