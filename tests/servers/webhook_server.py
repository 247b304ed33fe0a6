"""A real HTTP server that keeps what is posted to it. For tests only, on the loopback address."""
import http.server
import json
import threading


class WebhookServer:
    def __init__(self):
        self.posts = []  # (path, headers, body bytes)
        self.answer = 200
        posts, owner = self.posts, self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                status = owner.answer
                if status == 200:
                    posts.append((self.path, dict(self.headers), body))
                self.send_response(status)
                self.send_header("Content-Length", "0")
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()

    def alerts(self, path=None):
        """Every alert that came, in order."""
        return [a for p, _, body in list(self.posts) if path in (None, p) for a in json.loads(body).get("alerts", [])]
