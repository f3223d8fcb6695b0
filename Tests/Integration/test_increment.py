"""`POST /v1/cache/{key}/increment`: exact 64-bit integers, over real sockets and from many at once."""

import json
import threading

import pytest

from server import ResponseReader, assert_problem, await_until, request_bytes

JSON = {"Content-Type": "application/json"}
MOST, LEAST = 2**63 - 1, -(2**63)


def at(key):
    return f"/v1/cache/{key}"


def increment(server, key, body=b"{}", headers=JSON):
    body = body if isinstance(body, bytes) or body is None else json.dumps(body).encode()
    return server.send("POST", at(key) + "/increment", body, headers)


def value(response):
    assert response.status == 200, response
    assert response.headers["content-type"] == "application/json"
    assert set(response.json()) == {"value"}
    assert response.version > 0
    return response.json()["value"]


def test_an_absent_key_begins_at_initial_plus_by(shared, key):
    assert value(increment(shared, key)) == 1
    assert value(increment(shared, key + "b", {"by": 5, "initial": 100})) == 105
    assert value(increment(shared, key + "c", {"initial": -7})) == -6


def test_an_existing_integer_is_incremented_and_the_initial_value_ignored(shared, key):
    assert [value(increment(shared, key, {"by": by, "initial": 1000})) for by in (1, 10, -2000, 0)] == [1001, 1011, -989, -989]
    got = shared.send("GET", at(key))
    assert got.json() == -989


def test_an_increment_gives_the_version_that_a_get_shows(shared, key):
    first, second = increment(shared, key), increment(shared, key)
    assert first.version != second.version
    assert shared.send("GET", at(key)).version == second.version


@pytest.mark.parametrize("text", [b"41", b"-41", b"0", str(MOST - 1).encode(), str(LEAST).encode()])
def test_an_integer_that_was_put_can_be_incremented(shared, key, text):
    shared.send("PUT", at(key), text, JSON)
    assert value(increment(shared, key)) == int(text) + 1


def test_numbers_are_exact_to_the_ends_of_64_bits(shared, key):
    assert value(increment(shared, key, {"initial": MOST - 1})) == MOST
    assert_problem(increment(shared, key), 409)
    assert shared.send("GET", at(key)).json() == MOST
    assert value(increment(shared, key, {"by": LEAST})) == -1
    assert value(increment(shared, key, {"by": MOST})) == MOST - 1
    assert value(increment(shared, key + "low", {"initial": LEAST, "by": 0})) == LEAST
    assert_problem(increment(shared, key + "low", {"by": -1}), 409)
    assert_problem(increment(shared, key + "new", {"initial": MOST}), 409)
    assert shared.send("GET", at(key + "new")).status == 404


@pytest.mark.parametrize("text", [b"", b"x", b"1.5", b"1.0", b"1e2", b'"1"', b"[1]", b"null", b"9223372036854775808", b"-9223372036854775809", b"1 2", b"\xff", b"0x1", b"--1"])
def test_what_is_no_64_bit_integer_is_409_and_stays(shared, key, text):
    shared.send("PUT", at(key), text)
    assert_problem(increment(shared, key), 409)
    assert shared.send("GET", at(key)).body == text


def test_the_ttl_counts_for_a_new_entry_only(shared, key):
    increment(shared, key, {"ttl": 1000})
    assert shared.send("GET", at(key)).headers["cache-control"] in ("max-age=1000", "max-age=999")
    increment(shared, key, {"ttl": 5})
    assert shared.send("GET", at(key)).headers["cache-control"] in ("max-age=1000", "max-age=999")
    increment(shared, key + "b")
    increment(shared, key + "b", {"ttl": 5})
    assert shared.send("GET", at(key + "b")).headers["cache-control"] == "no-cache"


def test_after_its_ttl_a_counter_begins_anew(shared, key):
    assert value(increment(shared, key, {"ttl": 0.2, "by": 10})) == 10
    await_until(lambda: value(increment(shared, key, {"by": 0, "initial": 500, "ttl": 1000})) == 500, "a new counter")


def test_an_increment_keeps_type_tags_and_expiry(shared, key):
    shared.send("PUT", at(key) + "?ttl=1000&tags=red", b"1", {"Content-Type": "application/vnd.count+json"})
    assert value(increment(shared, key)) == 2
    got = shared.send("GET", at(key))
    assert got.headers["content-type"] == "application/vnd.count+json"
    assert got.headers["cache-tag"] == "red"
    assert got.headers["cache-control"].startswith("max-age=")


@pytest.mark.parametrize("body", [{"by": 1.5}, {"by": "1"}, {"by": None}, {"initial": 0.1}, {"initial": []}, {"by": MOST + 1}, {"by": LEAST - 1},
                                  {"ttl": 0}, {"ttl": -1}, {"ttl": 1e9 + 1}, {"ttl": "60"}, {"bye": 1}, [], 1, "x", None], ids=str)
def test_arguments_of_another_kind_are_400_and_nothing_is_stored(shared, key, body):
    assert_problem(increment(shared, key, json.dumps(body).encode()), 400)
    assert shared.send("GET", at(key)).status == 404


@pytest.mark.parametrize("body, offset", [(b"{", 1), (b'{"by":}', 6), (b'{"by":1}}', 8), (b"{'by':1}", 1)])
def test_malformed_arguments_are_400_with_the_offset(shared, key, body, offset):
    assert_problem(increment(shared, key, body), 400, offset=offset)


def test_increments_from_many_at_once_are_all_counted(start, key):
    server = start("--threads", 2)

    def count():
        with server.connect() as connection:
            reader = ResponseReader(connection)
            for _ in range(10):
                connection.sendall(request_bytes("POST", at(key) + "/increment", b"{}", JSON) * 20)
                seen = [reader.response().json()["value"] for _ in range(20)]
                assert seen == sorted(seen)

    threads = [threading.Thread(target=count) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert server.send("GET", at(key)).json() == 8 * 10 * 20


def test_a_key_named_increment_and_a_key_with_a_slash_are_no_trouble(shared, key):
    assert value(increment(shared, "increment")) >= 1
    assert value(increment(shared, f"{key}%2Fincrement")) == 1
    assert shared.send("GET", at(f"{key}%2Fincrement")).json() == 1
    assert shared.send("GET", at(key)).status == 404
