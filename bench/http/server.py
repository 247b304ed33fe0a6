"""The server of bench/http: 2,000 pages of 100 rows, made beforehand, each answer one write. `server.py PAGES ROWS` prints its
port and ends with its standard input. /rows?page=N · /stats: requests since the last /stats, and the seconds from the first to the last."""
import asyncio
import json
import sys
import time

PAGES, ROWS = int(sys.argv[1]), int(sys.argv[2])
seen = {"requests": 0, "first": 0.0, "last": 0.0}


def answer(body):
    return b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body) + body


def page(number):
    rows = [{"id": number * ROWS + i, "name": f"customer {number * ROWS + i}", "amount": i * 1.25, "city": "Lima", "active": i % 2 == 0,
             "updated_at": f"2026-01-{number % 28 + 1:02d}T00:00:{i % 60:02d}Z"} for i in range(ROWS)]
    return answer(json.dumps({"data": rows, "total_pages": PAGES}).encode())


ANSWERS = [page(number) for number in range(PAGES)] + [answer(json.dumps({"data": [], "total_pages": PAGES}).encode())]


class Connection(asyncio.Protocol):
    def connection_made(self, transport):
        self.transport, self.pending = transport, b""

    def data_received(self, data):
        self.pending += data
        while (end := self.pending.find(b"\r\n\r\n")) >= 0:
            line = self.pending[:self.pending.find(b"\r\n")]
            self.pending = self.pending[end + 4:]
            self.transport.write(self.reply(line.split(b" ")[1]))

    def reply(self, path):
        if path == b"/stats":
            text = json.dumps({"requests": seen["requests"], "seconds": seen["last"] - seen["first"]}).encode()
            seen["requests"] = 0
            return answer(text)
        now = time.perf_counter()
        if seen["requests"] == 0:
            seen["first"] = now
        seen["last"] = now
        seen["requests"] += 1
        number = int(path.rpartition(b"=")[2] or 0) if b"=" in path else 0
        return ANSWERS[min(number, PAGES)]


async def main():
    loop = asyncio.get_running_loop()
    server = await loop.create_server(Connection, "127.0.0.1", 0)
    print(server.sockets[0].getsockname()[1], flush=True)
    await loop.run_in_executor(None, sys.stdin.read)


asyncio.run(main())
