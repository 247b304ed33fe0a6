#!/usr/bin/env python3
"""An HTTP API that behaves as real ones do on good and bad days. For tests only, on the loopback address.

  http_server.py [PORT]  prints its port as one line; ends when its standard input is closed

/pages /link /offset /page /cursor   five records, two a page, each with another way to the next page
/search                              the same by POST: offset, page or cursor in the body, which comes back in `asked`
/capped /more /ignored /shrinking /growing   offset: three a page whatever is asked; has_more; the parameter is not known; the total moves
/counted /million                    95 records by offset; a million by page, both with a total
/csvpages /linepages                 CSV and NDJSON by page
/etag /modified                      304 where nothing changed
/bearer /basic /key /keyq            credentials: token sesame, user ali password baba, key sesame
/token?for=NAME /guarded?for=NAME&page=N   OAuth2: tokens that live for `lives` seconds or `uses` requests; three pages behind them
/since?since=N /window?from=A&to=B   records whose n is N or more; within a window
/shops /shops/ID/sales /shops/ID/sales/ID/lines   parents and children; shop 3 has none, shop 4 is gone
/login /badjson /half /cut /short /slow /drip /big /bomb   what goes wrong
/flaky?id=X /limited?id=X /patience?id=X&seconds=S /date?id=X /busy /down   500 twice; 429 once, for S seconds, until a date, for an hour; 500 for ever
/away /hop /round /postaway /same /gzip /deflate /br /ndjson /csv /empty /one /many?n=N /nothing /asked?id=X
"""
import base64
import email.utils
import gzip
import http.server
import json
import socketserver
import sys
import threading
import time
import urllib.parse
import zlib

ITEMS = [{"id": i, "name": f"item {i}", "updated_at": f"2026-01-0{i}T00:00:00Z"} for i in range(1, 6)]
SEEN = {}
LOCK = threading.Lock()
TOKENS = {}  # token -> [until, requests left]
SHOPS = [{"id": i, "town": {"name": f"town {i}"}} for i in range(1, 7)] + [{"id": None, "town": {"name": "nowhere"}}]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet: two would wait for one another

    def do_GET(self):
        url = urllib.parse.urlsplit(self.path)
        self.query = dict(urllib.parse.parse_qsl(url.query))
        self.base = f"http://{self.headers['Host']}"
        self.parts = url.path.strip("/").split("/")
        with LOCK:
            SEEN["all"] = SEEN.get("all", 0) + 1
        if self.parts[0] == "shops":
            return self.shops()
        handler = getattr(self, "get_" + "_".join(self.parts), None)
        if handler is None:
            return self.send(404, {"error": "no such path"})
        handler()

    def do_POST(self):
        self.body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
        self.parts = urllib.parse.urlsplit(self.path).path.strip("/").split("/")
        self.query = dict(urllib.parse.parse_qsl(urllib.parse.urlsplit(self.path).query))
        self.base = f"http://{self.headers['Host']}"
        handler = getattr(self, "post_" + "_".join(self.parts), None)
        if handler is None:
            return self.send(405, {"error": "no POST here"})
        handler()

    def post_search(self):
        asked = json.loads(self.body)
        at = asked.get("page", {}).get("offset", asked.get("number", 0) * 2)
        at = int(asked.get("after", at))
        after = at + 2 if at + 2 < len(ITEMS) else None
        self.send(200, {"data": [dict(i, asked=asked.get("where")) for i in ITEMS[at:at + 2]], "after": after, "total": len(ITEMS), "total_pages": 3})

    def post_token(self):
        form = dict(urllib.parse.parse_qsl(self.body.decode()))
        basic = "Basic " + base64.b64encode(b"app:s3cret%2Fcanary").decode()  # RFC 6749, 2.3.1
        good = form.get("client_id") == "app" and form.get("client_secret") == "s3cret/canary" or self.headers.get("Authorization") == basic
        if not good or form.get("grant_type") != "client_credentials" or form.get("scope", "read") != "read":
            return self.send(400, {"error": "invalid_client", "given": self.body.decode(), "header": self.headers.get("Authorization")})
        name = self.query.get("for", "")
        with LOCK:
            SEEN["tokens " + name] = SEEN.get("tokens " + name, 0) + 1
            token = f"token-canary-{name}-{SEEN['tokens ' + name]}"
            TOKENS[token] = [time.time() + float(self.query.get("lives", 3600)), self.number("uses", 1 << 30)]
        answer = {"access_token": token, "token_type": "Bearer"}
        if "lives" in self.query:
            answer["expires_in"] = float(self.query["lives"])
        self.send(200, answer)

    def post_postaway(self):
        self.send(302, b"", {"Location": "/search"})

    def get_guarded(self):
        given = self.headers.get("Authorization", "").removeprefix("Bearer ")
        with LOCK:
            token = TOKENS.get(given)
            good = token is not None and time.time() < token[0] and token[1] > 0
            if good:
                token[1] -= 1
        if not good:
            return self.send(401, {"error": "no such token", "given": given})
        page = self.number("page", 1)
        after = f"/guarded?page={page + 1}" if page < 3 else None
        self.send(200, {"data": ITEMS[2 * page - 2:2 * page], "next": after, "tokens": given})

    def shops(self):
        if len(self.parts) == 1:
            page = self.number("page", 1)
            since = self.number("since", 0)
            found = [s for s in SHOPS if s["id"] is None or s["id"] >= since]
            if since:
                found = [s for s in found if s["id"]]
            after = f"/shops?page={page + 1}&since={since}" if 3 * page < len(found) else None
            return self.send(200, {"data": found[3 * page - 3:3 * page], "next": after})
        shop = urllib.parse.unquote(self.parts[1])
        if shop == "4":
            return self.send(404, {"error": "this shop is gone"})
        if shop == "6" and self.query.get("bad"):
            return self.send(500, {"error": "shop 6 is ill"}, {"Retry-After": "0"})
        if len(self.parts) == 3:
            page = self.number("page", 1)
            sales = [] if shop == "3" else [{"id": int(shop) * 10 + k, "shop": shop} for k in range(1, 4)]
            after = f"/shops/{shop}/sales?page={page + 1}" if 2 * page < len(sales) else None
            return self.send(200, {"data": sales[2 * page - 2:2 * page], "next": after})
        self.send(200, {"data": [{"sale": self.parts[3], "line": k} for k in (1, 2)]})

    def get_capped(self):
        at = self.number("offset", 0)
        self.send(200, {"data": [{"id": i} for i in range(at, min(at + 3, 10))]})

    def get_more(self):
        at = self.number("offset", 0)
        self.send(200, {"data": ITEMS[at:at + 2], "more": at + 2 < len(ITEMS)})

    def get_ignored(self):
        self.send(200, {"data": ITEMS})

    def get_counted(self):
        at, limit = self.number("offset", 0), self.number("limit", 10)
        self.send(200, {"data": [{"id": i} for i in range(at, min(at + limit, 95))], "total": 95})

    def get_million(self):
        page = self.number("page", 0)
        rows = ",".join('{"id":%d,"name":"item %d","price":%d.5}' % (i, i, i % 1000) for i in range(page * 2000, page * 2000 + 2000))
        self.send(200, ('{"data":[%s],"total_pages":500}' % rows).encode())

    def get_shrinking(self):
        at = self.number("offset", 0)
        self.send(200, {"data": ITEMS[at:at + 2], "total": 5 if at == 0 else 4})

    def get_growing(self):
        at = self.number("offset", 0)
        self.send(200, {"data": ITEMS[at:at + 2], "total": 4 if at == 0 else 5})

    def get_csvpages(self):
        page = self.number("page", 0)
        rows = [f"{i['id']},\"{i['name']}\"\n" for i in ITEMS[2 * page:2 * page + 2]]
        self.send(200, ("id,name\n" + "".join(rows)).encode(), kind="text/csv")

    def get_linepages(self):
        page = self.number("page", 0)
        self.send(200, b"".join(json.dumps(i).encode() + b"\n" for i in ITEMS[2 * page:2 * page + 2]), kind="application/x-ndjson")

    def get_window(self):
        found = [i for i in ITEMS if i["updated_at"] >= self.query.get("from", "") and i["updated_at"] <= self.query.get("to", "9")]
        self.send(200, {"data": [dict(i, asked=self.query) for i in found]})

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

    def get_cut(self):
        """No length, and the connection ends in the middle; whole at the second try."""
        whole = json.dumps({"data": ITEMS}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(whole if self.times() % 2 == 0 else whole[:60])
        self.close_connection = True

    def get_short(self):
        """The length is less than the body."""
        whole = json.dumps({"data": ITEMS}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(whole) - 20))
        self.end_headers()
        self.wfile.write(whole)
        self.close_connection = True

    def get_drip(self):
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", "1000")
        self.end_headers()
        self.wfile.write(b"[")
        self.wfile.flush()
        time.sleep(20)

    def get_bomb(self):
        self.send(200, gzip.compress(b"[" + b" " * (40 << 20) + b"]"), {"Content-Encoding": "gzip"})

    def get_deflate(self):
        data = json.dumps({"data": ITEMS}).encode()
        packed = zlib.compress(data)
        if "bare" in self.query:
            packed = packed[2:-4]
        self.send(200, packed, {"Content-Encoding": "deflate"})

    def get_halfgzip(self):
        self.send(200, gzip.compress(b"id\n1\n2\n")[:-9], {"Content-Encoding": "gzip"}, kind="text/csv")

    def get_br(self):
        self.send(200, b"\x0b\x02\x80{}\x03", {"Content-Encoding": "br"})

    def get_patience(self):
        with LOCK:
            began = SEEN.setdefault(self.path, time.time())
        if time.time() - began < float(self.query["seconds"]):
            return self.send(429, {"error": "slow down"}, {"Retry-After": "1"} if "after" in self.query else {})
        self.send(200, {"data": ITEMS})

    def get_date(self):
        if self.times() <= 1:
            return self.send(503, {"error": "later"}, {"Retry-After": email.utils.formatdate(time.time() + 2, usegmt=True)})
        self.send(200, {"data": ITEMS})

    def get_hop(self):
        """To another name of the same machine."""
        self.send(302, b"", {"Location": f"http://localhost:{self.server.server_port}/one"})

    def get_asked(self):
        self.send(200, {"data": [{"n": SEEN.get(self.query.get("id", "all"), 0)}]})

    def get_slow(self):
        time.sleep(20)
        self.send(200, {"data": ITEMS})

    def get_big(self):
        self.send(200, b"[" + b" " * (2 << 20) + b"]")

    def times(self):
        with LOCK:
            SEEN[self.path] = SEEN.get(self.path, 0) + 1
            return SEEN[self.path]

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
    server = Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 0), Handler)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    print(server.server_port, flush=True)
    sys.stdin.read()


if __name__ == "__main__":
    main()
