"""Leases and tags over RESP: who fills, who waits, what ends a lease, and that HTTP sees the same."""

import re
import threading

import pytest

from resp import Resp, request
from server import Server, await_until, reset, shut

TOKEN = re.compile(rb"[0-9a-f]{16}")
NIL = b"$-1\r\n"


@pytest.fixture(scope="module")
def server():
    with Server(resp="127.0.0.1:0", options=["--threads", 2]) as running:
        yield running


@pytest.fixture
def client(connect):
    return connect()


def answer(value=None, token=None, stale=0):
    bulk = lambda item: NIL if item is None else b"$%d\r\n%s\r\n" % (len(item), item)
    return b"*3\r\n" + bulk(value) + bulk(token) + b":%d\r\n" % stale


def token_of(reply):
    value, token = re.fullmatch(rb"\*3\r\n(.*?\r\n)\$16\r\n(.{16})\r\n:[01]\r\n", reply, re.DOTALL).groups()
    assert TOKEN.fullmatch(token)
    return token


def lease(client, key, *more):
    """The lease of a miss."""
    reply = client.ask("martlet.lease", key, 30, *more)
    token = token_of(reply)
    assert reply == answer(None, token)
    return token


def waiting(server):
    return server.get("/v1/stats").json()["martlet_lease_waiters"]


def park(server, client, key, *seconds):
    before = waiting(server)
    client.send(request("martlet.lease", key, *(seconds or (30, "wait", 60))))
    await_until(lambda: waiting(server) > before, "a waiter is parked")
    return client


def test_the_first_to_miss_fills_and_all_read(client, key):
    token = lease(client, key)
    assert client.ask("martlet.lease", key, 30) == answer()
    assert client.ask("exists", key) == b":0\r\n"
    assert client.ask("martlet.fill", key, token, "value") == b"+OK\r\n"
    assert client.ask("martlet.lease", key, 30) == answer(b"value")
    assert client.ask("get", key) == b"$5\r\nvalue\r\n"
    assert client.ask("ttl", key) == b":-1\r\n"
    assert client.ask("martlet.fill", key, token, "again").startswith(b"-LEASELOST ")


def test_options_of_a_fill_are_kept(server, client, key):
    token = lease(client, key)
    assert client.ask("martlet.fill", key, token, "value", "PX", 100_000, "STALE", 50_000, "TAGS", 3, "a", "b", "a") == b"+OK\r\n"
    assert client.ask("ttl", key) in (b":100\r\n", b":99\r\n")
    response = server.get(f"/v1/cache/{key}")
    assert response.headers["Cache-Tag"].replace(" ", "") == "a,b"
    assert "stale-while-revalidate=50" in response.headers["Cache-Control"]


@pytest.mark.parametrize("size", [5, 70_000, 3_000_000])
def test_waiters_get_the_value_on_any_thread(server, connect, client, key, size):
    token = lease(client, key)
    waiters = [park(server, connect(), key) for _ in range(6)]
    value = b"v" * size
    assert client.ask("martlet.fill", key, token, value, "TAGS", 1, "x") == b"+OK\r\n"
    for one in waiters:
        assert one.reply() == answer(value)
        assert one.ask("ping") == b"+PONG\r\n"
    assert client.ask("martlet.lease", key, 30) == answer(value)


def test_a_set_ends_the_lease_and_the_wait(server, connect, client, key):
    token = lease(client, key)
    waiter = park(server, connect(), key)
    assert client.ask("set", key, "other") == b"+OK\r\n"
    assert waiter.reply() == answer(b"other")
    assert client.ask("martlet.fill", key, token, "late").startswith(b"-LEASELOST ")
    assert client.ask("martlet.unlease", key, token) == b":0\r\n"


def test_a_lease_given_up_passes_on(server, connect, client, key):
    token = lease(client, key)
    first, second = park(server, connect(), key), park(server, connect(), key)
    assert client.ask("martlet.unlease", key, token) == b":1\r\n"
    passed = token_of(first.reply())
    assert passed != token
    assert client.ask("martlet.unlease", key, token) == b":0\r\n"
    assert client.ask("martlet.fill", key, passed, "value") == b"+OK\r\n"  # it belongs to its token, not to its connection
    assert second.reply() == answer(b"value")


def test_a_lease_whose_time_is_over_passes_on(connect, client, key):
    old = token_of(client.ask("martlet.lease", key, "0.2"))
    reply = connect().ask("martlet.lease", key, 30, "wait", 60)
    assert reply == answer(None, token_of(reply)) and token_of(reply) != old


def test_who_has_waited_long_enough_is_told_so(client, connect, key):
    lease(client, key)
    assert connect().ask("martlet.lease", key, 30, "wait", "0.1") == answer()


def test_commands_behind_a_wait_run_after_it(server, connect, client, key):
    token = lease(client, key)
    waiter = connect()
    waiter.send(request("set", f"{key}-before", 1) + request("martlet.lease", key, 30, "WAIT", 60) + request("get", key) + b"PI")
    await_until(lambda: waiting(server) > 0, "a waiter is parked")
    assert waiter.reply() == b"+OK\r\n"
    waiter.send(b"NG\r\n")
    assert b" flags=b " in client.ask("client list")
    assert b"blocked_clients:1\r\n" in client.ask("info clients")
    client.ask("martlet.fill", key, token, "value")
    assert [waiter.reply() for _ in range(3)] == [answer(b"value"), b"$5\r\nvalue\r\n", b"+PONG\r\n"]
    assert b"blocked_clients:0\r\n" in client.ask("info clients")


@pytest.mark.parametrize("leave", [reset, shut], ids=["reset", "shut"])
def test_a_waiter_that_leaves_is_forgotten(server, connect, client, key, leave):
    token = lease(client, key)
    gone = park(server, connect(), key)
    gone.file.close()  # which shares the socket
    leave(gone.socket)
    await_until(lambda: waiting(server) == 0, "the waiter is forgotten")
    client.ask("martlet.unlease", key, token)
    lease(client, key)  # it did not go to the one who left


def test_a_filler_that_leaves_has_its_lease_still(connect, client, key):
    gone = connect()
    token = lease(gone, key)
    gone.file.close()
    reset(gone.socket)
    assert client.ask("martlet.lease", key, 30) == answer()
    assert client.ask("martlet.fill", key, token, "value") == b"+OK\r\n"


def test_nobody_waits_within_a_transaction(connect, client, key):
    other = connect()
    client.ask("multi")
    assert client.ask("martlet.lease", key, 30, "wait", 60) == b"+QUEUED\r\n"
    assert client.ask("martlet.lease", key, 30, "wait", 60) == b"+QUEUED\r\n"
    reply = client.ask("exec")
    token = TOKEN.search(reply).group()
    assert reply == b"*2\r\n" + answer(None, token) + answer()
    assert other.ask("martlet.fill", key, token, "value") == b"+OK\r\n"
    client.ask("multi")
    client.ask("martlet.lease", key, 30)
    client.ask("martlet.tag", key, "m")
    client.ask("martlet.invalidate", "hard", "m")
    client.ask("get", key)
    assert client.ask("exec") == b"*4\r\n" + answer(b"value") + b":1\r\n:1\r\n" + NIL


def test_a_herd_has_one_filler(server, connect, client, key):
    herd = [connect() for _ in range(200)]
    for one in herd:
        one.send(request("martlet.lease", key, 30, "wait", 60))
    await_until(lambda: waiting(server) == 199, "all but one wait")
    fillers = []

    def read(one):
        reply = one.reply()
        if TOKEN.search(reply):
            fillers.append(token_of(reply))
            one.ask("martlet.fill", key, fillers[-1], "value", "px", 60_000)
        else:
            assert reply == answer(b"value")
    threads = [threading.Thread(target=read, args=(one,)) for one in herd]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(fillers) == 1


def test_databases_have_leases_of_their_own(client, key):
    lease(client, key)
    client.ask("select 1")
    token = lease(client, key)
    client.ask("select 0")
    assert client.ask("martlet.fill", key, token, "x").startswith(b"-LEASELOST")
    client.ask("select 1")
    assert client.ask("martlet.fill", key, token, "one") == b"+OK\r\n"
    assert client.ask("get", key) == b"$3\r\none\r\n"
    client.ask("select 0")
    assert client.ask("get", key) == NIL


def test_http_and_resp_share_leases(server, connect, client, key):
    token = lease(client, key)
    waiter = park(server, connect(), key)
    response = server.put(f"/v1/cache/{key}", b"by http", headers={"Martlet-Lease": token.decode()})
    assert response.status_code == 201
    assert waiter.reply() == answer(b"by http")


def test_a_softly_invalidated_value_is_stale(connect, client, key):
    token = lease(client, key)
    client.ask("martlet.fill", key, token, "old", "TAGS", 1, f"t-{key}")
    assert client.ask("martlet.invalidate", "SOFT", f"t-{key}") == b":1\r\n"
    assert client.ask("get", key) == NIL
    refresh = client.ask("martlet.lease", key, 30)
    assert refresh == answer(b"old", token_of(refresh), 1)
    assert connect().ask("martlet.lease", key, 30, "wait", 10) == answer(b"old", None, 1)
    assert client.ask("martlet.fill", key, token_of(refresh), "new", "TAGS", 1, f"t-{key}") == b"+OK\r\n"
    assert client.ask("martlet.lease", key, 30) == answer(b"new")


def test_a_large_stale_value_is_served(client, key):
    client.ask("martlet.fill", key, lease(client, key), b"o" * 200_000, "TAGS", 1, f"t-{key}")
    client.ask("martlet.invalidate", "soft", f"t-{key}")
    reply = client.ask("martlet.lease", key, 30)
    assert reply == answer(b"o" * 200_000, token_of(reply), 1)


def test_an_expired_value_is_stale_for_a_while(client, key):
    client.ask("martlet.fill", key, lease(client, key), "old", "PX", 1, "STALE", 100_000)
    await_until(lambda: client.ask("get", key) == NIL, "the value has expired")
    reply = client.ask("martlet.lease", key, 30)
    assert reply == answer(b"old", token_of(reply), 1)


def test_a_fill_older_than_an_invalidation_is_refused(client, key):
    token = lease(client, key)
    client.ask("martlet.invalidate", "hard", f"t-{key}")
    assert client.ask("martlet.fill", key, token, "old", "TAGS", 1, f"t-{key}").startswith(b"-LEASELOST")
    assert client.ask("get", key) == NIL


def test_tags_are_replaced(server, client, key):
    assert client.ask("martlet.tag", key, "a") == b":0\r\n"
    client.ask("set", key, "value", "EX", 100)
    etag = server.get(f"/v1/cache/{key}").headers["ETag"]
    assert client.ask("martlet.tag", key, f"a-{key}", f"b-{key}") == b":1\r\n"
    response = server.get(f"/v1/cache/{key}")
    assert response.headers["ETag"] != etag and response.content == b"value"
    assert response.headers["Cache-Tag"].replace(" ", "") == f"a-{key},b-{key}"
    assert client.ask("ttl", key) in (b":100\r\n", b":99\r\n")
    assert client.ask("martlet.tag", key, f"c-{key}") == b":1\r\n"
    assert client.ask("martlet.invalidate", "HARD", f"a-{key}", f"b-{key}") == b":2\r\n"
    assert client.ask("exists", key) == b":1\r\n"
    assert client.ask("martlet.invalidate", "hard", f"c-{key}") == b":1\r\n"
    assert client.ask("exists", key) == b":0\r\n"
    client.ask("set", key, "x" * 100_000)
    assert client.ask("martlet.tag", key, f"c-{key}") == b":1\r\n"
    assert client.ask("strlen", key) == b":100000\r\n"
    client.ask("martlet.invalidate", "hard", f"c-{key}")
    assert client.ask("exists", key) == b":0\r\n"


BAD = {
    "martlet.lease k": b"-ERR wrong number of arguments for 'martlet.lease' command\r\n",
    "martlet.lease k 0": b"-ERR lease is a number of seconds above 0 and up to 300\r\n",
    "martlet.lease k 301": b"-ERR lease is a number of seconds above 0 and up to 300\r\n",
    "martlet.lease k -1": b"-ERR lease is a number of seconds above 0 and up to 300\r\n",
    "martlet.lease k nan": b"-ERR lease is a number of seconds above 0 and up to 300\r\n",
    "martlet.lease k 1 wait": b"-ERR syntax error\r\n",
    "martlet.lease k 1 weight 1": b"-ERR syntax error\r\n",
    "martlet.lease k 1 wait 61": b"-ERR wait is a number of seconds from 0 to 60\r\n",
    "martlet.lease k 1 wait x": b"-ERR wait is a number of seconds from 0 to 60\r\n",
    "martlet.lease k 1 wait 1 more": b"-ERR syntax error\r\n",
    "martlet.fill k t": b"-ERR wrong number of arguments for 'martlet.fill' command\r\n",
    "martlet.fill k notoken v": b"-LEASELOST the lease is over\r\n",
    "martlet.fill k 0123456789abcdef v": b"-LEASELOST the lease is over\r\n",
    "martlet.fill k 0123456789abcdef v px": b"-ERR syntax error\r\n",
    "martlet.fill k 0123456789abcdef v px 0": b"-ERR invalid expire time in 'martlet.fill' command\r\n",
    "martlet.fill k 0123456789abcdef v px x": b"-ERR value is not an integer or out of range\r\n",
    "martlet.fill k 0123456789abcdef v stale -1": b"-ERR invalid expire time in 'martlet.fill' command\r\n",
    "martlet.fill k 0123456789abcdef v tags 2 a": b"-ERR syntax error\r\n",
    "martlet.fill k 0123456789abcdef v tags -1": b"-ERR syntax error\r\n",
    "martlet.fill k 0123456789abcdef v tags 1 a,b": b"-ERR invalid tag\r\n",
    "martlet.fill k 0123456789abcdef v tags 1 ''": b"-ERR invalid tag\r\n",
    "martlet.fill k 0123456789abcdef v bad 1": b"-ERR syntax error\r\n",
    "martlet.unlease k": b"-ERR wrong number of arguments for 'martlet.unlease' command\r\n",
    "martlet.unlease k x": b":0\r\n",
    "martlet.tag k": b"-ERR wrong number of arguments for 'martlet.tag' command\r\n",
    "martlet.tag k 'a b'": b"-ERR invalid tag\r\n",
    "martlet.tag k " + "t" * 129: b"-ERR invalid tag\r\n",
    "martlet.tag k " + " ".join(f"t{n}" for n in range(33)): b"-ERR invalid tag\r\n",
    "martlet.invalidate hard": b"-ERR wrong number of arguments for 'martlet.invalidate' command\r\n",
    "martlet.invalidate easy a": b"-ERR syntax error\r\n",
    "martlet.invalidate hard a,b": b"-ERR invalid tag\r\n",
    "martlet.invalidate hard " + " ".join(f"t{n}" for n in range(1025)): b"-ERR more than 1024 tags\r\n",
}


@pytest.mark.parametrize("command", BAD, ids=lambda command: command[:50])
def test_what_is_wrong_is_said(client, command):
    assert client.ask(command) == BAD[command]


def test_in_resp3_nothing_is_null(client, key):
    client.ask("hello 3")
    assert client.ask("martlet.lease", key, 30).startswith(b"*3\r\n_\r\n$16\r\n")
    assert client.ask("martlet.lease", key, 30) == b"*3\r\n_\r\n_\r\n:0\r\n"


def test_a_reply_that_nobody_wants_is_not_written(server, connect, client, key):
    token = lease(client, key)
    mute = connect()
    mute.send(request("client", "reply", "skip") + request("martlet.lease", key, 30, "wait", 60) + request("ping"))
    await_until(lambda: waiting(server) > 0, "a waiter is parked")
    client.ask("martlet.fill", key, token, "value")
    assert mute.reply() == b"+PONG\r\n"


def test_draining_answers_who_waits(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two:
        lease(one, "k")
        park(server, two, "k")
        server.stop()
        assert two.rest() == answer()
