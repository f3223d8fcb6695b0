"""Large values and large replies over RESP: nothing is copied whole, everything is bounded, and the stream stays in step."""

import threading

import pytest

from resp import Resp, request
from server import Server

MEGABYTE = 1 << 20


@pytest.fixture(scope="module")
def server():
    with Server(resp="127.0.0.1:0", options=["--threads", 2, "--memory", "512MiB"]) as running:
        yield running


@pytest.fixture
def client(connect):
    return connect()


def pattern(count, seed=7):
    return bytes((n * seed + (n >> 8)) & 255 for n in range(4096)) * (count // 4096) + b"x" * (count % 4096)


def bulk(data):
    return b"$%d\r\n%s\r\n" % (len(data), data)


SIZES = [65_535, 65_536, MEGABYTE - 7, 2 * MEGABYTE + 3]


@pytest.mark.parametrize("size", SIZES)
def test_every_command_that_brings_a_value_takes_a_large_one(client, key, size):
    value, other = pattern(size), pattern(size, 11)
    assert client.ask("set", key, value, "ex", 100) == b"+OK\r\n"
    assert client.ask("get", key) == bulk(value)
    assert client.ask("ttl", key) != b":-1\r\n"
    assert client.ask("set", key, other, "nx") == b"$-1\r\n"
    assert client.ask("set", key, other, "xx", "get") == bulk(value)
    assert client.ask("getset", key, value) == bulk(other)
    assert client.ask("setnx", key, other) == b":0\r\n"
    assert client.ask("setex", key, 100, other) == b"+OK\r\n"
    assert client.ask("psetex", key, 100_000, value) == b"+OK\r\n"
    assert client.ask("mset", f"{key}-1", value, f"{key}-2", "small", f"{key}-3", other) == b"+OK\r\n"
    assert client.ask("msetnx", f"{key}-1", other, f"{key}-4", value) == b":0\r\n"
    assert client.ask("mget", f"{key}-1", f"{key}-2", f"{key}-3", f"{key}-4", key) == b"*5\r\n" + bulk(value) + bulk(b"small") + bulk(other) + b"$-1\r\n" + bulk(value)
    dump = client.ask("dump", f"{key}-3")
    assert client.ask("restore", key, 50_000, dump[dump.index(b"\n") + 1:-2], "replace") == b"+OK\r\n"
    assert client.ask("get", key) == bulk(other)
    assert int(client.ask("ttl", key)[1:]) in range(1, 51)
    assert client.ask("getdel", key) == bulk(other)
    client.ask("del", *(f"{key}-{n}" for n in range(5)))


def test_parts_of_a_large_value_are_changed(client, key):
    expected = bytearray(pattern(2 * MEGABYTE))
    client.ask("set", key, bytes(expected), "ex", 1000)
    for turn in range(10):
        expected += b"%05d" % turn
        assert client.ask("append", key, "%05d" % turn) == b":%d\r\n" % len(expected)
        offset = turn * 100_003
        expected[offset:offset + 4] = b"HERE"
        assert client.ask("setrange", key, offset, "HERE") == b":%d\r\n" % len(expected)
        bit = expected[offset + 9] >> 5 & 1
        assert client.ask("setbit", key, (offset + 9) * 8 + 2, 1 - bit) == b":%d\r\n" % bit
        expected[offset + 9] ^= 1 << 5
    expected += bytes(50_000) + b"far"
    assert client.ask("setrange", key, len(expected) - 3, "far") == b":%d\r\n" % len(expected)
    assert client.ask("copy", key, f"{key}-copy") == b":1\r\n"
    assert client.ask("setrange", key, 0, "changed") == b":%d\r\n" % len(expected)
    assert client.ask("get", f"{key}-copy") == bulk(bytes(expected))
    expected[:7] = b"changed"
    assert client.ask("rename", key, f"{key}-new") == b"+OK\r\n"
    assert client.ask("get", f"{key}-new") == bulk(bytes(expected))
    assert client.ask("exists", key) == b":0\r\n"
    assert client.ask("ttl", f"{key}-new") != b":-1\r\n"


def test_bit_fields_of_a_large_value_are_changed_where_they_lie(client, key):
    client.ask("set", key, bytes(100_000))
    command = ["set", "u8", 400, 255, "incrby", "i16", "#20000", 7, "get", "u4", 404, "overflow", "fail", "incrby", "u8", 400, 1]
    assert client.ask("bitfield", key, *command) == b"*4\r\n:0\r\n:7\r\n:15\r\n$-1\r\n"
    value = bytearray(100_000)
    value[50], value[40_001] = 255, 7
    assert client.ask("get", key) == bulk(bytes(value))
    assert client.ask("bitfield", key, "set", "u8", "#100000", 1, "set", "u8", 0, 2) == b"*2\r\n:0\r\n:0\r\n"
    value[0] = 2
    assert client.ask("get", key) == bulk(bytes(value) + b"\1")


def test_in_a_transaction_too(client, key):
    value, other = pattern(2 * MEGABYTE), pattern(3 * MEGABYTE)
    client.ask("set", key, "old")
    client.send(b"".join([
        request("multi"), request("set", key, other, "nx"), request("set", key, value), request("get", key), request("append", key, "!"), request("strlen", key),
        request("mset", f"{key}-1", other, key, other), request("mget", key, f"{key}-1"), request("exec")]))
    assert [client.reply() for _ in range(8)] == [b"+OK\r\n"] + [b"+QUEUED\r\n"] * 7
    assert client.reply() == (
        b"*7\r\n$-1\r\n+OK\r\n" + bulk(value) + b":%d\r\n:%d\r\n+OK\r\n" % ((len(value) + 1,) * 2) + b"*2\r\n" + bulk(other) * 2)


def test_replies_flow_in_pieces_and_in_order(connect, client, key):
    """Twenty large values asked for at once, and small things between them: the server holds about one portion for a client that does
    not read."""
    value = pattern(4 * MEGABYTE)
    client.ask("set", key, value)
    client.ask("set", f"{key}-s", "small")
    slow = connect()
    slow.send(b"".join(request("get", key) + request("ping") + request("mget", f"{key}-s", key, f"{key}-s") for _ in range(10)))
    before = resident(client)
    assert client.ask("ping") == b"+PONG\r\n"
    assert resident(client) - before < 40 * MEGABYTE
    for _ in range(10):
        assert slow.reply() == bulk(value)
        assert slow.reply() == b"+PONG\r\n"
        assert slow.reply() == b"*3\r\n" + bulk(b"small") + bulk(value) + bulk(b"small")


def resident(client):
    reply = client.ask("info memory").decode()
    return int(reply.split("used_memory_rss:")[1].split("\r\n")[0])


def test_a_value_is_told_as_it_was_when_asked_for(connect, client, key):
    value, other = pattern(8 * MEGABYTE), pattern(8 * MEGABYTE, 13)
    client.ask("set", key, value)
    slow = connect()
    slow.send(request("get", key) + request("get", key))
    assert slow.file.readline() == b"$%d\r\n" % len(value)  # under way
    client.ask("set", key, other)
    client.ask("setrange", key, 100, "changed")
    assert slow.file.read(len(value) + 2) == value + b"\r\n"
    changed = other[:100] + b"changed" + other[107:]
    assert slow.reply() in (bulk(value), bulk(other), bulk(changed))
    assert client.ask("get", key) == bulk(changed)


def test_replies_that_nobody_wants_are_dropped_whole(client, key):
    client.ask("set", key, pattern(3 * MEGABYTE))
    client.send(request("client", "reply", "skip") + request("get", key) + request("ping"))
    assert client.reply() == b"+PONG\r\n"
    client.send(request("client", "reply", "off") + request("mget", key, key) + request("client", "reply", "on") + request("ping"))
    assert [client.reply(), client.reply()] == [b"+OK\r\n", b"+PONG\r\n"]


def test_a_subscriber_has_no_message_in_the_midst_of_a_reply(connect, client, key):
    value = pattern(6 * MEGABYTE)
    client.ask("set", key, value)
    both = connect()
    both.ask("hello 3")
    both.ask("subscribe", key)
    both.send(request("get", key))
    for _ in range(5):
        client.ask("publish", key, "hello")
    replies = [both.reply() for _ in range(6)]
    assert sorted(replies) == sorted([bulk(value)] + [b">3\r\n$7\r\nmessage\r\n" + bulk(key.encode()) + bulk(b"hello")] * 5)


def test_a_subscriber_has_replies_in_portions_too(connect, client, key):
    value = pattern(4 * MEGABYTE)
    client.ask("set", key, value)
    both = connect()
    both.ask("hello 3")
    both.ask("subscribe", key)
    before = resident(client)
    both.send(request("mget", *[key] * 50) + request("ping"))
    for number in range(20):
        client.ask("publish", key, f"message {number}")
    assert resident(client) - before < 40 * MEGABYTE
    replies = [both.reply() for _ in range(22)]
    messages = [reply for reply in replies if reply.startswith(b">")]
    assert messages == [b">3\r\n$7\r\nmessage\r\n" + bulk(key.encode()) + bulk(b"message %d" % number) for number in range(20)]
    assert [reply for reply in replies if not reply.startswith(b">")] == [b"*50\r\n" + bulk(value) * 50, b"+PONG\r\n"]


@pytest.mark.parametrize("words", [
    ["get", "K"], ["set", "K", "v"], ["append", "K", "v"], ["mset", "a-key", "v", "K", "v"], ["mget", "a-key", "K"], ["del", "K"], ["incr", "K"], ["rename", "a-key", "K"], ["copy", "a-key", "K"], ["bitop", "not", "K", "a-key"],
    ["martlet.lease", "K", "10"], ["json.set", "K", "$", "1"], ["setrange", "K", "0", "x"], ["restore", "K", "0", "x"], ["expire", "K", "10"], ["watch", "K"],
], ids=lambda words: words[0])
def test_a_key_that_is_too_long_is_refused_and_the_stream_stays_in_step(client, words):
    client.ask("del a-key")
    assert client.ask(*("k" * 65_537 if word == "K" else word for word in words)) == b"-ERR key too long\r\n"
    assert client.ask("exists a-key") == b":0\r\n"


def test_too_long_a_key_spoils_a_transaction(client, key):
    client.send(request("multi") + request("set", key, "1") + request("set", "k" * 65_537, "2") + request("exec"))
    assert [client.reply() for _ in range(3)] == [b"+OK\r\n", b"+QUEUED\r\n", b"-ERR key too long\r\n"]
    assert client.reply().startswith(b"-EXECABORT")


def test_replies_have_a_bound(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB")
    with Resp(server.listeners["resp"]) as one:
        one.ask("set", "small", "x" * 60_000)
        limit = b"-ERR the reply is larger than "
        assert one.ask("mget", *["small"] * 2000).startswith(limit)
        one.send(request("multi") + request("set", "a", 1) + request("mget", *["small"] * 500) * 3 + request("set", "b", 2) + request("exec"))
        assert [one.reply() for _ in range(6)] == [b"+OK\r\n"] + [b"+QUEUED\r\n"] * 5
        assert one.file.readline() == b"*5\r\n"
        replies = [one.reply() for _ in range(5)]
        assert replies[0] == replies[4] == b"+OK\r\n" and replies[1].startswith(b"*500\r\n")
        assert replies[3].startswith(limit)
        assert one.ask("ping") == b"+PONG\r\n"


WRITES = [
    ["set", "new", "V"], ["set", "old", "V"], ["setnx", "new", "V"], ["setex", "new", "10", "V"], ["psetex", "new", "10", "V"], ["getset", "old", "V"], ["mset", "new", "V"], ["msetnx", "new", "V"], ["append", "old", "V"], ["append", "new", "V"],
    ["setrange", "old", "100", "V"], ["setbit", "old", "2000000", "1"], ["bitfield", "old", "set", "u8", "2000000", "1"], ["bitop", "or", "new", "old", "large"], ["copy", "old", "SMALL"], ["json.set", "new", "$", "J"],
    ["json.set", "doc", "$.b", "J"], ["json.merge", "doc", "$", '{"b":J}'], ["json.arrappend", "doc", "$.a", "J"], ["martlet.fill", "leased", "TOKEN", "V"], ["incr", "SMALL"], ["incrbyfloat", "SMALL", "1"],
    ["set", "SMALL", "1"],
]


def test_without_eviction_every_write_that_needs_memory_is_refused_and_changes_nothing(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "32MiB", "--eviction", "none")
    with Resp(server.listeners["resp"]) as one:
        one.ask("set", "old", "x" * 200)
        one.ask("set", "large", "x" * 200_000)
        one.ask("json.set", "doc", "$", '{"a":[]}')
        token = one.ask("martlet.lease leased 300").split(b"\r\n")[3].decode()
        number, size = 0, 100_000
        while size >= 1:
            if one.ask("set", f"fill-{number}", "x" * size) == b"+OK\r\n":
                number += 1
            else:
                size //= 2
        before = one.ask("mget old large doc new leased")
        oom = b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
        for count, write in enumerate(WRITES):
            words = [{"V": "v" * 300_000, "TOKEN": token}.get(word, word).replace("J", '"' + "j" * 300_000 + '"') for word in write]
            # The last bytes of some shard may take a few small ones.
            attempts = ([word.replace("SMALL", f"s-{count}-{n}-" + "s" * 300) for word in words] for n in range(1000 if "SMALL" in write else 1))
            assert any(one.ask(*attempt) == oom for attempt in attempts), write
        # What was set before the memory ran out stays set (redis_conversations.DIFFERENCES).
        assert one.ask("mset", "large", "first", "new", "v" * 300_000) == oom
        assert one.ask("mget large new") == b"*2\r\n" + bulk(b"first") + b"$-1\r\n"
        assert one.ask("set", "large", "x" * 200_000) == b"+OK\r\n"
        assert one.ask("mget large doc new leased") == before.replace(b"*5\r\n" + bulk(b"x" * 200), b"*4\r\n")
        assert one.ask("del large old") == b":2\r\n"
        assert one.ask("martlet.fill", "leased", token, "filled") == b"+OK\r\n"


def test_many_write_and_read_large_values_at_once(server, connect, key):
    failures = []

    def work(number):
        try:
            with Resp(server.listeners["resp"]) as one:
                for turn in range(8):
                    value = bytes([65 + number]) * (MEGABYTE + turn)
                    one.ask("set", key, value)
                    one.ask("append", key, bytes([65 + number]))
                    one.ask("setrange", key, 10, bytes([65 + number]) * 10)
                    read = one.ask("get", key)
                    body = read[read.index(b"\n") + 1:-2]
                    if len(body) < MEGABYTE:
                        failures.append(read[:40])
        except Exception as failure:
            failures.append(failure)
    threads = [threading.Thread(target=work, args=(number,)) for number in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
