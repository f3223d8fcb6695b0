"""Leases over HTTP: who fills, who waits, who is served stale, and what ends a lease; the filler and the waiters dying at each step."""

import concurrent.futures
import re
import signal
import time

import pytest

from server import ResponseReader, await_until, request_bytes, reset, shut
from test_metrics import Metrics

TOKEN = re.compile(r"[0-9a-f]{16}")


def at(key, query=""):
    return f"/v1/cache/{key}{query}"


def ask(server, key, query="?lease=30", **options):
    return server.send("GET", at(key, query), **options)


def lease(server, key, query="?lease=30"):
    """The lease of a miss."""
    reply = ask(server, key, query)
    assert reply.status == 404, reply
    assert TOKEN.fullmatch(reply.headers["martlet-lease"])
    assert "retry-after" not in reply.headers
    return reply.headers["martlet-lease"]


def fill(server, key, token, body=b"filled", query="", **headers):
    return server.send("PUT", at(key, query), body, {"Martlet-Lease": token, **headers})


def give_up(server, key, token, query=""):
    return server.send("DELETE", at(key, query), headers={"Martlet-Lease": token})


class Waiter:
    """A GET that waits; certainly parked when this has returned."""

    def __init__(self, server, key, query="?lease=30&wait=60", headers=None):
        before = waiting(server)
        self.connection = server.connect()
        self.connection.sendall(request_bytes("GET", at(key, query), headers=headers))
        self.reader = ResponseReader(self.connection)
        await_until(lambda: waiting(server) > before, "a waiter is parked")

    def reply(self):
        return self.reader.response()

    def close(self):
        self.connection.close()


def waiting(server):
    return server.get("/v1/stats").json()["martlet_lease_waiters"]


def refused(reply, status, *words):
    assert reply.status == status, reply
    assert reply.headers["content-type"] == "application/problem+json"
    for word in words:
        assert word in reply.json()["detail"]


# Who gets the lease


def test_a_miss_gives_a_lease_that_fills_once(shared, key):
    token = lease(shared, key)
    reply = fill(shared, key, token, b'{"a":1}', "?ttl=60&tags=red", **{"Content-Type": "application/json"})
    assert reply.status == 201
    assert reply.version
    refused(fill(shared, key, token, b"late"), 409)
    hit = ask(shared, key)
    assert (hit.status, hit.body) == (200, b'{"a":1}')
    assert hit.headers["content-type"] == "application/json"
    assert hit.headers["cache-tag"] == "red"
    assert "martlet-lease" not in hit.headers


def test_a_miss_while_another_fills_is_told_to_ask_again(shared, key):
    token = lease(shared, key)
    reply = ask(shared, key)
    refused(reply, 404)
    assert reply.headers["retry-after"] == "1"
    assert "martlet-lease" not in reply.headers
    assert fill(shared, key, token).status == 201


def test_a_plain_get_sees_neither_lease_nor_placeholder(shared, key):
    lease(shared, key)
    reply = shared.send("GET", at(key))
    refused(reply, 404)
    assert "martlet-lease" not in reply.headers
    assert key not in shared.get("/v1/cache?limit=1000").json()["keys"]


@pytest.mark.parametrize(
    "query",
    ["?lease=0", "?lease=300.1", "?lease=-1", "?lease=", "?lease=1e2", "?lease=a", "?lease=5&wait=60.1", "?lease=5&wait=-1", "?lease=5&wait=",
     "?wait=5", "?early=1", "?lease=5&early=101", "?lease=5&early=x", "?lease=5&leese=5", "?lease=0.0000"])
def test_a_malformed_lease_or_wait_is_refused(shared, key, query):
    refused(ask(shared, key, query), 400)


@pytest.mark.parametrize("query", ["?lease=300", "?lease=0.001", "?lease=5&wait=0", "?lease=2.5&wait=0.5", "?wait=60&lease=1", "?lease=5&early=1.5"])
def test_bounds_and_fractions_are_allowed(shared, key, query):
    assert "martlet-lease" in ask(shared, key, query).headers


# What ends it


@pytest.mark.parametrize("change", ["put", "delete", "batch", "prefix"])
def test_a_change_of_the_value_ends_the_lease(shared, key, change):
    token = lease(shared, key)
    if change == "put":
        assert shared.put(at(key), b"other").status_code == 201
    elif change == "delete":
        assert shared.delete(at(key)).status_code == 404
    elif change == "batch":
        shared.post("/v1/batch", b'[{"op":"put","key":"%s","value":1}]' % key.encode(), headers={"Content-Type": "application/json"})
    else:
        assert shared.delete(f"/v1/cache?prefix={key}").status_code == 200
    refused(fill(shared, key, token), 409, "over")
    refused(give_up(shared, key, token), 409)


def test_a_flush_ends_every_lease(server):
    token = lease(server, "a")
    assert server.delete("/v1/cache").status_code == 204
    refused(fill(server, "a", token), 409)


def test_a_lease_ends_by_its_time(shared, key):
    token = lease(shared, key, "?lease=0.05")
    await_until(lambda: "martlet-lease" in ask(shared, key).headers, "the next lease")
    refused(fill(shared, key, token), 409)


def test_a_fill_is_refused_whose_tag_was_invalidated_since(shared, key):
    for query in ["", "?soft=true"]:
        token = lease(shared, key)
        assert shared.delete(f"/v1/tags/tag-{key}{query}").status_code == 204
        refused(fill(shared, key, token, query=f"?tags=tag-{key}"), 409)
    token = lease(shared, key)
    assert fill(shared, key, token, query=f"?tags=tag-{key}").status == 201


def test_a_fill_that_is_refused_for_itself_leaves_the_lease(shared, key):
    token = lease(shared, key)
    refused(fill(shared, key, token, b"{", **{"Content-Type": "application/json"}), 400)
    refused(fill(shared, key, token, query="?ttl=0"), 400)
    refused(fill(shared, key, token, **{"If-Match": "*"}), 412)
    assert fill(shared, key, token).status == 201


def test_a_lease_is_given_up_once_and_the_value_stays(shared, key):
    assert shared.put(at(key, "?ttl=0.001&stale=600"), b"old").status_code == 201
    first = await_until(lambda: ask(shared, key).headers.get("martlet-lease"), "a stale value")
    assert give_up(shared, key, first).status == 204
    refused(give_up(shared, key, first), 409)
    again = ask(shared, key)
    assert (again.status, again.body) == (200, b"old")
    assert again.headers["martlet-lease"] != first


@pytest.mark.parametrize("query, headers", [("?tags=a", {}), ("?ttl=0", {}), ("?ttl=5&stale=5", {}), ("?soft=true", {}), ("", {"If-Match": "*"})])
def test_giving_up_refuses_what_makes_no_sense(shared, key, query, headers):
    token = lease(shared, key)
    refused(shared.send("DELETE", at(key, query), headers={"Martlet-Lease": token, **headers}), 400)
    assert fill(shared, key, token).status == 201


# Waiting


def test_waiters_get_the_fill_with_all_its_fields(shared, key):
    token = lease(shared, key)
    waiters = [Waiter(shared, key) for _ in range(3)]
    filled = fill(shared, key, token, b'{"name":"Ada"}', "?ttl=600&stale=60&tags=red,blue", **{"Content-Type": "application/json"})
    for waiter in waiters:
        reply = waiter.reply()
        assert (reply.status, reply.body) == (200, b'{"name":"Ada"}')
        assert reply.version == filled.version
        assert reply.headers["content-type"] == "application/json"
        assert reply.headers["cache-tag"] == "red,blue"
        assert "stale-while-revalidate=60" in reply.headers["cache-control"]
        assert "martlet-lease" not in reply.headers
        waiter.close()


def test_a_large_value_reaches_its_waiters(shared, key):
    token = lease(shared, key)
    waiters = [Waiter(shared, key) for _ in range(2)]
    body = bytes(range(256)) * 8192
    assert fill(shared, key, token, body).status == 201
    for waiter in waiters:
        assert waiter.reply().body == body
        waiter.close()


def test_a_waiter_may_want_a_part_or_have_the_value_already(shared, key):
    token = lease(shared, key)
    part, missing = Waiter(shared, key, "?lease=30&wait=60&pointer=/a/1"), Waiter(shared, key, "?lease=30&wait=60&pointer=/b")
    head = Waiter(shared, key, headers={"If-None-Match": "*"})
    assert fill(shared, key, token, b'{"a":[1, 22 ]}', **{"Content-Type": "application/json"}).status == 201
    assert part.reply().body == b"22"
    refused(missing.reply(), 404, "part")
    assert head.reply().status == 304
    for waiter in (part, missing, head):
        waiter.close()


def test_a_hit_with_a_lease_knows_parts_and_conditions_too(shared, key):
    version = shared.send("PUT", at(key), b'{"a":1}', {"Content-Type": "application/json"}).version
    assert ask(shared, key, "?lease=5&pointer=/a").body == b"1"
    assert ask(shared, key, headers={"If-None-Match": f'"{version}"'}).status == 304
    refused(ask(shared, key, headers={"If-Match": '"1"'}), 412)


def test_a_put_of_somebody_else_answers_the_waiters(shared, key):
    token = lease(shared, key)
    waiter = Waiter(shared, key)
    assert shared.put(at(key), b"other").status_code == 201
    assert waiter.reply().body == b"other"
    refused(fill(shared, key, token), 409)
    waiter.close()


@pytest.mark.parametrize("end", ["given up", "deleted", "out of time"])
def test_the_lease_passes_to_the_first_waiter_and_the_others_wait_on(shared, key, end):
    token = lease(shared, key, "?lease=1.5" if end == "out of time" else "?lease=60")
    first, second = Waiter(shared, key), Waiter(shared, key)
    if end == "given up":
        assert give_up(shared, key, token).status == 204
    elif end == "deleted":
        assert shared.delete(at(key)).status_code == 404
    handed = first.reply()
    refused(handed, 404)
    assert handed.headers["martlet-lease"] != token
    refused(fill(shared, key, token, b"old"), 409)
    assert fill(shared, key, handed.headers["martlet-lease"], b"new").status == 201
    assert second.reply().body == b"new"
    first.close()
    second.close()


def test_a_waiter_whose_time_is_over_is_told_to_ask_again(shared, key):
    lease(shared, key)
    begun = time.monotonic()
    reply = ask(shared, key, "?lease=30&wait=0.2")
    refused(reply, 404)
    assert reply.headers["retry-after"] == "1"
    assert time.monotonic() - begun >= 0.19


def test_requests_behind_a_waiting_one_are_answered_after_it(shared, key):
    token = lease(shared, key)
    with shared.connect() as connection:
        connection.sendall(request_bytes("GET", at(key, "?lease=30&wait=60")) + request_bytes("GET", "/healthz"))
        await_until(lambda: waiting(shared) > 0, "a waiter")
        assert fill(shared, key, token).status == 201
        reader = ResponseReader(connection)
        assert reader.response().body == b"filled"
        assert reader.response().json() == {"status": "ok"}


# Deaths


@pytest.mark.parametrize("way", ["close", "reset", "half-close"])
def test_a_waiter_that_disconnects_is_forgotten_and_gets_no_lease(shared, key, way):
    token = lease(shared, key)
    gone, next_one = Waiter(shared, key), Waiter(shared, key)
    {"close": gone.close, "reset": lambda: reset(gone.connection), "half-close": lambda: shut(gone.connection)}[way]()
    await_until(lambda: waiting(shared) == 1, "one waiter is forgotten")
    assert give_up(shared, key, token).status == 204
    handed = next_one.reply()
    assert fill(shared, key, handed.headers["martlet-lease"]).status == 201
    next_one.close()
    gone.close()


@pytest.mark.parametrize("step", ["before its fill", "in its head", "in its body", "after its body"])
def test_a_filler_reset_at_any_step_leaves_a_lease_that_passes_on_in_time(shared, key, step):
    token = lease(shared, key, "?lease=1.5")
    waiter = Waiter(shared, key)
    request = request_bytes("PUT", at(key), b"x" * 1000, {"Martlet-Lease": token})
    length = {"before its fill": 0, "in its head": 30, "in its body": len(request) - 500, "after its body": len(request)}[step]
    connection = shared.connect()
    connection.sendall(request[:length])
    if step == "after its body":
        ResponseReader(connection).response()
    reset(connection)
    reply = waiter.reply()
    if step == "after its body":
        assert reply.body == b"x" * 1000
    else:
        assert fill(shared, key, reply.headers["martlet-lease"], b"new").status == 201
        assert shared.get(at(key)).content == b"new"
    waiter.close()


@pytest.mark.parametrize("threads", [1, 2])
def test_at_the_end_waiters_are_answered_503(start, threads):
    server = start("--threads", threads, "--drain", 300)
    lease(server, "a")
    waiters = [Waiter(server, "a") for _ in range(4)]
    server.signal(signal.SIGTERM)
    for waiter in waiters:
        reply = waiter.reply()
        refused(reply, 503)
        assert reply.headers["connection"].lower() == "close"
        assert waiter.reader.at_end()
    assert server.wait() == 0


# Stale values


def test_of_a_stale_value_the_first_gets_a_lease_and_the_others_the_value(shared, key):
    assert shared.put(at(key, "?ttl=0.001&stale=600"), b"old").status_code == 201
    token = await_until(lambda: ask(shared, key, "?lease=60&wait=60").headers.get("martlet-lease"), "the value is stale")
    for _ in range(3):
        other = ask(shared, key, "?lease=60&wait=60")
        assert (other.status, other.body) == (200, b"old")
        assert "martlet-lease" not in other.headers
    refused(shared.send("GET", at(key)), 404)
    assert fill(shared, key, token, b"new").status == 201
    assert shared.get(at(key)).content == b"new"


def test_a_value_close_to_its_expiry_is_refreshed_early_by_one_reader(shared, key):
    token = lease(shared, key)
    time.sleep(0.05)  # what the origin costs
    assert fill(shared, key, token, query="?ttl=100").status == 201
    assert "martlet-lease" not in ask(shared, key, "?lease=5").headers
    replies = [ask(shared, key, "?lease=60&early=100") for _ in range(200)]
    assert all(reply.status == 200 for reply in replies)
    assert sum("martlet-lease" in reply.headers for reply in replies) <= 1


# Known absence


def test_a_filler_may_say_that_there_is_nothing(shared, key):
    token = lease(shared, key)
    waiter = Waiter(shared, key)
    assert give_up(shared, key, token, f"?ttl=600&tags=tag-{key}").status == 204
    for reply in (waiter.reply(), ask(shared, key), ask(shared, key, "?lease=5&wait=60")):
        refused(reply, 404)
        assert 590 < int(reply.headers["cache-control"].removeprefix("max-age=")) <= 600
        assert "martlet-lease" not in reply.headers and "retry-after" not in reply.headers
    assert shared.delete(f"/v1/tags/tag-{key}").status_code == 204
    lease(shared, key)
    waiter.close()


def test_a_known_absence_ends_in_time_and_by_a_put(shared, key):
    assert give_up(shared, key, lease(shared, key), "?ttl=0.05").status == 204
    token = await_until(lambda: ask(shared, key).headers.get("martlet-lease"), "the absence is over")
    assert give_up(shared, key, token, "?ttl=600").status == 204
    assert shared.put(at(key), b"it came").status_code == 201
    assert ask(shared, key).body == b"it came"


# Jitter


def test_jitter_shortens_the_ttl_at_random(shared, key):
    ages = set()
    for _ in range(20):
        shared.put(at(key, "?ttl=1000&jitter=500"), b"x")
        ages.add(int(shared.get(at(key)).headers["cache-control"].removeprefix("max-age=")))
    assert len(ages) > 5
    assert 500 <= min(ages) and max(ages) <= 1000
    for query in ["?jitter=5", "?ttl=5&jitter=5", "?ttl=5&jitter=0", "?ttl=5&jitter=x"]:
        assert shared.put(at(key, query), b"x").status_code == 400


# Numbers


def test_the_herd_is_counted(server):
    token = lease(server, "a")
    waiters = [Waiter(server, "a") for _ in range(5)]
    assert fill(server, "a", token).status == 201
    for waiter in waiters:
        assert waiter.reply().status == 200
        waiter.close()
    give_up(server, "b", lease(server, "b"))
    figures = Metrics(server)
    assert figures.get("martlet_leases_total", outcome="filled") == 1
    assert figures.get("martlet_leases_total", outcome="given_up") == 1
    assert figures.get("martlet_lease_waiters_total", outcome="filled") == 5
    assert figures.get("martlet_herd_saved_total") == 5
    stats = server.get("/v1/stats").json()
    assert stats["martlet_herd_saved_total"] == 5
    assert stats["martlet_leases"] == 0
    assert stats["martlet_leases_total"]["filled"] == 1


def test_hot_keys_are_shown(server):
    server.put("/v1/cache/hot%2Fkey", b"x")
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for _ in range(30):
            connection.sendall(request_bytes("GET", "/v1/cache/hot%2Fkey") * 100)
            for _ in range(100):
                assert reader.response().status == 200
    hot = server.get("/v1/stats").json()["martlet_hot_keys"]
    assert hot[0]["key"] == "hot%2Fkey"
    assert 1000 < hot[0]["reads"] < 10_000


# Herds


@pytest.mark.parametrize("threads", [1, 2])
def test_a_herd_costs_one_fill(start, threads):
    """300 readers at once, an origin that takes its time: one of them fills, all get the value."""
    server = start("--threads", threads)
    fills = []

    def read(_):
        reply = ask(server, "herd", "?lease=60&wait=60")
        if "martlet-lease" not in reply.headers:
            return reply
        await_until(lambda: waiting(server) == 299, "all others wait")
        fills.append(fill(server, "herd", reply.headers["martlet-lease"], b"value"))
        return None

    with concurrent.futures.ThreadPoolExecutor(300) as pool:
        replies = [reply for reply in pool.map(read, range(300)) if reply]
    assert [reply.status for reply in fills] == [201]
    assert len(replies) == 299
    assert all((reply.status, reply.body) == (200, b"value") for reply in replies)
    assert Metrics(server).get("martlet_herd_saved_total") == 299
