"""The server's clocks, for real: 10 s for a head, 240 bytes a second for a body after 5 s, 60 s of idleness.

Each test runs all its peers side by side, and asks for lower bounds of time alone: a busy machine is late, never early."""

import concurrent.futures
import time

import pytest

from memcached import Memcached
from resp import Resp
from server import PATIENCE, ResponseReader, assert_problem, read_to_end, request_bytes, responses_in

pytestmark = pytest.mark.slow


def side_by_side(*peers):
    with concurrent.futures.ThreadPoolExecutor(len(peers)) as pool:
        for future in [pool.submit(peer) for peer in peers]:
            future.result()


def drip(connection, data, per_second, piece=1):
    """Sends at that pace until all is sent or the peer has closed."""
    begun = time.monotonic()
    for offset in range(0, len(data), piece):
        if (ahead := begun + offset / per_second - time.monotonic()) > 0:
            time.sleep(ahead)  # the pace is what is tested
        try:
            connection.sendall(data[offset : offset + piece])
        except (BrokenPipeError, ConnectionResetError):
            return


def test_a_head_that_takes_more_than_10_seconds_is_408(shared, key):
    def assert_timed_out(connection, begun):
        (reply,) = responses_in(read_to_end(connection))
        assert_problem(reply, 408)
        assert 9.5 <= time.monotonic() - begun < PATIENCE
        assert reply.headers["connection"].lower() == "close"

    def stalled():
        begun = time.monotonic()
        with shared.connect() as connection:
            connection.sendall(b"GET /json HTTP/1.1\r\nHo")
            assert_timed_out(connection, begun)

    def one_byte_only():
        begun = time.monotonic()
        with shared.connect() as connection:
            connection.sendall(b"G")
            assert_timed_out(connection, begun)

    def dripping():
        """Progress does not extend the time."""
        begun = time.monotonic()
        with shared.connect() as connection:
            drip(connection, b"GET /json HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 100, per_second=8)
            assert_timed_out(connection, begun)

    def the_second_head():
        with shared.connect() as connection:
            reader = ResponseReader(connection)
            begun = time.monotonic()
            connection.sendall(request_bytes("GET", "/json") + b"GET /json HTTP/1.1\r\n")
            assert reader.response().status == 200
            assert_problem(reader.response(), 408)
            assert time.monotonic() - begun >= 9.5
            assert reader.at_end()

    def in_time():
        with shared.connect() as connection:
            drip(connection, request_bytes("GET", "/json", headers={"X": "a" * 20}), per_second=12)
            assert ResponseReader(connection).response().status == 200

    side_by_side(stalled, one_byte_only, dripping, the_second_head, in_time)


def test_a_body_slower_than_240_bytes_a_second_is_408_after_5_seconds(shared, key):
    def assert_too_slow(head, body, per_second):
        begun = time.monotonic()
        with shared.connect() as connection:
            connection.sendall(head)
            drip(connection, body, per_second)
            (reply,) = responses_in(read_to_end(connection))
            assert_problem(reply, 408)
            assert 4.5 <= time.monotonic() - begun < PATIENCE

    def stalled():
        assert_too_slow(request_bytes("PUT", f"/v1/cache/{key}-1", headers={"Content-Length": 100_000}), b"x", 1)

    def dripping():
        assert_too_slow(request_bytes("PUT", f"/v1/cache/{key}-2", headers={"Content-Length": 100_000}), b"x" * 1500, 100)

    def dripping_chunks():
        """Only what is body counts, not its wrapping."""
        assert_too_slow(request_bytes("PUT", f"/v1/cache/{key}-3", headers={"Transfer-Encoding": "chunked"}), b"1\r\nx\r\n" * 250, 100)

    def fast_enough():
        body = b"x" * 4000
        with shared.connect() as connection:
            connection.sendall(request_bytes("PUT", f"/v1/cache/{key}-4", headers={"Content-Length": len(body)}))
            drip(connection, body, per_second=500, piece=50)
            assert ResponseReader(connection).response().status == 201

    def small_and_quick_enough():
        with shared.connect() as connection:
            connection.sendall(request_bytes("PUT", f"/v1/cache/{key}-5", headers={"Content-Length": 10}))
            drip(connection, b"x" * 10, per_second=5)
            assert ResponseReader(connection).response().status == 201

    side_by_side(stalled, dripping, dripping_chunks, fast_enough, small_and_quick_enough)
    for number in (1, 2, 3):
        assert shared.send("GET", f"/v1/cache/{key}-{number}").status == 404


def test_an_idle_connection_is_closed_after_60_seconds_without_a_word(start):
    """And an unfinished command of the other protocols; a silent connection of theirs stays."""
    shared = start("--resp", "127.0.0.1:0", "--memcached", "127.0.0.1:0")

    def idle(requests):
        with shared.connect() as connection:
            connection.settimeout(60 + PATIENCE)
            begun = time.monotonic()
            reader = ResponseReader(connection)
            for _ in range(requests):
                connection.sendall(request_bytes("GET", "/json"))
                assert reader.response().status == 200
            assert reader.at_end()
            assert time.monotonic() - begun >= 59

    def kept_alive_by_requests():
        with shared.connect() as connection:
            reader = ResponseReader(connection)
            for _ in range(3):
                connection.sendall(request_bytes("GET", "/json"))
                assert reader.response().status == 200
                time.sleep(21)  # the clock that is tested begins anew with each request
            connection.sendall(request_bytes("GET", "/json"))
            assert reader.response().status == 200

    def stalled(kind, greeting, answer, part):
        with kind(shared.listeners[kind.__name__.lower()]) as connection:
            connection.socket.settimeout(60 + PATIENCE)
            connection.send(greeting + part)
            assert connection.file.read(len(answer)) == answer
            begun = time.monotonic()
            assert connection.rest() == b""
            assert time.monotonic() - begun >= 59

    with Resp(shared.listeners["resp"]) as resp, Memcached(shared.listeners["memcached"]) as memcached:
        side_by_side(
            lambda: idle(0), lambda: idle(1), lambda: idle(3), kept_alive_by_requests,
            lambda: stalled(Resp, b"PING\r\n", b"+PONG\r\n", b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$100\r\nx"),
            lambda: stalled(Memcached, b"mn\r\n", b"MN\r\n", b"set a 0 0 100\r\nx"),
            lambda: stalled(Memcached, b"mn\r\n", b"MN\r\n", b"set a 0 0 100\r\n"))
        assert resp.ask("get a") == b"$-1\r\n" and memcached.ask(b"get a\r\n") == b"END\r\n"
