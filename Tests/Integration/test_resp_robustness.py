"""What goes wrong at the other end of a Redis connection: many clients, dead ones, and bytes that mean nothing."""

import os
import random
import resource
import signal
import subprocess
import sys

import pytest

from resp import Resp, request
from server import await_until, read_to_end, send_all, shut
from test_resp import resp, rival  # noqa: F401: fixtures


def test_ten_thousand_clients(start):
    clients = 10_000
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = clients + 500
    if hard != resource.RLIM_INFINITY and hard < wanted:
        pytest.skip(f"{wanted} file descriptors are wanted, {hard} are allowed")
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, wanted), hard))
    server = start("--resp", "127.0.0.1:0", "--threads", 2)
    before = server.rss()
    crowd = []
    try:
        for _ in range(clients):
            crowd.append(Resp(server.listeners["resp"]))
        for one in crowd:
            one.send(b"*1\r\n$4\r\nPING\r\n")
        assert all(one.reply() == b"+PONG\r\n" for one in crowd)
        assert b"connected_clients:%d\r\n" % clients in crowd[0].ask("info clients")
        for one in crowd[1:101]:
            one.ask("subscribe all")
        assert crowd[0].ask("publish all x") == b":100\r\n"
        assert all(one.reply() == request("message", "all", "x") for one in crowd[1:101])
        assert server.rss() - before < clients * 4096, "an idle connection holds no buffers"
    finally:
        for one in crowd:
            one.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    with Resp(server.listeners["resp"]) as one:
        await_until(lambda: b"connected_clients:1\r\n" in one.ask("info clients"), "all have gone")


#: A process that is in the middle of everything.
VICTIM = """
import sys, time
sys.path.insert(0, {folder!r})
from resp import Resp, request
address = {address!r}
crowd = [Resp(address) for _ in range(20)]
for one in crowd:
    one.ask("watch w")
    one.ask("multi")
    one.ask("set half 1")
    one.send(b"*3\\r\\n$3\\r\\nSET\\r\\n$4\\r\\nhalf\\r\\n$100000\\r\\nabc")
for n in range(20):
    one = Resp(address); crowd.append(one)
    one.ask("subscribe busy"); one.ask("psubscribe b*"); one.ask("ssubscribe busy")
waiting = Resp(address)
waiting.ask("martlet.lease leased 1000")
waiting.send(request("martlet.lease", "leased", "1000", "wait", "60"))
print("ready", flush=True)
while True:
    crowd[0].send(b"x" * 100)
    time.sleep(0.01)
"""


def test_clients_killed_in_mid_command_leave_nothing(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 2)
    address = server.listeners["resp"]
    with Resp(address) as one:
        for _ in range(3):
            code = VICTIM.format(folder=os.path.dirname(__file__), address=address)
            with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE) as victim:
                assert victim.stdout.readline() == b"ready\n"
                assert one.ask("publish busy x") == b":40\r\n"
                victim.send_signal(signal.SIGKILL)
            await_until(lambda: one.ask("client list").count(b"id=") == 1, "all of its connections are gone")
            assert one.ask("publish busy x") == one.ask("spublish busy x") == b":0\r\n"
            assert one.ask("pubsub numpat") == b":0\r\n" and one.ask("pubsub channels") == b"*0\r\n"
            assert one.ask("exists half") == b":0\r\n"
        assert "martlet_lease_waiters 0\n" in server.get("/metrics").text


@pytest.mark.parametrize("data", [
    b"GET / HTTP/1.1\r\nHost: localhost\r\nUser-Agent: curl\r\n\r\nset evil 1\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", b"\x00" * 64 + b"\r\n", b"*\x00\r\n",
], ids=["http", "tls", "nul", "nul-length"])
def test_other_protocols_end_without_harm(resp, data):
    """Redis takes a NUL for the end of what it looks at, and waits; Martlet answers, as it answers other bytes."""
    with Resp(resp.listeners["resp"]) as one:
        send_all(one.socket, data)
        shut(one.socket)
        assert all(line.startswith(b"-ERR") for line in read_to_end(one.socket).split(b"\r\n") if line)
    with Resp(resp.listeners["resp"]) as one:
        assert one.ask("exists evil") == b":0\r\n"


def test_frames_cut_at_every_byte(resp):
    parts = [request("set", "cut", "value"), request("get", "cut"), b"GET cut\r\n", request("mget", "cut", "nope", "cut"), request("echo", ""), b"*0\r\n", b"\r\n", request("subscribe", "c"), request("unsubscribe"), b"set 'a b' \"\\x00\"\r\n"]
    data = b"".join(parts)
    with Resp(resp.listeners["resp"]) as one:
        one.send(data + request("echo", "end"))
        expected = []
        while not expected or not expected[-1].endswith(b"end\r\n"):
            expected.append(one.reply())
        for at in range(1, len(data)):
            one.send(data[:at])
            one.send(data[at:])
            one.send(request("echo", "end"))
            assert [one.reply() for _ in expected] == expected, f"cut at {at}"


def test_random_bytes_hurt_nobody(resp):
    seed = random.randrange(1 << 32)
    print("seed", seed)
    dice = random.Random(seed)
    pieces = [b"*", b"$", b"\r\n", b"\n", b"3", b"-1", b"GET", b"SET", b"SUBSCRIBE", b"MULTI", b"EXEC", b" ", b'"', b"\x00", b"*2\r\n$3\r\nGET\r\n$1\r\na\r\n", b"CLIENT", b"LIST", b"HELLO 3\r\n", b"PUBLISH a b\r\n", b"PSUBSCRIBE *\r\n"]
    with Resp(resp.listeners["resp"]) as good:
        for _ in range(300):
            with Resp(resp.listeners["resp"]) as one:
                data = b"".join(dice.choice(pieces) if dice.random() < 0.7 else dice.randbytes(dice.randrange(40)) for _ in range(dice.randrange(1, 40)))
                send_all(one.socket, data)
                shut(one.socket)
                read_to_end(one.socket)
        assert good.ask("ping") == b"+PONG\r\n"
        await_until(lambda: good.ask("pubsub numpat") == b":0\r\n", "nothing is left of them")


def test_wrong_numbers_of_arguments_are_told_as_redis_tells_them(resp, rival):
    with Resp(resp.listeners["resp"]) as one, Resp(rival) as other:
        one.send(request("command"))
        heads = _rows(one)
        assert len(heads) > 100
        for name, arity in heads:
            if name.startswith((b"martlet.", b"json.")):
                continue
            counts = ([abs(arity) - 1] if abs(arity) > 1 else []) + ([arity + 1] if arity > 0 else [])
            for count in counts:
                words = [name.upper()] + ["x"] * (count - 1)
                assert one.ask(*words) == other.ask(*words), words


def _rows(one):
    """Name and arity of each command, of COMMAND's reply."""
    def element():
        line = one.file.readline()
        kind, rest = line[:1], line[1:-2]
        if kind == b"$":
            return one.file.read(int(rest) + 2)[:-2]
        if kind == b"*":
            return [element() for _ in range(int(rest))]
        return int(rest) if kind == b":" else rest
    return [(row[0], row[1]) for row in element()]
