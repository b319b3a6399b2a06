"""What a connection does for readers, and what it does not let anybody do."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from tests.web.listening import Client, Reply, eventually, listening
from tests.web.public_folder import FEED, PAGE, PublicFolder, application, public_folder

from dispatch.web.server.connection import Connection, Counts
from dispatch.web.server.limits import Limits
from dispatch.web.server.watch import ROUND

HOST = b"host: news.example.org\r\n"
FEED_PATH = "/world/feed.rss"
SHORT = Limits(head=0.5, body=0.5, stall=0.5, linger=0.5)


class Server:
    """A server that runs, and what it counted."""

    def __init__(self, folder: PublicFolder, port: int, counts: Counts) -> None:
        self.folder = folder
        self.port = port
        self.counts = counts

    def client(self) -> Client:
        return Client(self.port)

    def answered(self) -> int:
        """How many answers were given without the application."""
        return self.counts.answered.total()

    def ready(self, client: Client, path: str = FEED_PATH) -> Reply:
        """Ask for a file until it is answered without the application."""
        before = self.answered()
        while True:
            reply = client.get(path)
            if self.answered() > before:
                return reply


async def echo(request: Request) -> Response:
    """What came, with the names of the header's fields."""
    body = await request.body()
    names = ",".join(request.headers.keys())
    return PlainTextResponse(body, headers={"x-fields": names})


async def deaf(_request: Request) -> Response:
    """Answers without reading."""
    return PlainTextResponse("no", 413)


async def slow(_request: Request) -> Response:
    await asyncio.sleep(0.2)
    return PlainTextResponse("slow")


@contextmanager
def server(
    folder: Path,
    limits: Limits | None = None,
    *,
    keep_alive: float = 30,
    hosts: frozenset[bytes] | None = None,
) -> Iterator[Server]:
    made = public_folder(folder)
    files = made.files()
    counts = Counts()
    methods = ["GET", "POST"]
    app = application(
        files,
        Route("/echo", echo, methods=methods),
        Route("/deaf", deaf, methods=methods),
        Route("/slow", slow, methods=methods),
    )
    connection = Connection.bound_to(files, hosts=hosts, counts=counts, limits=limits)
    with listening(app, connection, keep_alive) as port:
        yield Server(made, port, counts)
    files.close()


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with server(tmp_path_factory.mktemp("usual")) as running:
        yield running


@pytest.fixture(scope="module")
def strict(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A server that is patient for a moment only."""
    with server(tmp_path_factory.mktemp("strict"), SHORT, keep_alive=0.5) as running:
        yield running


class TestTheShortRoad:
    """A public file that was asked for a moment ago is answered at once, and in the same words."""

    def test_the_answer_is_that_of_the_application(self, usual: Server) -> None:
        def told(reply: Reply) -> tuple[int, dict[str, str], bytes]:
            fields = {name: value for name, value in reply.fields.items() if name != "date"}
            return reply.status, fields, reply.body

        with usual.client() as client:
            etag = usual.ready(client).fields["etag"]
            for fields in (
                {},
                {"if_none_match": etag},
                {"if_none_match": f'"x", W/{etag}'},
                {"if_modified_since": "Fri, 31 Dec 9999 23:59:59 GMT"},
                {"accept_encoding": "identity;q=0"},
            ):
                for method in ("GET", "HEAD"):
                    at_once = client.get(FEED_PATH, method, **fields)
                    # A field that no plain GET has sends it by the common road.
                    asked = client.get(FEED_PATH, method, expect="nothing", **fields)
                    assert told(at_once) == told(asked)

    def test_every_answer_has_its_date(self, usual: Server) -> None:
        with usual.client() as client:
            assert usual.ready(client).fields["date"].endswith(" GMT")

    def test_one_connection_is_enough(self, usual: Server) -> None:
        with usual.client() as client:
            etag = usual.ready(client).fields["etag"]
            before = usual.answered()
            for _ in range(5):
                assert client.get(FEED_PATH).body == FEED.encode()
                assert client.get(FEED_PATH, "HEAD").body == b""
                assert client.get(FEED_PATH, if_none_match=etag).status == 304
                assert client.get(f"{FEED_PATH}?a=b").status == 200
                assert client.get("/nowhere").status == 404
                assert client.get("/echo").status == 200
            assert usual.answered() >= before + 15

    def test_requests_may_come_all_at_once(self, usual: Server) -> None:
        request = b"GET /world/feed.rss HTTP/1.1\r\n" + HOST + b"\r\n"
        with usual.client() as client:
            usual.ready(client)
            client.send(request * 200)
            assert all(client.reply().body == FEED.encode() for _ in range(200))

    def test_answers_keep_the_order_of_requests(self, usual: Server) -> None:
        paths = [
            b"/world/feed.rss",
            b"/slow",
            b"/world/feed.rss",
            b"/world/",
            b"/echo",
            b"/nowhere",
        ]
        with usual.client() as client:
            usual.ready(client)
            usual.ready(client, "/world/")
            client.send(
                b"".join(b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n" for path in paths)
            )
            bodies = [client.reply().body for _ in paths]
        assert bodies == [FEED.encode(), b"slow", FEED.encode(), PAGE.encode(), b"", b"Not Found"]

    def test_requests_may_come_in_pieces(self, usual: Server) -> None:
        request = b"GET /world/feed.rss HTTP/1.1\r\n" + HOST + b"\r\n"
        with usual.client() as client:
            usual.ready(client)
            client.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            for at in range(len(request)):
                client.send(request[at : at + 1])
            assert client.reply().body == FEED.encode()

    def test_close(self, usual: Server) -> None:
        with usual.client() as client:
            usual.ready(client)
            before = usual.answered()
            reply = client.get(FEED_PATH, connection="close")
            assert (reply.body, reply.fields["connection"]) == (FEED.encode(), "close")
            assert usual.answered() == before + 1
            assert client.closed()

    @pytest.mark.parametrize("fields", [b"", HOST, HOST + b"connection: keep-alive\r\n"])
    def test_http_1_0_ends_with_the_answer(self, usual: Server, fields: bytes) -> None:
        with usual.client() as client:
            usual.ready(client)
            client.send(b"GET /world/feed.rss HTTP/1.0\r\n" + fields + b"\r\n")
            reply = client.reply()
            assert (reply.body, reply.fields["connection"]) == (FEED.encode(), "close")
            assert client.closed()

    def test_a_get_may_have_a_body(self, usual: Server) -> None:
        with usual.client() as client:
            usual.ready(client)
            client.send(
                b"GET /world/feed.rss HTTP/1.1\r\n" + HOST + b"content-length: 4\r\n\r\nGET "
            )
            assert client.reply().body == FEED.encode()
            chunks = b"4\r\nGET \r\n0\r\n\r\n"
            client.send(
                b"GET /world/feed.rss HTTP/1.1\r\n"
                + HOST
                + b"transfer-encoding: chunked\r\n\r\n"
                + chunks
            )
            assert client.reply().body == FEED.encode()
            assert client.get("/echo").status == 200

    @pytest.mark.parametrize("offer", ["websocket", "h2c"])
    def test_an_offer_to_upgrade_is_passed_over(self, usual: Server, offer: str) -> None:
        request = f"GET {FEED_PATH} HTTP/1.1\r\nconnection: upgrade\r\nupgrade: {offer}\r\n"
        with usual.client() as client:
            usual.ready(client)
            client.send((request.encode() + HOST + b"\r\n") * 3)
            assert [client.reply().body for _ in range(3)] == [FEED.encode()] * 3
            assert client.get(FEED_PATH).status == 200

    def test_a_target_may_name_the_host(self, usual: Server) -> None:
        with usual.client() as client:
            assert client.get(f"http://news.example.org{FEED_PATH}").body == FEED.encode()

    def test_other_methods_are_the_applications(self, usual: Server) -> None:
        with usual.client() as client:
            usual.ready(client)
            for method in ("OPTIONS", "POST", "DELETE"):
                assert client.get(FEED_PATH, method).status == 405

    def test_a_new_version_is_there_within_a_second_and_a_deleted_file_is_gone(
        self, usual: Server
    ) -> None:
        file = usual.folder.place("changing.txt", "old")
        with usual.client() as client:
            assert usual.ready(client, "/changing.txt").body == b"old"
            usual.folder.place("changing.txt", "new")
            # A second is what it takes; the rest is for a machine that is busy with other tests.
            eventually("the new version", lambda: client.get("/changing.txt").body == b"new", 5)
            file.unlink()
            eventually("the end", lambda: client.get("/changing.txt").status == 404, 5)

    def test_compressed_forms_come_by_it_too(self, usual: Server) -> None:
        with usual.client() as client:
            usual.ready(client)
            eventually(
                "brotli",
                lambda: (
                    client.get(FEED_PATH, accept_encoding="br").fields.get("content-encoding")
                    == "br"
                ),
            )

    def test_only_to_its_own_hosts(self, tmp_path: Path) -> None:
        others = frozenset({b"other.example.org"})
        with server(tmp_path, hosts=others) as running, running.client() as client:
            for _ in range(3):
                assert client.get(FEED_PATH).status == 200
            assert running.answered() == 0


class TestFraming:
    """Nobody can have a request read in another way than a proxy before us has read it."""

    @pytest.mark.parametrize(
        "head",
        [
            b"content-length: 3\r\ntransfer-encoding: chunked\r\n",
            b"transfer-encoding: chunked\r\ncontent-length: 3\r\n",
            b"content-length: 3\r\ncontent-length: 4\r\n",
            b"content-length: 3\r\ncontent-length: 3\r\n",
            b"content-length: 3, 4\r\n",
            b"content-length: +3\r\n",
            b"content-length: -3\r\n",
            b"content-length: 0x3\r\n",
            b"content-length: 99999999999999999999999\r\n",
            b"content-length : 3\r\n",
            b" content-length: 3\r\n",
            b"x: a\r\n content-length: 3\r\n",
            b"content\x00-length: 3\r\n",
            b"x: a\x00b\r\n",
            b"x: a\rb\r\n",
            b"x: a\ncontent-length: 3\r\n",
            b"transfer-encoding: chunked, identity\r\n",
            b"transfer-encoding: x\r\n",
            b"transfer-encoding: xchunked\r\n",
            b"transfer-encoding: chunked\r\ntransfer-encoding: identity\r\n",
            b"transfer-encoding:\x0bchunked\r\n",
            b"host: other.example\r\n",
        ],
        ids=lambda head: head.decode("latin-1").encode("unicode_escape").decode(),
    )
    def test_what_can_be_read_in_two_ways_is_not_read(self, usual: Server, head: bytes) -> None:
        inner = b"GET /echo?smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
        with usual.client() as client:
            client.send(b"POST /echo HTTP/1.1\r\n" + HOST + head + b"\r\n0\r\n\r\n" + inner)
            reply = client.reply()
            assert (reply.status, reply.fields["connection"]) == (400, "close")
            assert client.closed()

    @pytest.mark.parametrize(
        "line",
        [
            b"GET /echo",
            b"GET /echo HTTP/1.1 x",
            b"GET /echo HTTP/9.9",
            b"GET /echo HTTP/2.0",
            b"GET /ec ho HTTP/1.1",
            b"GET echo HTTP/1.1",
            b"GET /\xff HTTP/1.1",
            b"get /echo HTTP/1.1",
            b"X /echo HTTP/1.1",
            b"CONNECT news.example.org:443 HTTP/1.1",
            b"PRI * HTTP/2.0",
            b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        ],
        ids=lambda line: line.decode("latin-1").encode("unicode_escape").decode(),
    )
    def test_what_is_no_request_of_ours(self, usual: Server, line: bytes) -> None:
        with usual.client() as client:
            client.send(line + b"\r\n" + HOST + b"\r\n")
            reply = client.reply()
            assert reply.status in (400, 505)
            assert client.closed()

    @pytest.mark.parametrize("hosts", [b"", HOST + HOST])
    def test_a_request_says_once_which_host_it_is_for(self, usual: Server, hosts: bytes) -> None:
        with usual.client() as client:
            usual.ready(client)
            client.send(b"GET /world/feed.rss HTTP/1.1\r\n" + hosts + b"\r\n")
            assert client.reply().status == 400
            assert client.closed()

    @pytest.mark.parametrize(
        "body",
        [
            b"z\r\n",
            b"-1\r\n",
            b"3\r\nabcd\r\n",
            b"3\r\nabc0\r\n\r\n",
            b"3\nabc\r\n",
            b"f" * 17 + b"\r\n",
        ],
    )
    def test_a_broken_chunk_ends_it(self, usual: Server, body: bytes) -> None:
        with usual.client() as client:
            client.send(
                b"POST /echo HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n" + body
            )
            assert client.reply().status == 400
            assert client.closed()

    def test_a_trailer_is_no_field_of_the_head(self, usual: Server) -> None:
        with usual.client() as client:
            client.send(
                b"POST /echo HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n"
                b"3\r\nabc\r\n0\r\nx-forwarded-for: 192.0.2.1\r\n\r\n"
            )
            reply = client.reply()
            assert (reply.body, reply.fields["x-fields"]) == (b"abc", "host,transfer-encoding")
            assert client.get("/echo").status == 200

    def test_what_came_before_is_answered_first(self, usual: Server) -> None:
        with usual.client() as client:
            client.send(b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\nnonsense\r\n\r\n")
            assert client.reply().body == b"slow"
            assert client.closed()


class TestSizes:
    """How much may be sent."""

    @pytest.mark.parametrize("path", ["/echo", FEED_PATH])
    @pytest.mark.parametrize(
        ("fields", "status"),
        [
            (b"x: " + b"a" * 30_000 + b"\r\n", 200),
            (b"x: " + b"a" * 40_000 + b"\r\n", 431),
            (b"x: " + b"a" * 4_000_000, 431),
            (b"a" * 4_000_000, 431),
            (b"x: a\r\n" * 90, 200),
            (b"x: a\r\n" * 110, 431),
            (b"".join(b"x%d: a\r\n" % n for n in range(110)), 431),
            (b"x: a\r\n" * 1_000_000, 431),
        ],
        ids=[
            "large",
            "too large",
            "endless",
            "no name",
            "many",
            "too many",
            "different",
            "countless",
        ],
    )
    def test_fields(self, usual: Server, path: str, fields: bytes, status: int) -> None:
        with usual.client() as client:
            usual.ready(client)
            client.send(f"GET {path} HTTP/1.1\r\n".encode() + HOST + fields + b"\r\n")
            assert client.reply().status == status

    @pytest.mark.parametrize(("size", "status"), [(8000, 404), (9000, 414), (4_000_000, 431)])
    def test_targets(self, usual: Server, size: int, status: int) -> None:
        with usual.client() as client:
            client.send(b"GET /" + b"a" * size + b" HTTP/1.1\r\n" + HOST + b"\r\n")
            assert client.reply().status == status

    @pytest.mark.parametrize(
        "tail",
        [
            b"1;" + b"a" * 4_000_000,
            b"1\r\na\r\n0\r\nx: " + b"a" * 4_000_000,
            b"1\r\na\r\n0\r\n" + b"x: a\r\n" * 1_000_000,
        ],
        ids=["a chunk's extension", "a trailer", "trailers"],
    )
    def test_what_no_application_ever_sees_is_bounded(self, usual: Server, tail: bytes) -> None:
        with usual.client() as client:
            client.send(
                b"POST /echo HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n" + tail
            )
            assert client.reply().status in (400, 431)

    def test_small_chunks_are_no_crime(self, usual: Server) -> None:
        with usual.client() as client:
            client.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"transfer-encoding: chunked\r\n\r\n")
            client.send(b"1\r\na\r\n" * 60_000 + b"0\r\n\r\n")
            assert client.reply().body == b"a" * 60_000

    def test_requests_that_wait_are_bounded(self, usual: Server) -> None:
        cut = usual.counts.cut["pipelining"]
        with usual.client() as client:
            client.send((b"GET /slow HTTP/1.1\r\n" + HOST + b"\r\n") * 1000)
            with pytest.raises(EOFError):
                for _ in range(1000):
                    client.reply()
        assert usual.counts.cut["pipelining"] == cut + 1

    def test_a_body_that_nobody_reads_does_not_end_the_connection(self, usual: Server) -> None:
        with usual.client() as client:
            client.send(b"POST /deaf HTTP/1.1\r\n" + HOST + b"content-length: 300000\r\n\r\n")
            assert client.reply().status == 413
            client.send(b"a" * 300_000)
            assert client.get("/echo").status == 200


class TestTimes:
    """How long a client may take."""

    def test_for_saying_anything(self, strict: Server) -> None:
        with strict.client() as client:
            assert client.closed()

    def test_for_a_head(self, strict: Server) -> None:
        with strict.client() as client:
            client.send(b"GET /echo HTTP/1.1\r\n")
            assert client.reply().status == 408
            assert client.closed()

    @pytest.mark.parametrize("trickle", [b"x: a\r\n", b"\r\n"])
    def test_who_sends_a_little_at_a_time_wins_nothing(
        self, strict: Server, trickle: bytes
    ) -> None:
        with strict.client() as client:
            client.socket.settimeout(0.05)
            client.send(b"GET /echo HTTP/1.1\r\n" if trickle != b"\r\n" else b"")
            until = time.monotonic() + 10
            while time.monotonic() < until:
                try:
                    client.socket.send(trickle)
                    if not client.socket.recv(1000):
                        return
                except TimeoutError:
                    continue
                except ConnectionError:
                    return
        pytest.fail("it was allowed to go on for ten seconds")

    def test_for_a_body(self, strict: Server) -> None:
        cut = strict.counts.cut["slow body"]
        with strict.client() as client:
            client.send(b"POST /echo HTTP/1.1\r\n" + HOST + b"content-length: 100\r\n\r\nabc")
            assert client.reply().status == 408
            assert client.closed()
        assert strict.counts.cut["slow body"] == cut + 1

    def test_for_a_body_whose_answer_is_given(self, strict: Server) -> None:
        with strict.client() as client:
            client.send(b"POST /deaf HTTP/1.1\r\n" + HOST + b"content-length: 100\r\n\r\nabc")
            assert client.reply().status == 413
            assert client.closed()

    def test_between_requests(self, strict: Server) -> None:
        with strict.client() as client:
            assert client.get("/echo").status == 200
            assert client.closed()
        with strict.client() as client:
            strict.ready(client)
            assert client.closed()

    def test_for_reading_an_answer(self, strict: Server) -> None:
        strict.folder.place("large.pdf", b"a" * 20_000_000)
        cut = strict.counts.cut["unread answer"]
        with strict.client() as client:
            client.send(b"GET /large.pdf HTTP/1.1\r\n" + HOST + b"\r\n")
            eventually("it is cut off", lambda: strict.counts.cut["unread answer"] > cut)

    def test_for_reading_many_answers(self, strict: Server) -> None:
        request = b"GET /world/feed.rss HTTP/1.1\r\n" + HOST + b"x: " + b"a" * 20_000 + b"\r\n\r\n"
        cut = strict.counts.cut["unread answer"]
        with strict.client() as client:
            strict.ready(client)
            with pytest.raises(ConnectionError):
                while True:
                    client.socket.sendall(request)
        assert strict.counts.cut["unread answer"] == cut + 1

    def test_who_reads_slowly_is_waited_for(self, strict: Server) -> None:
        strict.folder.place("large.pdf", b"a" * 5_000_000)
        with strict.client() as client:
            client.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 100_000)
            client.send(b"GET /large.pdf HTTP/1.1\r\n" + HOST + b"\r\n")
            came = 0
            while came < 5_000_000:
                time.sleep(0.01)
                came += len(client.socket.recv(50_000))

    def test_who_is_answered_slowly_is_waited_for(self, strict: Server) -> None:
        with strict.client() as client:
            for _ in range(3):
                assert client.get("/slow").body == b"slow"


class TestNumbers:
    """How many may come."""

    def test_who_has_been_idle_for_longest_makes_room(self, tmp_path: Path) -> None:
        with server(tmp_path, Limits(connections=5)) as running, ExitStack() as stack:
            clients = [stack.enter_context(running.client()) for _ in range(5)]
            assert clients[0].get(FEED_PATH).status == 200
            time.sleep(2 * ROUND)
            assert [client.get(FEED_PATH).status for client in clients[1:]] == [200] * 4
            with running.client() as another:
                assert another.get(FEED_PATH).status == 200
            assert clients[0].closed()
            assert [client.get(FEED_PATH).status for client in clients[1:]] == [200] * 4

    def test_where_all_are_busy_the_next_one_is_refused(self, tmp_path: Path) -> None:
        with server(tmp_path, Limits(connections=3)) as running, ExitStack() as stack:
            busy = [stack.enter_context(running.client()) for _ in range(3)]
            for client in busy:
                client.send(b"GET /echo HTTP/1.1\r\n")
            with running.client() as another:
                assert another.reply().status == 503
            for client in busy:
                client.send(HOST + b"\r\n")
                assert client.reply().status == 200
            assert running.counts.cut["too many"] == 1

    @pytest.mark.parametrize(
        "begun",
        [b"", b"GET /echo HT", b"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 9\r\n\r\n1"],
    )
    def test_who_holds_a_place_and_asks_for_nothing_gives_it_up(
        self, tmp_path: Path, begun: bytes
    ) -> None:
        with (
            server(tmp_path, Limits(connections=3, dawdle=ROUND)) as running,
            ExitStack() as stack,
        ):
            for client in [stack.enter_context(running.client()) for _ in range(3)]:
                client.send(begun)
            time.sleep(3 * ROUND)
            for _ in range(3):
                with running.client() as another:
                    assert another.get(FEED_PATH).status == 200
            assert running.counts.cut["too many"] == 1
