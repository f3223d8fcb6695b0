"""SIGTERM while things are going on: what was begun is finished, what is idle is closed, and after `--drain` the rest is cut."""

import contextlib
import signal
import time

import pytest

from server import ResponseReader, chunked, read_to_end, request_bytes, responses_in
from test_life import await_draining, await_refusal

GET_JSON = request_bytes("GET", "/json")


def begin(server, connection, target, headers):
    """A PUT whose head the server has read for certain."""
    connection.sendall(request_bytes("PUT", target, headers={**headers, "Expect": "100-continue"}))
    reader = ResponseReader(connection)
    assert reader.response().status == 100
    return reader


@pytest.mark.parametrize("threads", [1, 2])
def test_bodies_under_way_arrive_and_are_answered_with_connection_close(start, threads):
    server = start("--threads", threads, "--drain", 300)
    with contextlib.ExitStack() as stack:
        sized, chunks = (stack.enter_context(server.connect()) for _ in range(2))
        sized_reader = begin(server, sized, "/v1/cache/sized", {"Content-Length": 10})
        chunks_reader = begin(server, chunks, "/v1/cache/chunks", {"Transfer-Encoding": "chunked"})
        sized.sendall(b"hello")
        chunks.sendall(chunked(b"hello")[:7])
        server.signal(signal.SIGTERM)
        await_refusal(server)
        sized.sendall(b"world")
        chunks.sendall(chunked(b"hello")[7:])
        for reader in (sized_reader, chunks_reader):
            reply = reader.response()
            assert reply.status == 201
            assert reply.headers["connection"].lower() == "close"
            assert reader.at_end()
    assert server.wait() == 0


def test_a_head_under_way_is_still_answered(start):
    server = start("--threads", 1, "--drain", 300)
    with server.connect() as connection:
        connection.sendall(GET_JSON[:20])
        server.settle()
        server.signal(signal.SIGTERM)
        await_refusal(server)
        connection.sendall(GET_JSON[20:])
        reader = ResponseReader(connection)
        reply = reader.response()
        assert reply.status == 200
        assert reply.headers["connection"].lower() == "close"
        assert reader.at_end()
    assert server.wait() == 0


def test_a_reply_under_way_reaches_its_slow_reader_whole(start):
    server = start("--drain", 300)
    body = bytes(range(256)) * (1 << 15)  # 8 MiB: more than kernel buffers hold
    server.send("PUT", "/v1/cache/large", body)
    with server.connect(receive_buffer=4096) as connection:
        connection.sendall(request_bytes("GET", "/v1/cache/large"))
        reader = ResponseReader(connection)
        reader.take(1000)
        server.signal(signal.SIGTERM)
        await_refusal(server)
        rest = read_to_end(connection)
        assert (reader.buffer + rest).endswith(body[-(len(body) // 2) :])
        assert len(reader.buffer) + len(rest) + 1000 > len(body)
    assert server.wait() == 0


def test_a_long_deletion_under_way_is_finished_and_answered(start):
    server = start("--drain", 300, "--threads", 1)
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for first in range(0, 20_000, 1000):
            connection.sendall(b"".join(request_bytes("PUT", f"/v1/cache/a{n}", b"x") for n in range(first, first + 1000)))
            assert all(reader.response().status == 201 for _ in range(1000))
        connection.sendall(request_bytes("DELETE", "/v1/cache?prefix=a"))
        server.settle()
        server.signal(signal.SIGTERM)
        assert reader.response().json() == {"deleted": 20_000}
        assert reader.at_end()
    assert server.wait() == 0


def test_idle_connections_are_closed_without_a_word(start):
    server = start("--drain", 300)
    with contextlib.ExitStack() as stack:
        connections = [stack.enter_context(server.connect()) for _ in range(20)]
        for connection in connections[:10]:
            connection.sendall(GET_JSON)
            assert ResponseReader(connection).response().status == 200
        server.signal(signal.SIGTERM)
        for connection in connections:
            assert read_to_end(connection) == b""
    assert server.wait() == 0


@pytest.mark.parametrize("threads", [1, 2])
def test_who_waits_in_the_queue_of_a_listener_is_still_accepted_and_served(start, threads):
    server = start("--threads", threads, "--drain", 300)
    with contextlib.ExitStack() as stack:
        server.signal(signal.SIGSTOP)
        waiting = [stack.enter_context(server.connect()) for _ in range(30)]
        for connection in waiting:
            connection.sendall(GET_JSON)
        server.signal(signal.SIGTERM)
        server.signal(signal.SIGCONT)
        for connection in waiting:
            (reply,) = responses_in(read_to_end(connection))
            assert reply.status == 200
    assert server.wait() == 0


def test_during_the_drain_delay_everything_goes_on_but_readiness(start):
    server = start("--drain-delay", 1, "--drain", 300)
    with server.connect() as kept:
        reader = ResponseReader(kept)
        kept.sendall(GET_JSON)
        assert reader.response().status == 200
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        await_draining(server)
        kept.sendall(request_bytes("PUT", "/v1/cache/a", b"x"))
        assert reader.response().status == 201
        assert server.send("GET", "/v1/cache/a").body == b"x"
        assert server.send("GET", "/healthz").status == 200
        assert reader.at_end()
        assert time.monotonic() - begun >= 0.9
    assert server.wait() == 0


def test_after_the_drain_time_readers_and_writers_are_cut(start):
    server = start("--drain", 0.5)
    server.send("PUT", "/v1/cache/large", bytes(8 << 20))
    with contextlib.ExitStack() as stack:
        reading, writing, half = (stack.enter_context(server.connect(receive_buffer=4096)) for _ in range(3))
        reading.sendall(request_bytes("GET", "/v1/cache/large"))
        ResponseReader(reading).take(100)
        begin(server, writing, "/v1/cache/never", {"Content-Length": 10})
        half.sendall(b"GET /json HT")
        begun = time.monotonic()
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        assert 0.4 <= time.monotonic() - begun
        assert len(read_to_end(reading)) < 8 << 20
        read_to_end(writing)


def test_with_no_drain_time_at_all_it_ends_at_once(start):
    server = start("--drain", 0)
    with server.connect() as writing:
        begin(server, writing, "/v1/cache/never", {"Content-Length": 10})
        server.signal(signal.SIGTERM)
        assert server.wait() == 0


@pytest.mark.parametrize("second", [signal.SIGTERM, signal.SIGINT])
def test_a_second_signal_cuts_a_reply_under_way(start, second):
    server = start("--drain", 300)
    server.send("PUT", "/v1/cache/large", bytes(8 << 20))
    with server.connect(receive_buffer=4096) as reading:
        reading.sendall(request_bytes("GET", "/v1/cache/large"))
        ResponseReader(reading).take(100)
        server.signal(signal.SIGTERM)
        await_refusal(server)
        server.signal(second)
        server.wait()


def test_a_load_that_goes_on_through_the_end_sees_whole_replies_or_none(start):
    """Until the last moment: who is answered is answered whole, and then told that it is over."""
    server = start("--threads", 2, "--drain", 300)
    with contextlib.ExitStack() as stack:
        readers = [ResponseReader(stack.enter_context(server.connect())) for _ in range(20)]
        for reader in readers:
            reader.connection.sendall(GET_JSON * 50)
        for reader in readers:
            assert reader.response().status == 200
        server.signal(signal.SIGTERM)
        for reader in readers:
            for reply in responses_in(bytes(reader.buffer) + read_to_end(reader.connection)):
                assert reply.body == b'{"message":"Hello, World!"}'
    assert server.wait() == 0
