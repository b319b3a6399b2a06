"""A WebSub hub and a subscriber of it (W3C Recommendation, 23 January 2018), on this machine.

The hub verifies subscriptions (5.3), fetches a topic that it is told of, and
distributes it where it has changed (7), signed (7.1). It distributes nothing whose
feed does not name it and itself: then nobody could have subscribed here.
"""

from __future__ import annotations

import hmac
import re
import secrets
import ssl
import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from types import TracebackType
from typing import Self
from urllib.error import HTTPError
from urllib.parse import parse_qs, urlencode, urlsplit
from urllib.request import Request, urlopen

Handler = BaseHTTPRequestHandler
Misbehaviour = Callable[["Hub", Handler], None]

_LINK = re.compile(r'<([^>]*)>\s*;\s*rel="?(\w+)"?')
_PATIENCE = 10


class _Server:
    """An HTTP server on a free port of this machine, for as long as the body runs."""

    def __init__(self, path: str, tls: ssl.SSLContext | None = None) -> None:
        owner = self

        class Requests(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                owner.get(self)

            def do_POST(self) -> None:
                owner.post(self)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                """Nothing is printed."""

        self.closing = threading.Event()
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Requests)
        self._server.daemon_threads = False
        if tls is not None:
            self._server.socket = tls.wrap_socket(self._server.socket, server_side=True)
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self._server.server_port}{path}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: object, where: TracebackType | None
    ) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def get(self, handler: Handler) -> None:
        answer(handler, 405)

    def post(self, handler: Handler) -> None:
        answer(handler, 405)


def answer(handler: Handler, status: int, body: bytes = b"", **headers: str) -> None:
    """Answer a request and hang up."""
    handler.send_response(status)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.send_header("Content-Length", str(len(body)))
    handler.send_header("Connection", "close")
    handler.end_headers()
    handler.wfile.write(body)
    handler.close_connection = True


def body_of(handler: Handler) -> bytes:
    return handler.rfile.read(int(handler.headers.get("Content-Length", 0)))


@dataclass(slots=True)
class _Subscription:
    callback: str
    topic: str
    secret: str | None


class Hub(_Server):
    """The hub; ``script`` says what it does with the next publishers who tell it something."""

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        super().__init__("/hub?site=example", tls)
        self.told: list[dict[str, str]] = []
        """The forms of publishers, in order."""
        self.refused: list[str] = []
        """Why nothing was distributed."""
        self.script: deque[Misbehaviour] = deque()
        self._subscriptions: dict[tuple[str, str], _Subscription] = {}
        self._seen: dict[str, bytes] = {}
        self._lock = threading.Lock()

    def post(self, handler: Handler) -> None:
        fields = {name: values[0] for name, values in parse_qs(body_of(handler).decode()).items()}
        mode = fields.get("hub.mode")
        if mode == "publish":
            with self._lock:
                self.told.append(fields)
                act = self.script.popleft() if self.script else None
            if act is not None:
                act(self, handler)
                return
            answer(handler, 204)
            self._distribute(fields.get("hub.url") or fields["hub.topic"])
        elif (
            mode in ("subscribe", "unsubscribe") and {"hub.topic", "hub.callback"} <= fields.keys()
        ):
            answer(handler, 202)
            self._verify(mode, fields)
        else:
            answer(handler, 400, b"hub.mode, hub.topic and hub.callback are needed")

    def _verify(self, mode: str, fields: dict[str, str]) -> None:
        """5.3: the subscriber echoes a challenge."""
        challenge = secrets.token_urlsafe(16)
        query = {"hub.mode": mode, "hub.topic": fields["hub.topic"], "hub.challenge": challenge}
        if mode == "subscribe":
            query["hub.lease_seconds"] = fields.get("hub.lease_seconds", "864000")
        joint = "&" if urlsplit(fields["hub.callback"]).query else "?"
        try:
            with urlopen(
                f"{fields['hub.callback']}{joint}{urlencode(query)}", timeout=_PATIENCE
            ) as r:
                echoed = r.read(1000).decode()
        except HTTPError as error:
            error.close()
            return
        if echoed != challenge:
            return
        key = (fields["hub.callback"], fields["hub.topic"])
        if mode == "subscribe":
            self._subscriptions[key] = _Subscription(*key, fields.get("hub.secret"))
        else:
            self._subscriptions.pop(key, None)

    def _distribute(self, topic: str) -> None:
        with urlopen(topic, timeout=_PATIENCE) as response:
            content, kind = response.read(), response.headers["Content-Type"]
            links = _links(", ".join(response.headers.get_all("Link", [])))
        if self.url not in links.get("hub", ()) or links.get("self") != [topic]:
            self.refused.append(f"{topic} links to {links}")
            return
        if self._seen.get(topic) == content:
            self.refused.append(f"{topic} has not changed")
            return
        self._seen[topic] = content
        for subscription in [s for s in self._subscriptions.values() if s.topic == topic]:
            headers = {
                "Content-Type": kind,
                "Link": f'<{self.url}>; rel="hub", <{topic}>; rel="self"',
            }
            if subscription.secret:
                signature = hmac.digest(subscription.secret.encode(), content, "sha256").hex()
                headers["X-Hub-Signature"] = f"sha256={signature}"
            request = Request(subscription.callback, content, headers, method="POST")
            urlopen(request, timeout=_PATIENCE).close()


def _links(field: str) -> dict[str, list[str]]:
    links: dict[str, list[str]] = {}
    for target, relation in _LINK.findall(field):
        links.setdefault(relation, []).append(target)
    return links


class Subscriber(_Server):
    """Somebody's feed reader, which has a hub tell it of changes."""

    def __init__(self, topic: str) -> None:
        super().__init__("/callback?of=reader")
        self.topic = topic
        self.verified = threading.Event()
        self.came = threading.Event()
        self.content: list[bytes] = []
        """What was distributed, in order: what was signed rightly."""
        self.links: list[dict[str, list[str]]] = []
        self._secret = secrets.token_hex(16)

    def subscribe(self) -> str:
        """Discover the hub (section 4) and subscribe there; returns the hub's address."""
        with urlopen(self.topic, timeout=_PATIENCE) as response:
            links = _links(", ".join(response.headers.get_all("Link", [])))
            response.read()
        hub = links["hub"][0]
        fields = {
            "hub.mode": "subscribe",
            "hub.topic": links["self"][0],
            "hub.callback": self.url,
            "hub.secret": self._secret,
        }
        with urlopen(hub, urlencode(fields).encode(), timeout=_PATIENCE) as response:
            assert response.status == 202
        assert self.verified.wait(_PATIENCE)
        return hub

    def get(self, handler: Handler) -> None:
        query = parse_qs(urlsplit(handler.path).query)
        if query.get("hub.topic") != [self.topic] or "hub.lease_seconds" not in query:
            answer(handler, 404)
            return
        answer(handler, 200, query["hub.challenge"][0].encode())
        self.verified.set()

    def post(self, handler: Handler) -> None:
        content = body_of(handler)
        answer(handler, 202)
        signature = hmac.digest(self._secret.encode(), content, "sha256").hex()
        if hmac.compare_digest(handler.headers["X-Hub-Signature"], f"sha256={signature}"):
            self.content.append(content)
            self.links.append(_links(handler.headers["Link"]))
            self.came.set()


# What hubs do wrong ------------------------------------------------------------------------------


def say(status: int, **headers: str) -> Misbehaviour:
    """Answers with a status."""
    return lambda _hub, handler: answer(handler, status, b"no", **headers)


def speak_rubbish(_hub: Hub, handler: Handler) -> None:
    """Answers with what is not HTTP."""
    handler.wfile.write(b"\x00\xff220 hub ESMTP\r\n\r\n")
    handler.close_connection = True


def hang_up(_hub: Hub, handler: Handler) -> None:
    """Answers nothing, at once."""
    handler.close_connection = True


def say_nothing(hub: Hub, handler: Handler) -> None:
    """Never answers."""
    hub.closing.wait()
    handler.close_connection = True


def drip(hub: Hub, handler: Handler) -> None:
    """Answers for ever, an octet at a time."""
    handler.close_connection = True
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    while not hub.closing.wait(0.02):
        try:
            handler.wfile.write(b"x")
        except OSError:
            return


def flood(_hub: Hub, handler: Handler) -> None:
    """Accepts, and sends ten megabytes with it."""
    handler.close_connection = True
    try:
        answer(handler, 200, b"x" * 10_000_000)
    except OSError:
        return
