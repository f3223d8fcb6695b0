"""Listing keys in pages, deleting by prefix, deleting everything."""

import json
import threading
import urllib.parse

import pytest

from server import ResponseReader, assert_problem, request_bytes

JSON = {"Content-Type": "application/json"}


def fill(server, names):
    """Stores an entry under each percent-encoded name, in one pipeline per thousand."""
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for start in range(0, len(names), 1000):
            some = names[start : start + 1000]
            connection.sendall(b"".join(request_bytes("PUT", f"/v1/cache/{name}", b"x") for name in some))
            for name in some:
                assert reader.response().status in (201, 204), name


def page(server, query=""):
    reply = server.send("GET", "/v1/cache" + (f"?{query}" if query else ""))
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json"
    found = reply.json()
    assert set(found) <= {"keys", "cursor"}
    return found


def pages(server, query=""):
    """All pages, by the cursor until it is absent."""
    found = page(server, query)
    yield found["keys"]
    while "cursor" in found:
        assert isinstance(found["cursor"], str)
        found = page(server, f"{query}&cursor={found['cursor']}" if query else f"cursor={found['cursor']}")
        yield found["keys"]


def listed(server, query=""):
    return [name for keys in pages(server, query) for name in keys]


# Listing


def test_an_empty_cache_lists_nothing_and_no_cursor(server):
    assert page(server) == {"keys": []}


def test_every_key_is_listed_once_in_pages_no_longer_than_the_limit(server):
    names = [f"k{n}" for n in range(2500)]
    fill(server, names)
    for limit in (1000, 100, 7):
        seen = []
        for keys in pages(server, f"limit={limit}"):
            assert len(keys) <= limit
            seen += keys
        assert sorted(seen) == sorted(names)


def test_a_page_holds_100_keys_unless_told_otherwise(server):
    fill(server, [f"k{n}" for n in range(150)])
    found = page(server)
    assert len(found["keys"]) <= 100 and "cursor" in found
    assert sorted(listed(server)) == sorted(f"k{n}" for n in range(150))
    assert sorted(page(server, "limit=1000")["keys"]) == sorted(f"k{n}" for n in range(150))


def test_a_page_of_one_key_at_a_time_comes_to_an_end(server):
    fill(server, [f"k{n}" for n in range(60)])
    assert sorted(listed(server, "limit=1")) == sorted(f"k{n}" for n in range(60))


def test_a_prefix_chooses(server):
    fill(server, ["user:1", "user:2", "used", "u", "%00user", "USER:1", "user%2F3", "%FF%FE1", "%FF2"])

    def chosen(query):
        return sorted(urllib.parse.unquote_to_bytes(name) for name in listed(server, query))

    assert chosen("prefix=user") == [b"user/3", b"user:1", b"user:2"]
    assert chosen("prefix=u") == [b"u", b"used", b"user/3", b"user:1", b"user:2"]
    assert listed(server, "prefix=user%2F") == ["user%2F3"]
    assert chosen("prefix=%FF") == [b"\xff2", b"\xff\xfe1"]
    assert listed(server, "prefix=nothing") == []
    assert chosen("prefix=use&limit=1") == [b"used", b"user/3", b"user:1", b"user:2"]
    assert len(listed(server, "prefix=")) == 9


def test_keys_are_listed_so_that_they_can_be_put_into_the_route_as_they_are(server):
    names = [f"%{byte:02X}" for byte in range(256)] + ["%E2%82%AC", "a%20b%2Fc", "100%25", "%22%5C"]
    fill(server, names)
    found = listed(server, "limit=1000")
    assert len(found) == len(names)
    for name in found:
        assert all(0x21 <= ord(character) <= 0x7E and character not in '/?#"\\' for character in name), name
        assert server.send("GET", f"/v1/cache/{name}").status == 200, name
        assert server.send("DELETE", f"/v1/cache/{name}").status == 204, name
    assert listed(server) == []


def test_expired_and_deleted_keys_are_not_listed(server):
    fill(server, ["stays", "goes"])
    server.send("PUT", "/v1/cache/short?ttl=0.001&stale=1000", b"x")
    server.send("DELETE", "/v1/cache/goes")
    while server.send("GET", "/v1/cache/short").status != 404:
        pass
    assert listed(server) == ["stays"]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=-1", "limit=x", "limit=", "limit=1.5", "limit=99999999999999999999",
                                   "cursor=x", "cursor=-1", "cursor=!!", "cursor=" + "9" * 50])
def test_a_bad_limit_or_cursor_is_400_naming_it(shared, query):
    assert_problem(shared.send("GET", f"/v1/cache?{query}"), 400, query.split("=")[0])


def test_an_unknown_parameter_is_400_naming_it(shared):
    assert_problem(shared.send("GET", "/v1/cache?match=a*"), 400, "match")
    assert_problem(shared.send("DELETE", "/v1/cache?prefx=a"), 400, "prefx")


def test_keys_that_are_there_all_along_are_listed_whatever_others_do_meanwhile(start):
    server = start("--threads", 2)
    lasting = [f"lasting-{n}" for n in range(1500)]
    fill(server, lasting)
    done, failures = threading.Event(), []

    def churn(worker):
        """Adds and removes others without a pause, so that tables grow and shrink under the listing."""
        try:
            with server.connect() as connection:
                reader, round_ = ResponseReader(connection), 0
                while not done.is_set():
                    names = [f"/v1/cache/passing-{worker}-{round_ % 40}-{n}" for n in range(200)]
                    method, body = ("PUT", b"x") if round_ // 40 % 2 == 0 else ("DELETE", None)
                    connection.sendall(b"".join(request_bytes(method, name, body) for name in names))
                    for _ in names:
                        assert reader.response().status in (201, 204, 404)
                    round_ += 1
        except Exception as failure:  # told below, in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=churn, args=(n,)) for n in range(2)]
    for thread in threads:
        thread.start()
    try:
        for limit in (1000, 50, 400):
            seen = listed(server, f"limit={limit}")
            assert set(lasting) <= set(seen)
            assert set(lasting) == set(listed(server, f"limit={limit}&prefix=lasting"))
    finally:
        done.set()
        for thread in threads:
            thread.join()
    assert not failures


# Deleting


def test_deleting_by_prefix_tells_how_many_and_leaves_the_rest(server):
    fill(server, [f"a{n}" for n in range(3000)] + ["b1", "b2", "A1", "%FFx"])
    reply = server.send("DELETE", "/v1/cache?prefix=a")
    assert (reply.status, reply.json()) == (200, {"deleted": 3000})
    assert reply.headers["content-type"] == "application/json"
    assert sorted(listed(server)) == ["%FFx", "A1", "b1", "b2"]
    assert server.send("DELETE", "/v1/cache?prefix=a").json() == {"deleted": 0}
    assert server.send("DELETE", "/v1/cache?prefix=%FF").json() == {"deleted": 1}


def test_others_are_served_while_a_long_deletion_goes_on(start):
    server = start("--threads", 1)
    fill(server, [f"a{n}" for n in range(20_000)])
    with server.connect() as deleting, server.connect() as other:
        reader = ResponseReader(other)
        deleting.sendall(request_bytes("DELETE", "/v1/cache?prefix=a") + request_bytes("GET", "/json"))
        other.sendall(request_bytes("GET", "/healthz") * 100)
        assert all(reader.response().status == 200 for _ in range(100))
        answered = ResponseReader(deleting)
        assert answered.response().json() == {"deleted": 20_000}
        assert answered.response().json() == {"message": "Hello, World!"}  # in order
    assert listed(server) == []


def test_an_empty_prefix_does_not_mean_everything(server):
    fill(server, ["a"])
    assert_problem(server.send("DELETE", "/v1/cache?prefix="), 400, "prefix")
    assert_problem(server.send("DELETE", "/v1/cache?prefix"), 400, "prefix")
    assert listed(server) == ["a"]


def test_deleting_everything_leaves_nothing_and_no_version_comes_back(server):
    fill(server, [f"k{n}" for n in range(2000)])
    version = server.send("GET", "/v1/cache/k1").version
    reply = server.send("DELETE", "/v1/cache")
    assert (reply.status, reply.body) == (204, b"")
    assert listed(server) == []
    assert server.send("GET", "/v1/cache/k1").status == 404
    assert server.send("PUT", "/v1/cache/k1", b"x").version > version
    assert server.send("DELETE", "/v1/cache").status == 204
    assert json.loads(server.send("GET", "/v1/cache").body) == {"keys": []}


def test_versions_do_not_come_back_after_a_restart(start):
    server = start()
    last = max(server.send("PUT", "/v1/cache/a", b"x").version for _ in range(50))
    server.stop()
    assert start().send("PUT", "/v1/cache/a", b"x").version > last
