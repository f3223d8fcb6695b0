"""Publishing and subscribing: the words of Redis, delivery across threads, and subscribers that do not read."""

import shlex
import threading

import pytest

from resp import Resp, request
from server import PATIENCE, Server, await_until, read_to_end, send_all, shut
from test_resp import resp, rival  # noqa: F401: fixtures

#: Each on a connection of its own; who publishes listens itself, so that the order of all bytes is certain.
CONVERSATIONS = {
    "what a subscriber may do": [
        "subscribe", "subscribe a b", "get x", "ping", "ping hi", "ping a b", "multi", "nosuch", "subscribe", "hello 3", "publish a 1", "unsubscribe nope", "psubscribe x* y?", "ssubscribe s",
        "unsubscribe a b", "punsubscribe", "sunsubscribe", "get x", "unsubscribe", "punsubscribe", "sunsubscribe", "unsubscribe a", "subscribe q q", "reset", "get x", "subscribe a", "quit",
    ],
    "publishing to oneself": [
        "multi", "subscribe m", "psubscribe m* x?", "ssubscribe m", "publish m 1", "spublish m 2", "publish '' ''", "unsubscribe m", "publish m 3", "punsubscribe m*", "publish m 4", "exec", "ping", "reset",
        "publish m x", "publish m", "publish", "spublish m",
    ],
    "asking who listens": [
        "pubsub", "pubsub channels", "pubsub numsub", "pubsub numsub a a", "pubsub numpat", "pubsub shardchannels", "pubsub shardnumsub s", "pubsub bad", "pubsub numpat x", "pubsub channels a b", "pubsub channels x*",
        "multi", "subscribe one", "psubscribe p*", "ssubscribe two", "pubsub channels", "pubsub channels o*", "pubsub channels x*", "pubsub shardchannels", "pubsub numsub one two", "pubsub numpat", "pubsub shardnumsub one two", "exec",
    ],
    "replies that nobody wants": [
        "client reply skip", "subscribe z", "get x", "ping", "unsubscribe", "client reply off", "get x", "subscribe y", "unsubscribe", "client reply on", "ping",
    ],
}

#: What only RESP3 allows.
CONVERSATIONS_OF_THREE = ["subscribe a b", "get x", "publish a 1", "psubscribe a* b", "publish a 2", "ssubscribe s", "spublish s 3", "client reply off", "publish a 4", "client reply on", "unsubscribe b", "unsubscribe", "publish a 5",
                          "multi", "publish a 6", "exec", "punsubscribe", "sunsubscribe", "publish a 7"]


def said(address, version, steps):
    """All that a server says to these commands, written at once."""
    with Resp(address) as one:
        one.ask(f"hello {version}")
        send_all(one.socket, b"".join(request(*shlex.split(step)) for step in steps))
        shut(one.socket)
        return read_to_end(one.socket)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_subscribers_are_answered_as_redis_answers(resp, rival, name, version):
    steps = CONVERSATIONS[name]
    if version == 3:
        steps = [step for step in steps if step != "hello 3"]
    assert said(resp.listeners["resp"], version, steps) == said(rival, version, steps)


def test_a_subscriber_in_resp3_may_do_all(resp, rival):
    assert said(resp.listeners["resp"], 3, CONVERSATIONS_OF_THREE) == said(rival, 3, CONVERSATIONS_OF_THREE)


def pushed(version, *words):
    return (b">" if version == 3 else b"*") + request(*words)[1:]


@pytest.mark.parametrize("version", [2, 3])
def test_messages_reach_subscribers_of_every_thread_in_order(resp, version):
    address = resp.listeners["resp"]
    subscribers = [Resp(address) for _ in range(16)]
    for one in subscribers:
        one.ask(f"hello {version}")
        one.ask("subscribe news")
        one.ask("psubscribe n*")
    with Resp(address) as publisher:
        publisher.send(b"".join(request("publish", "news", number) for number in range(200)))
        assert [publisher.reply() for _ in range(200)] == [b":32\r\n"] * 200
    for one in subscribers:
        for number in range(200):
            assert one.reply() == pushed(version, "message", "news", number)
            assert one.reply() == pushed(version, "pmessage", "n*", "news", number)
        one.close()


def test_shard_channels_are_another_world(resp):
    with Resp(resp.listeners["resp"]) as one, Resp(resp.listeners["resp"]) as publisher:
        one.ask("ssubscribe s")
        assert publisher.ask("publish s no") == b":0\r\n"
        assert publisher.ask("spublish s yes") == b":1\r\n"
        assert one.reply() == request("smessage", "s", "yes")


def test_a_subscriber_that_has_gone_is_forgotten(resp):
    with Resp(resp.listeners["resp"]) as publisher:
        with Resp(resp.listeners["resp"]) as one:
            one.ask("subscribe gone")
            one.ask("psubscribe gone*")
            assert publisher.ask("publish gone x") == b":2\r\n"
            assert b" sub=1 psub=1 ssub=0 " in publisher.ask("client list")
        await_until(lambda: publisher.ask("publish gone x") == b":0\r\n", "nobody listens")
        assert publisher.ask("pubsub channels gone*") == b"*0\r\n"
        assert publisher.ask("pubsub numpat") == b":0\r\n"


def test_a_publisher_faster_than_its_subscribers_is_made_to_wait(start):
    """4 GiB would be under way if nothing held the publishers back."""
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB", "--threads", 2)
    address = server.listeners["resp"]
    subscribers = [Resp(address) for _ in range(200)]
    received = []

    def read(one):
        count = 0
        while count < 2000:
            assert one.reply()[:2] == b"*3"
            count += 1
        received.append(count)
    for one in subscribers:
        one.ask("subscribe busy")
    readers = [threading.Thread(target=lambda part=part: [read(one) for one in part]) for part in (subscribers[:100], subscribers[100:])]
    before = server.rss()
    with Resp(address) as publisher:
        message = request("publish", "busy", "x" * 10)
        sender = threading.Thread(target=lambda: publisher.send(message * 2000))
        sender.start()
        for reader in readers:
            reader.start()
        assert [publisher.reply() for _ in range(2000)] == [b":200\r\n"] * 2000
        sender.join()
    for reader in readers:
        reader.join(PATIENCE)
    assert len(received) == 200
    assert server.rss() - before < 64 << 20
    for one in subscribers:
        one.close()


def test_a_subscriber_that_never_reads_is_closed_and_counted(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB")
    with Resp(server.listeners["resp"]) as deaf, Resp(server.listeners["resp"]) as good, Resp(server.listeners["resp"]) as publisher:
        deaf.ask("client setname deaf")
        for one in (deaf, good):
            one.ask("subscribe busy")
        message = "x" * 100_000
        for number in range(2000):
            reply = publisher.ask("publish", "busy", message)
            assert len(good.reply()) > 100_000
            if b"omem=" in (line := next((line for line in publisher.ask("client list").split(b"\n") if b"name=deaf" in line), b"")):
                assert int(line.split(b"omem=")[1].split(b" ")[0]) < 5 << 20
            if reply == b":1\r\n":
                break
        assert reply == b":1\r\n", "the one that does not read is gone"
    assert "a subscriber does not read: closed" in server.stderr()
    metrics = server.get("/metrics").text
    assert 'martlet_connections_closed_total{protocol="resp",reason="output_limit"} 1' in metrics
    assert "martlet_pubsub_overflows_total 1" in metrics
    assert "martlet_pubsub_waiting_bytes 0" in metrics


def test_many_deaf_subscribers_share_one_bound(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB", "--threads", 1)
    deaf = [Resp(server.listeners["resp"]) for _ in range(20)]
    for one in deaf:
        one.ask("subscribe busy")
    before = server.rss()
    with Resp(server.listeners["resp"]) as publisher:
        for _ in range(1000):
            left = int(publisher.ask("publish", "busy", "x" * 60_000)[1:])
            assert server.rss() - before < 40 << 20
            if left < 10:
                break
        assert left < 10
        assert publisher.ask("set a 1") == b"+OK\r\n"
    for one in deaf:
        one.close()


def test_subscriptions_have_a_bound(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "32MiB")
    with Resp(server.listeners["resp"]) as one:
        one.send(request("subscribe", *range(20_000)))
        assert one.reply() == b"-OOM subscriptions would use more than 2097152 bytes\r\n"
        assert one.ask("subscribe few").endswith(b":1\r\n")


def test_a_subscriber_may_be_silent_for_as_long_as_it_likes(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as listener, Resp(server.listeners["resp"]) as other:
        assert other.ask("config set timeout 1") == b"+OK\r\n"
        listener.ask("subscribe a")
        assert other.rest() == b""
        with Resp(server.listeners["resp"]) as publisher:
            assert publisher.ask("publish a x") == b":1\r\n"
        assert listener.reply() == request("message", "a", "x")


def test_draining_closes_subscribers(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one:
        one.ask("subscribe a")
        server.stop()
        assert one.rest() == b""
