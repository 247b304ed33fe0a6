"""A client of the HTTP API that holds every answer against src/serve/openapi.json."""
import http.client
import json
import os
import re
import socket

import jsonschema

TOP = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
with open(os.path.join(TOP, "src", "serve", "openapi.json"), encoding="utf-8") as f:
    DOCUMENT = json.load(f)
OPERATIONS = [(method.upper(), path, operation) for path, methods in DOCUMENT["paths"].items() for method, operation in methods.items()]
VALIDATORS = {}
ROLES = ["none", "viewer", "operator", "developer", "admin"]
SECURITY_HEADERS = {"x-content-type-options": "nosniff", "referrer-policy": "no-referrer", "x-frame-options": "DENY"}


def validator(schema):
    key = json.dumps(schema, sort_keys=True)
    if key not in VALIDATORS:
        VALIDATORS[key] = jsonschema.Draft202012Validator({**schema, "components": DOCUMENT["components"]})
    return VALIDATORS[key]


def operation_of(method, path):
    path = path.split("?")[0]
    for candidate, pattern, operation in OPERATIONS:
        if candidate == method and re.fullmatch(re.sub(r"\\\{\w+\\\}", "[^/]+", re.escape(pattern)), path):
            return operation
    return None


class Answer:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    def json(self):
        return json.loads(self.body)


class Client:
    """One for each identity. `seen` collects what came back, `called` the operations that were answered well."""
    seen = []
    called = set()

    def __init__(self, address, token=None):
        self.host, self.port = address.removeprefix("http://").split(":")
        self.token = token
        self.cookie = self.csrf = None

    def headers(self, method, more):
        headers = {}
        if self.token:
            headers["Authorization"] = "Bearer " + self.token
        if self.cookie:
            headers["Cookie"] = "caudal_session=" + self.cookie
        if self.csrf and method != "GET":
            headers["X-CSRF-Token"] = self.csrf
        headers.update(more or {})
        return {name: value for name, value in headers.items() if value is not None}

    def call(self, method, path, body=None, headers=None, raw=None, keep_secret=False):
        connection = http.client.HTTPConnection(self.host, int(self.port), timeout=60)
        try:
            headers = self.headers(method, headers)
            if body is not None:
                raw = json.dumps(body)
                headers.setdefault("Content-Type", "application/json")
            connection.request(method, path, raw, headers)
            response = connection.getresponse()
            answer = Answer(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read().decode())
        finally:
            connection.close()
        if not keep_secret:
            Client.seen.append((method, path, answer.body))
        self.check(method, path, answer)
        return answer

    def check(self, method, path, answer):
        for name, value in SECURITY_HEADERS.items():
            assert answer.headers.get(name) == value, (method, path, name, answer.headers)
        assert "frame-ancestors 'none'" in answer.headers["content-security-policy"], answer.headers
        operation = operation_of("GET" if method == "HEAD" else method, path)
        if operation is None or method == "HEAD":
            return
        responses = operation["responses"]
        described = responses.get(str(answer.status)) or responses["default"]
        if "$ref" in described:
            described = DOCUMENT["components"]["responses"]["Problem"]
        (media, content), = described["content"].items()
        assert answer.headers["content-type"].split(";")[0] == media, (method, path, answer.status, answer.headers, answer.body[:500])
        if "json" in media:
            problem = jsonschema.exceptions.best_match(validator(content["schema"]).iter_errors(answer.json()))
            assert problem is None, f"{method} {path} {answer.status}: {problem.json_path}: {problem.message[:500]}"
        if answer.status < 300:
            Client.called.add(operation["operationId"])

    def get(self, path, status=200):
        answer = self.call("GET", path)
        assert answer.status == status, (path, answer.status, answer.body)
        return answer.json()

    def post(self, path, body=None, status=200, method="POST"):
        answer = self.call(method, path, body)
        assert answer.status == status, (path, answer.status, answer.body)
        return answer.json()

    def connect(self):
        return socket.create_connection((self.host, int(self.port)), timeout=60)

    def raw(self, data, half_close=False):
        """Whatever comes back for these bytes, until the server closes."""
        with self.connect() as s:
            try:
                s.sendall(data)
                if half_close:
                    s.shutdown(socket.SHUT_WR)
            except OSError:
                pass
            got = b""
            try:
                while chunk := s.recv(65536):
                    got += chunk
            except ConnectionResetError:
                pass
            return got
