#!/usr/bin/env python3
"""The shop's exchange rates: a small HTTP API on the loopback address, GET only.

  rates_server.py --until-file F [--port 0] [--port-file F] [--fail N]

  GET /v1/rates?page=N&since=DATE   rates of every day from DATE (or 2010-12-01) to the day that stands in the until-file,
                                    five days a page: {"results": [{"rate_date", "currency", "rate"}, ...],
                                                       "paging": {"page": N, "next_url": URL or null}}

The until-file is read at every request, so that whoever writes it moves the time. Answers carry Last-Modified and an ETag;
If-None-Match and If-Modified-Since are answered with 304. --fail N answers the first N requests with 503.
The server stops on SIGTERM and when its parent is gone.
"""
import argparse
import datetime
import email.utils
import hashlib
import http.server
import json
import os
import random
import signal
import sys
import threading
import time
import urllib.parse

FIRST_DAY = datetime.date(2010, 12, 1)
PAGE_DAYS = 5
ONE_POUND = {"EUR": 1.1918, "USD": 1.5618, "CHF": 1.5586, "NOK": 9.6121, "SEK": 10.8722, "DKK": 8.8841, "PLN": 4.7623,
             "AUD": 1.6203, "JPY": 131.25, "ISK": 180.41, "LTL": 4.1151, "ILS": 5.7004, "BHD": 0.5888}


def rates(day):
    """What one pound bought: a seeded walk, a day at a time from the first one."""
    found = []
    for currency, start in ONE_POUND.items():
        rng, rate = random.Random(f"rates:{currency}"), start
        for _ in range((day - FIRST_DAY).days):
            rate *= 1 + rng.uniform(-0.006, 0.006)
        found.append({"rate_date": day.isoformat(), "currency": currency, "rate": round(rate, 4)})
    return found


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        server = self.server
        if server.failures_left > 0:
            server.failures_left -= 1
            return self.answer(503, {"error": "try again later"}, {"Retry-After": "1"})
        url = urllib.parse.urlsplit(self.path)
        if url.path != "/v1/rates":
            return self.answer(404, {"error": f"no such path: {url.path}, there is /v1/rates"})
        query = dict(urllib.parse.parse_qsl(url.query))
        try:
            with open(server.until_file, encoding="ascii") as f:
                until = datetime.date.fromisoformat(f.read().strip())
            since = max(FIRST_DAY, datetime.date.fromisoformat(query.get("since", FIRST_DAY.isoformat())[:10]))
            page = int(query.get("page", "1"))
            if page < 1:
                raise ValueError("page counts from 1")
        except (OSError, ValueError) as e:
            return self.answer(400, {"error": str(e)})

        published = datetime.datetime.combine(until, datetime.time(16), datetime.timezone.utc)
        tag = '"%s"' % hashlib.sha256(f"{until} {since} {page}".encode()).hexdigest()[:16]
        fresh = {"Last-Modified": email.utils.format_datetime(published, usegmt=True), "ETag": tag}
        if self.unchanged(tag, published):
            return self.answer(304, None, fresh)

        begin = since + datetime.timedelta(days=(page - 1) * PAGE_DAYS)
        days = [begin + datetime.timedelta(days=i) for i in range(PAGE_DAYS)]
        following = None
        if days[-1] < until:
            following = f"http://{self.headers['Host']}/v1/rates?" + urllib.parse.urlencode(
                {**{k: v for k, v in query.items() if k != "page"}, "page": page + 1})
        self.answer(200, {"results": [r for d in days if d <= until for r in rates(d)],
                          "paging": {"page": page, "next_url": following}}, fresh)

    def unchanged(self, tag, published):
        """RFC 9110: If-None-Match decides where it is there, else If-Modified-Since."""
        if "If-None-Match" in self.headers:
            return tag in [t.strip() for t in self.headers["If-None-Match"].split(",")]
        since = self.headers.get("If-Modified-Since")
        try:
            return since is not None and published <= email.utils.parsedate_to_datetime(since)
        except (TypeError, ValueError):
            return False

    def answer(self, status, body, headers=()):
        content = b"" if body is None else json.dumps(body).encode()
        self.send_response(status)
        for name, value in dict(headers).items():
            self.send_header(name, value)
        if body is not None:
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, text, *values):
        if self.server.log:
            sys.stderr.write("rates: " + text % values + "\n")


def stop_with(parent):
    while os.getppid() == parent:
        time.sleep(0.2)
    os._exit(0)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--until-file", required=True, metavar="F")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--port-file", metavar="F", help="the port is written here once the server listens")
    parser.add_argument("--fail", type=int, default=0, metavar="N")
    parser.add_argument("--log", action="store_true")
    options = parser.parse_args()
    threading.Thread(target=stop_with, args=(os.getppid(),), daemon=True).start()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    server = http.server.ThreadingHTTPServer(("127.0.0.1", options.port), Handler)
    server.until_file, server.failures_left, server.log = options.until_file, options.fail, options.log
    if options.port_file:
        with open(options.port_file + ".tmp", "w") as f:
            f.write(f"{server.server_port}\n")
        os.replace(options.port_file + ".tmp", options.port_file)
    else:
        print(server.server_port, flush=True)
    try:
        server.serve_forever()
    except KeyboardInterrupt:
        pass


if __name__ == "__main__":
    main()
