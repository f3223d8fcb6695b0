"""memcached's protocols: conversations compared with a real memcached byte for byte, foreign clients, and what only Martlet has."""

import re
import shutil
import subprocess
import threading

import pytest

from memcached import Memcached
from memcached_conversations import CONVERSATIONS, DIFFERENCES, LONG, RAW, SMALL
from resp import Resp
from server import PATIENCE, Server, await_until, read_to_end, reset, run, send_all, shut


@pytest.fixture(scope="module")
def server():
    with Server(memcached="127.0.0.1:0", resp="127.0.0.1:0", options=["--threads", 2]) as running:
        yield running


@pytest.fixture
def client(server):
    with Memcached(server.listeners["memcached"]) as one:
        one.ask(b"flush_all\r\n")
        yield one


@pytest.fixture(scope="module")
def rival(tmp_path_factory):
    """The address of a memcached 1.6.18 of this module's own; tests are skipped where there is none."""
    if not shutil.which("memcached"):
        pytest.skip("no memcached here")
    version = subprocess.run(["memcached", "-V"], capture_output=True, text=True).stdout
    if "1.6.18" not in version:
        pytest.skip(f"another memcached than 1.6.18: {version}")
    path = str(tmp_path_factory.mktemp("memcached") / "memcached.sock")
    if len(path) > 100:
        pytest.skip("the path of a Unix socket is bounded")
    process = subprocess.Popen(["memcached", "-s", path, "-u", "root"], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                               stderr=subprocess.DEVNULL)
    try:
        await_until(lambda: _answers(path), "memcached answers")
        yield f"unix:{path}"
    finally:
        process.kill()
        process.wait()


def _answers(path):
    try:
        with Memcached(f"unix:{path}") as one:
            return one.ask(b"version\r\n") == b"VERSION 1.6.18\r\n"
    except OSError:
        return False


def neutral(reply):
    """Without versions, which are each server's own, and without seconds left or since the last access, which the machine's speed
    decides (the exact ones are tested with a clock of the test's)."""
    reply = re.sub(rb"((?:^|\n)VALUE \S+ \d+ \d+ )\d+", rb"\1version", reply)
    return re.sub(rb"( [ct])\d{2,}(?=[ \r])|( l)\d+(?=[ \r])", rb"\1\2number", reply)


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_answered_as_memcached_answers(client, rival, name):
    with Memcached(rival) as other:
        other.ask(b"flush_all\r\n")
        for step in CONVERSATIONS[name]:
            assert neutral(client.ask(step)) == neutral(other.ask(step)), step


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_in_one_write_and_cut_anywhere_the_replies_are_the_same(server, client, name):
    steps = [step for step in CONVERSATIONS[name] if b"mn" not in step]
    client.ask(b"flush_all\r\n")
    expected = neutral(b"".join(client.ask(step) for step in steps))
    data = b"".join(steps)
    finely = min(len(data), 6000)
    for size in (finely, 7, 1):
        with Memcached(server.listeners["memcached"]) as one:
            one.ask(b"flush_all\r\n")

            def send():
                for start in range(0, finely, size):
                    one.send(data[start:min(start + size, finely)])
                one.send(data[finely:] + b"mn\r\n")
            sender = threading.Thread(target=send)
            sender.start()
            assert neutral(one.until_mark()) == expected
            sender.join()


@pytest.mark.parametrize("reason, step, reply", DIFFERENCES, ids=range(len(DIFFERENCES)))
def test_what_is_answered_otherwise_on_purpose_is_answered_so(server, reason, step, reply):
    with Memcached(server.listeners["memcached"]) as one:
        one.ask(b"flush_all\r\n")
        assert one.ask(step) == reply, reason


def test_the_differences_are_differences(rival):
    for reason, step, reply in DIFFERENCES:
        if b"99999999999" in step or step.endswith(b"ab\n") or step.startswith((b"\x80", b"xxx")) or b"watch" in step:
            continue  # memcached waits for more, or hangs up, or is reconfigured
        with Memcached(rival) as one:
            one.ask(b"flush_all\r\n")
            assert one.ask(step) != reply, reason


@pytest.mark.parametrize("data", RAW, ids=repr)
def test_bytes_that_end_a_conversation_end_it(server, rival, data):
    answers = []
    for address in (server.listeners["memcached"], rival):
        with Memcached(address) as one:
            send_all(one.socket, data)
            answers.append(read_to_end(one.socket))
    assert answers[0] == answers[1]


def test_a_version_is_the_same_wherever_it_is_shown_and_changes_with_the_value(client):
    version = re.fullmatch(rb"HD c(\d+)\r\n", client.ask(b"ms v 1 c\r\n1\r\n"))[1]
    assert client.ask(b"mg v c\r\n") == b"HD c%s\r\n" % version and client.ask(b"gets v\r\n") == b"VALUE v 0 1 %s\r\n1\r\nEND\r\n" % version
    assert b" cas=%s " % version in client.ask(b"me v\r\n")
    assert client.ask(b"touch v 100\r\nmg v c\r\n") == b"TOUCHED\r\nHD c%s\r\n" % version
    assert client.ask(b"cas v 0 0 1 %s\r\n2\r\n" % version) == b"STORED\r\n"
    assert client.ask(b"cas v 0 0 1 %s\r\n3\r\nms v 1 C%s\r\n3\r\nmd v C%s\r\nma v C%s\r\nms v 1 MA C%s\r\n3\r\n" % ((version,) * 5)) == \
        b"EXISTS\r\nEX\r\nEX\r\nEX\r\nEX\r\n"
    newer = re.fullmatch(rb"HD c(\d+)\r\n", client.ask(b"mg v c\r\n"))[1]
    assert int(newer) > int(version)
    assert client.ask(b"ma v C%s v\r\nmd v I\r\nget v\r\n" % newer) == b"VA 1\r\n3\r\nHD\r\nEND\r\n"
    assert client.ask(b"me v\r\n").startswith(b"ME v exp=-1 la=0 cas=")


# Bad input

def test_every_prefix_of_a_command_leaves_the_server_well(server):
    data = b"set cut 1 0 5\r\nhello\r\nms cut2 3 T60 c\r\nabc\r\nmg cut k v\r\n"
    for cut in range(len(data)):
        with Memcached(server.listeners["memcached"]) as one:
            one.send(data[:cut])
            shut(one.socket)
            read_to_end(one.socket)
    with Memcached(server.listeners["memcached"]) as one:
        assert one.ask(b"get cut\r\n") == b"VALUE cut 1 5\r\nhello\r\nEND\r\n"


def test_random_bytes_are_survived(server):
    import random
    seed = random.randrange(1 << 30)
    source = random.Random(seed)
    pieces = [b"get ", b"set ", b"ms ", b"mg ", b"k ", b"0 ", b"5\r\n", b"\r\n", b"-1 ", b"noreply\r\n", b"x" * 300, b"\0", b"\xff", b"stats\r\n", b"99999999 "]
    for _ in range(100):
        with Memcached(server.listeners["memcached"]) as one:
            send_all(one.socket, b"".join(source.choice(pieces) for _ in range(40)))
            shut(one.socket)
            read_to_end(one.socket)
    assert server.alive, f"seed {seed}"


def test_a_value_beyond_the_limit_is_refused_and_the_old_one_gone(start):
    server = start("--memcached", "127.0.0.1:0", "--memory", "64MiB")
    with Memcached(server.listeners["memcached"]) as one:
        assert one.set(b"a", b"old") == b"STORED\r\n"
        assert one.set(b"a", b"x" * ((8 << 20) + 1)) == b"SERVER_ERROR object too large for cache\r\n"
        assert one.ask(b"get a\r\n") == b"END\r\n"
        assert one.set(b"a", b"x" * (8 << 20)) == b"STORED\r\n"
        assert one.ask(b"append a 0 0 1\r\nx\r\n") == b"SERVER_ERROR object too large for cache\r\n"
        assert one.ask(b"mg a s\r\n") == b"HD s8388608\r\n"
        assert one.ask(b"ms YQ== %d b q\r\n%s\r\nmg a s\r\n" % ((8 << 20) + 1, b"x" * ((8 << 20) + 1))) == \
            b"SERVER_ERROR object too large for cache\r\nEN\r\n"
        stats = one.stats()
        assert stats["store_too_large"] == "3" and stats["curr_items"] == "0"


def test_at_the_limit_without_eviction_a_write_is_refused(start):
    server = start("--memcached", "127.0.0.1:0", "--memory", "32MiB", "--eviction", "none")
    with Memcached(server.listeners["memcached"]) as one:
        for number in range(1000):
            reply = one.set(b"k%d" % number, b"x" * 100_000)
            if reply != b"STORED\r\n":
                break
        assert reply == b"SERVER_ERROR out of memory storing object\r\n"
        assert one.ask(b"mg k0 s\r\n") == b"HD s100000\r\n"
        for number in range(10000):
            reply = one.set(b"s%d" % number, b"x" * 1000)
            if reply != b"STORED\r\n":
                break
        assert reply == b"SERVER_ERROR out of memory storing object\r\n"
        assert int(one.stats()["store_no_memory"]) >= 2


def test_a_touch_that_finds_no_memory_leaves_the_value_and_is_counted(start):
    server = start("--memcached", "127.0.0.1:0", "--memory", "32MiB", "--eviction", "none")
    with Memcached(server.listeners["memcached"]) as one:
        count = 0
        while one.set(b"s%d" % count, b"x" * 1000) == b"STORED\r\n":
            count += 1
        refused = int(one.stats()["store_no_memory"])
        for number in range(count):  # each that succeeds takes the room for an expiry, until there is none
            assert one.ask(b"mg s%d T1000 s\r\n" % number) == b"HD s1000\r\n"
            if number % 100 == 0 and int(one.stats()["store_no_memory"]) > refused:
                break
        else:
            raise AssertionError("every touch found memory")
        assert one.ask(b"mg s%d t\r\n" % (count - 1)) == b"HD t-1\r\n"


def test_clients_that_vanish_in_mid_command_leave_nothing(server):
    for _ in range(50):
        one = Memcached(server.listeners["memcached"])
        one.send(b"set half 0 0 100000\r\nabc")
        reset(one.socket)
    with Memcached(server.listeners["memcached"]) as one:
        await_until(lambda: int(one.stats()["curr_connections"]) <= 3, "the connections are gone")
        assert one.ask(b"get half\r\n") == b"END\r\n"


def test_who_never_reads_is_not_read_on_and_holds_little(start):
    """A client asks for far more than it reads: what waits for it is bounded, and others are served."""
    server = start("--memcached", "127.0.0.1:0", "--threads", "1", "--memory", "256MiB")
    with Memcached(server.listeners["memcached"]) as one, Memcached(server.listeners["memcached"]) as other:
        assert one.set(b"big", b"x" * 1_000_000) == b"STORED\r\n"
        before = server.rss()
        one.socket.settimeout(0.2)
        with pytest.raises(TimeoutError):
            while True:
                one.send(b"get big big big big\r\n" * 1000)
        assert other.ask(b"mg big s\r\n") == b"HD s1000000\r\n"
        assert server.rss() - before < 64 << 20
        one.socket.settimeout(PATIENCE)
        reset(one.socket)
        assert other.ask(b"mg big s\r\n") == b"HD s1000000\r\n"


def test_a_get_of_very_many_keys_is_answered_whole_in_bounded_pieces(client):
    client.send(b"".join(b"set many%d 0 0 2000 noreply\r\n%s\r\n" % (n, b"%d" % n * 1 + b"v" * (2000 - len(str(n)))) for n in range(2000)))
    request = b"get " + b" ".join(b"many%d" % n for n in range(3000)) + b"\r\n"
    sender = threading.Thread(target=lambda: client.send(request + b"mn\r\n"))
    sender.start()
    for number in range(2000):
        assert client.line() == b"VALUE many%d 0 2000\r\n" % number
        assert client.file.read(2002).startswith(b"%dv" % number)
    assert client.line() == b"END\r\n" and client.line() == b"MN\r\n"
    sender.join()


def test_pipelines_of_large_values_stay_in_order(client):
    assert client.set(b"large", b"L" * 300_000) == b"STORED\r\n"
    assert client.set(b"small", b"s") == b"STORED\r\n"
    sender = threading.Thread(target=lambda: client.send(b"get small\r\nget large small\r\nmg large v s\r\nmg small v\r\n" * 20 + b"mn\r\n"))
    sender.start()
    large = b"VALUE large 0 300000\r\n" + b"L" * 300_000 + b"\r\n"
    small = b"VALUE small 0 1\r\ns\r\n"
    expected = small + b"END\r\n" + large + small + b"END\r\n" + b"VA 300000 s300000\r\n" + b"L" * 300_000 + b"\r\nVA 1\r\ns\r\n"
    assert client.until_mark() == expected * 20
    sender.join()


def test_a_large_value_is_appended_to_where_it_lies(client):
    assert client.set(b"large", b"L" * 100_000, flags=7) == b"STORED\r\n"
    versions = [client.ask(b"mg large c\r\n")]
    for piece in (b"tail", b"", b"T" * 70_000):
        assert client.ask(b"append large 0 0 %d\r\n%s\r\n" % (len(piece), piece)) == b"STORED\r\n"
        versions.append(client.ask(b"mg large c\r\n"))
    value = b"L" * 100_000 + b"tail" + b"T" * 70_000
    assert client.ask(b"get large\r\n") == b"VALUE large 7 %d\r\n%s\r\nEND\r\n" % (len(value), value) and len(set(versions)) == 4
    assert client.ask(b"ms large 1 MA C1\r\nx\r\n") == b"EX\r\n" and client.ask(b"prepend large 0 0 1\r\nx\r\nmg large s\r\n").endswith(b"HD s170005\r\n")


# The list of all items

def test_items_are_listed_as_memcached_lists_them(server, rival):
    lists = []
    for address in (server.listeners["memcached"], rival):
        with Memcached(address) as one:
            one.ask(b"flush_all\r\n")
            one.ask(b"set a%20\xff\x01 5 1000 3\r\nabc\r\nset b 0 0 1\r\nx\r\n")
            assert one.ask(b"lru_crawler metadump nosuch\r\n") == b"BADCLASS invalid class id\r\n" and one.ask(b"lru_crawler\r\n") == b"ERROR\r\n"
            one.send(b"lru_crawler metadump all\r\n")  # alone: memcached may overlook what stands behind it
            listed = list(iter(one.line, b"END\r\n"))
            lists.append(sorted(re.sub(rb"(exp=\d{7}|la=\d{7}|cas=|size=)\d+", rb"\1", line) for line in listed))
    assert lists[0] == lists[1]


def test_keys_that_are_too_long_for_memcached_are_not_listed(start):
    server = start("--memcached", "127.0.0.1:0")
    for count in (250, 251):
        assert server.send("PUT", f"/v1/cache/{'k' * count}", body=b"x").status == 201
    with Memcached(server.listeners["memcached"]) as one:
        one.send(b"lru_crawler metadump all\r\n")
        (line,) = iter(one.line, b"END\r\n")
        assert line.startswith(b"key=" + b"k" * 250 + b" ")


def test_many_items_are_listed_in_portions_while_others_are_served(start):
    server = start("--memcached", "127.0.0.1:0", "--threads", 1)
    with Memcached(server.listeners["memcached"]) as one, Memcached(server.listeners["memcached"]) as other:
        for first in range(0, 40_000, 1000):
            one.ask(b"".join(b"set key-%d 0 0 1 noreply\r\nx\r\n" % number for number in range(first, first + 1000)))
        one.send(b"get key-1\r\nlru_crawler metadump all\r\nget key-2\r\nmn\r\n")
        assert other.set(b"another", b"x") == b"STORED\r\n"
        lines = one.until_mark().split(b"\n")
        assert lines[0] == b"VALUE key-1 0 1\r" and lines[-4:] == [b"VALUE key-2 0 1\r", b"x\r", b"END\r", b""] and lines[-5] == b"END\r"
        names = [line.split()[0] for line in lines if line.startswith(b"key=")]
        assert len(set(names)) == len(names) and {b"key=key-%d" % number for number in range(40_000)} <= set(names)


# Who may ask

def test_a_token_is_wanted(start):
    server = start("--memcached", "127.0.0.1:0", "--token", "secret")

    def line(one, data):
        one.send(data)
        return one.line()
    with Memcached(server.listeners["memcached"]) as one:
        assert line(one, b"get a\r\n") == b"CLIENT_ERROR unauthenticated\r\n"
        assert line(one, b"mn\r\n") == b"CLIENT_ERROR unauthenticated\r\n"
        assert line(one, b"set x 0 0 8\r\nme wrong\r\n") == b"CLIENT_ERROR authentication failure\r\n"
        assert line(one, b"set x 0 0 6\r\nsecret\r\n") == b"CLIENT_ERROR bad authentication token format\r\n"
        assert line(one, b"set x 0 0 9\r\nme secretX\r\n") == b"CLIENT_ERROR bad command line termination\r\n"
        assert line(one, b"set x 0 0 9\r\nme secret\r\n") == b"STORED\r\n"
        assert one.ask(b"get x\r\n") == b"END\r\n"
        stats = one.stats()
        assert (stats["auth_cmds"], stats["auth_errors"]) == ("3", "1")
    with Memcached(server.listeners["memcached"]) as one:
        one.send(b"set x 0 0 9\r\nme secret\r\nset y 0 0 1\r\n1\r\nget y\r\nquit\r\n")
        assert one.rest() == b"STORED\r\nSTORED\r\nVALUE y 0 1\r\n1\r\nEND\r\n"


def test_a_token_is_asked_for_as_memcached_asks(start, tmp_path):
    if not shutil.which("memcached"):
        pytest.skip("no memcached here")
    folder = tmp_path
    (folder / "auth").write_text("me:secret\n")
    path = str(folder / "m")
    if len(path) > 100:
        pytest.skip("the path of a Unix socket is bounded")
    process = subprocess.Popen(["memcached", "-s", path, "-u", "root", "-Y", str(folder / "auth")], stdin=subprocess.DEVNULL,
                               stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    server = start("--memcached", "127.0.0.1:0", "--token", "secret")
    steps = [b"get a\r\n", b"version\r\n", b"set\r\n", b"set a b c d\r\n", b"set a b c 4\r\nab\r\n\r\n", b"set x 0 0 8\r\nme wrong\r\n", b"set x 0 0 6\r\nsecret\r\n",
             b"set x 0 0 9\r\nme secretXX", b"set x 0 0 9 extra words here\r\nme secret\r\n", b"get a\r\n"]
    try:
        await_until(lambda: (folder / "m").exists(), "memcached listens")
        answers = []
        for address in (server.listeners["memcached"], f"unix:{path}"):
            with Memcached(address) as one:
                lines = []
                for step in steps:
                    one.send(step)
                    if step.endswith(b"XX"):
                        one.send(b"\r\n" if address != f"unix:{path}" else b"")  # the rest of the line, which only Martlet skips
                    lines.append(one.line())
                answers.append(lines)
        assert answers[0] == answers[1]
    finally:
        process.kill()
        process.wait()


def test_beyond_loopback_a_token_is_demanded():
    ended = run("serve", "--http", "off", "--resp", "off", "--memcached", "0.0.0.0:0")
    assert ended.returncode == 2 and "--memcached" in ended.stderr


# Life

def test_a_port_in_use_is_an_error(server):
    ended = run("serve", "--http", "off", "--resp", "off", "--memcached", server.listeners["memcached"])
    assert ended.returncode == 1


def test_too_many_clients_are_told_so(start):
    server = start("--memcached", "127.0.0.1:0", "--connections", 2)
    with Memcached(server.listeners["memcached"]) as one, Memcached(server.listeners["memcached"]) as two:
        assert one.ask(b"get a\r\n") == two.ask(b"get a\r\n") == b"END\r\n"
        with Memcached(server.listeners["memcached"]) as three:
            assert three.rest() == b"ERROR Too many open connections\r\n"


def test_a_unix_socket_serves(start, tmp_path):
    server = start("--memcached", f"unix:{tmp_path}/m")
    with Memcached(server.listeners["memcached"]) as one:
        assert one.ask(b"version\r\n") == b"VERSION 1.6.18\r\n"
        assert one.stats(b"settings")["domain_socket"] == f"{tmp_path}/m"


def test_draining_closes_idle_connections(start):
    server = start("--memcached", "127.0.0.1:0")
    with Memcached(server.listeners["memcached"]) as one:
        one.ask(b"get a\r\n")
        server.stop()
        assert one.rest() == b""


def test_draining_lets_a_set_that_is_half_here_finish(start):
    import signal
    server = start("--memcached", "127.0.0.1:0", "--drain", "30")
    with Memcached(server.listeners["memcached"]) as one:
        one.ask(b"get a\r\n")
        one.send(b"set a 0 0 5\r\nhe")
        server.settle()
        server.signal(signal.SIGTERM)
        await_until(lambda: b"stopping" in server.stderr().encode(), "the server drains")
        one.send(b"llo\r\n")
        assert one.rest() == b"STORED\r\n"
    assert server.wait() == 0


# Statistics

def test_statistics_have_the_names_that_tools_look_for(start):
    server = start("--memcached", "127.0.0.1:0", "--threads", "2", "--memory", "64MiB")
    with Memcached(server.listeners["memcached"]) as one, Memcached(server.listeners["memcached"]) as other:
        one.ask(SMALL + b"get k\r\nget nope\r\nincr nope 1\r\ndecr nope 1\r\ndelete nope\r\ntouch nope 1\r\ncas nope 0 0 1 1\r\n1\r\nmg k\r\n")
        other.ask(SMALL + b"get k k k\r\ndelete k\r\nset n 0 0 1\r\n1\r\nincr n 1\r\ndecr n 1\r\ntouch n 0\r\ncas n 0 0 1 1\r\n1\r\n")
        stats = one.stats()
        wanted = {"cmd_get": "6", "get_hits": "5", "get_misses": "1", "cmd_set": "5", "incr_misses": "1", "decr_misses": "1", "incr_hits": "1", "decr_hits": "1",
                  "delete_misses": "1", "delete_hits": "1", "touch_misses": "1", "touch_hits": "1", "cas_misses": "1", "cas_badval": "1", "cmd_meta": "1",
                  "curr_items": "1", "threads": "2", "curr_connections": "2", "version": "1.6.18"}
        assert {name: stats[name] for name in wanted} == wanted
        for name in ("pid", "uptime", "time", "rusage_user", "rusage_system", "bytes", "limit_maxbytes", "evictions", "bytes_read", "total_connections"):
            float(stats[name])
        assert int(stats["pid"]) == server.pid
        assert one.stats(b"items")["items:1:number"] == "1"
        assert one.stats(b"slabs")["active_slabs"] == "1"
        assert one.stats(b"settings")["item_size_max"] == str(8 << 20)
        assert one.stats(b"sizes") == {"sizes_status": "disabled"}
        assert one.stats(b"conns")["0:state"] == "conn_listening"
        assert one.ask(b"stats reset\r\n") == b"RESET\r\n"
        stats = one.stats()
        assert (stats["cmd_get"], stats["cmd_set"], stats["curr_items"]) == ("0", "0", "1")
    text = server.get("/metrics").text
    assert 'martlet_connections{protocol="memcached"}' in text
    assert 'martlet_memcached_commands_total{command="get"} 3' in text
    assert "martlet_memcached_command_seconds_count" in text


def test_statistics_stand_in_their_place_in_a_pipeline(client):
    replies = client.ask(b"set p 0 0 1\r\n1\r\nstats\r\nget p\r\nstats settings\r\nget p\r\n")
    parts = replies.split(b"END\r\n")
    assert parts[0].startswith(b"STORED\r\nSTAT pid") and parts[1] == b"VALUE p 0 1\r\n1\r\n" and parts[2].startswith(b"STAT maxbytes")
    assert parts[3] == parts[1]


def test_a_flush_may_be_put_off(start):
    server = start("--memcached", "127.0.0.1:0")
    with Memcached(server.listeners["memcached"]) as one:
        assert one.ask(SMALL + b"flush_all 1\r\nget k\r\n") == b"STORED\r\nOK\r\nVALUE k 5 2\r\nab\r\nEND\r\n"
        await_until(lambda: one.ask(b"get k\r\n") == b"END\r\n", "the flush comes")
        assert one.ask(SMALL + b"flush_all 1\r\nflush_all 1000\r\n") == b"STORED\r\nOK\r\nOK\r\n"
        assert one.ask(b"get k\r\n") == b"VALUE k 5 2\r\nab\r\nEND\r\n"


# One store

def test_what_one_protocol_writes_the_others_read(server, client):
    with Resp(server.listeners["resp"]) as redis:
        # HTTP writes
        server.put("/v1/cache/shared?ttl=100&tags=x", b'{"a":1}', headers={"Content-Type": "application/json"})
        version = server.get("/v1/cache/shared").headers["ETag"].strip('"')
        assert client.ask(b"gets shared\r\n") == b'VALUE shared 0 7 %s\r\n{"a":1}\r\nEND\r\n' % version.encode()
        assert re.fullmatch(rb"HD t(100|99) c%s\r\n" % version.encode(), client.ask(b"mg shared t c\r\n"))
        assert redis.ask("get shared") == b'$7\r\n{"a":1}\r\n'
        # memcached changes it: type and tags stay
        assert client.ask(b"append shared 0 0 1\r\n \r\n") == b"STORED\r\n"
        answer = server.get("/v1/cache/shared")
        assert answer.content == b'{"a":1} ' and answer.headers["Content-Type"] == "application/json" and answer.headers["Cache-Tag"] == "x"
        assert answer.headers["ETag"] != f'"{version}"'
        assert client.ask(b"cas shared 0 0 1 %s\r\nx\r\n" % version.encode()) == b"EXISTS\r\n"
        # and a tag takes it from all
        server.delete("/v1/tags/x")
        assert client.ask(b"get shared\r\n") == b"END\r\n" and redis.ask("exists shared") == b":0\r\n"
        # memcached writes
        assert client.set(b"mine", b"\0\xff", flags=7, time=100) == b"STORED\r\n"
        answer = server.get("/v1/cache/mine")
        assert answer.content == b"\0\xff" and answer.headers["Content-Type"] == "application/octet-stream" and "max-age" in answer.headers["Cache-Control"]
        assert client.ask(b"gets mine\r\n").split()[4] == answer.headers["ETag"].strip('"').encode()
        assert redis.ask("get mine") == b"$2\r\n\0\xff\r\n" and redis.ask("ttl mine") in (b":100\r\n", b":99\r\n")
        # Redis changes it: the flags stay
        assert redis.ask("append mine !") == b":3\r\n"
        assert client.ask(b"get mine\r\n") == b"VALUE mine 7 3\r\n\0\xff!\r\nEND\r\n"
        assert redis.ask("rename mine yours") == b"+OK\r\n" and client.ask(b"mg yours f s\r\n") == b"HD f7 s3\r\n"
        # Redis writes
        assert redis.ask("set", "theirs", "10", "ex", "100") == b"+OK\r\n"
        assert client.ask(b"incr theirs 5\r\nmg theirs t v\r\n") in (b"15\r\nVA 2 t100\r\n15\r\n", b"15\r\nVA 2 t99\r\n15\r\n")
        assert server.get("/v1/cache/theirs").content == b"15" and redis.ask("get theirs") == b"$2\r\n15\r\n"
        # deletion, by each of them
        for delete in (lambda: client.ask(b"delete gone\r\n"), lambda: redis.ask("del gone"), lambda: server.delete("/v1/cache/gone")):
            assert client.set(b"gone", b"x") == b"STORED\r\n"
            delete()
            assert client.ask(b"get gone\r\n") == b"END\r\n" and redis.ask("get gone") == b"$-1\r\n"
            assert server.get("/v1/cache/gone").status_code == 404
        # other databases are other entries
        assert redis.ask("select 3") == b"+OK\r\n" and redis.ask("set gone x") == b"+OK\r\n" and client.ask(b"get gone\r\n") == b"END\r\n"
        assert client.ask(b"flush_all\r\n") == b"OK\r\n" and redis.ask("get gone") == b"$1\r\nx\r\n"
        assert client.ask(b"get yours\r\n") == b"END\r\n"


def test_a_vivified_key_is_a_lease_that_http_readers_wait_for(server, client):
    won = client.ask(b"mg report N30 c v\r\n")
    lease = re.fullmatch(rb"VA 0 c(\d+) W\r\n\r\n", won)[1]
    answers = []
    reader = threading.Thread(target=lambda: answers.append(server.get("/v1/cache/report?lease=10&wait=30")))
    reader.start()
    await_until(lambda: "martlet_lease_waiters 1" in server.get("/metrics").text, "somebody waits")
    assert client.ask(b"mg report N30 v\r\n") == b"VA 0 Z\r\n\r\n"
    assert client.ask(b"ms report 4 T60 C%s c\r\ndone\r\n" % lease).startswith(b"HD c")
    reader.join()
    assert answers[0].status_code == 200 and answers[0].content == b"done"
    # a fill after the lease is over does not bring the old value back
    assert client.ask(b"delete report\r\n") == b"DELETED\r\n"
    assert client.ask(b"ms report 3 C%s\r\nold\r\n" % lease) == b"NF\r\n"


def test_what_http_softens_is_stale_for_meta_gets(server, client):
    server.put("/v1/cache/page?tags=news", b"the page")
    server.delete("/v1/tags/news?soft=true")
    assert client.ask(b"get page\r\n") == b"END\r\n"
    assert client.ask(b"mg page v\r\n") == b"VA 8 X W\r\nthe page\r\n"
    assert client.ask(b"mg page v\r\n") == b"VA 8 Z X\r\nthe page\r\n"
    version = re.fullmatch(rb"HD c(\d+) Z X\r\n", client.ask(b"mg page c\r\n"))[1]
    assert client.ask(b"ms page 3 C%s\r\nnew\r\n" % version) == b"HD\r\n"
    assert server.get("/v1/cache/page").content == b"new"


def test_what_md_makes_stale_a_lease_reader_of_http_is_served(server, client):
    assert client.set(b"old", b"value", time=100) == b"STORED\r\n"
    assert client.ask(b"md old I\r\n") == b"HD\r\n"
    assert server.get("/v1/cache/old").status_code == 404
    answer = server.get("/v1/cache/old?lease=10")
    assert answer.status_code == 200 and answer.content == b"value" and answer.headers["Martlet-Lease"]
    assert client.ask(b"mg old v\r\n") == b"VA 5 Z X\r\nvalue\r\n"


# Foreign clients

def port(server):
    return int(server.listeners["memcached"].rpartition(":")[2])


@pytest.mark.skipif(not shutil.which("memccapable"), reason="no memccapable here")
def test_memccapable(server):
    done = subprocess.run(["memccapable", "-h", "127.0.0.1", "-p", str(port(server)), "-a"], capture_output=True, text=True, timeout=PATIENCE)
    assert done.returncode == 0 and "[pass]" in done.stdout + done.stderr, done.stdout + done.stderr
    assert "FAIL" not in done.stdout + done.stderr, done.stdout + done.stderr


def test_pymemcache(server):
    base = pytest.importorskip("pymemcache.client.base")
    pymemcache = pytest.importorskip("pymemcache")
    client = base.Client(("127.0.0.1", port(server)), serde=pymemcache.serde.pickle_serde)
    client.set("py", {"a": 1}, expire=100, noreply=False)
    assert client.get("py") == {"a": 1}
    assert client.set_many({f"py{n}": n for n in range(100)}, noreply=False) == []
    assert client.get_many([f"py{n}" for n in range(120)]) == {f"py{n}": n for n in range(100)}
    value, version = client.gets("py")
    assert client.cas("py", [2], version, noreply=False) is True and client.cas("py", [3], version, noreply=False) is False
    client.set("count", "5", noreply=False)
    assert client.incr("count", 10) == 15 and client.decr("count", 20) == 0
    assert client.add("py", 1, noreply=False) is False and client.replace("nope", 1, noreply=False) is False
    assert client.touch("py", 10, noreply=False)
    assert client.delete("py", noreply=False) and client.get("py") is None
    assert client.stats()[b"version"] == b"1.6.18" and client.version() == b"1.6.18"
    assert client.raw_command(b"mg count v t") == b"VA 1 t-1"
    client.close()
    pooled = pymemcache.client.hash.HashClient([("127.0.0.1", port(server))], use_pooling=True)
    pooled.set("hashed", "x")
    assert pooled.get_many(["hashed"]) == {"hashed": b"x"}
    pooled.close()


def test_pylibmc(server):
    pylibmc = pytest.importorskip("pylibmc")
    client = pylibmc.Client([f"127.0.0.1:{port(server)}"], behaviors={"tcp_nodelay": True, "cas": True})
    assert client.set("lib", {"a": [1, 2]}, time=100) and client.get("lib") == {"a": [1, 2]}
    assert client.set_multi({f"lib{n}": n for n in range(500)}) == []
    assert client.get_multi([f"lib{n}" for n in range(600)]) == {f"lib{n}": n for n in range(500)}
    value, version = client.gets("lib")
    assert client.cas("lib", "new", version) and not client.cas("lib", "newer", version)
    assert client.set("count", 1) and client.incr("count", 41) == 42
    assert client.add("lib", 1) is False and client.append("count", "0")
    assert client.delete_multi(["lib1", "lib2"]) and client.get("lib1") is None
    assert client.set("large", "x" * 900_000) and len(client.get("large")) == 900_000
    assert client.touch("lib", 5)
    ((_, stats),) = client.get_stats()
    assert stats["version"] in ("1.6.18", b"1.6.18")
    assert client.flush_all() and client.get("lib") is None


@pytest.mark.parametrize("backend", ["dogpile.cache.pymemcache", "dogpile.cache.pylibmc"])
def test_dogpile(server, backend):
    region_module = pytest.importorskip("dogpile.cache")
    pytest.importorskip(backend.rpartition(".")[2])
    region = region_module.make_region().configure(
        backend, expiration_time=100, arguments={"url": [f"127.0.0.1:{port(server)}"], "distributed_lock": True})
    made = []

    @region.cache_on_arguments(namespace=backend)
    def double(number):
        made.append(number)
        return {"value": number * 2}
    assert [double(n) for n in (1, 2, 1, 2)] == [{"value": 2}, {"value": 4}, {"value": 2}, {"value": 4}] and made == [1, 2]
    region.set_multi({"a": 1, "b": 2})
    assert region.get_multi(["a", "b", "c"])[:2] == [1, 2]
    region.delete("a")
    assert region.get("a") is region_module.api.NO_VALUE


def test_flask_caching(server):
    flask = pytest.importorskip("flask")
    flask_caching = pytest.importorskip("flask_caching")
    pytest.importorskip("pylibmc")
    app = flask.Flask("cached")
    cache = flask_caching.Cache(app, config={
        "CACHE_TYPE": "MemcachedCache", "CACHE_MEMCACHED_SERVERS": [f"127.0.0.1:{port(server)}"], "CACHE_KEY_PREFIX": "flask-"})
    calls = []

    @app.route("/")
    @cache.cached(timeout=50)
    def page():
        calls.append(1)
        return "the page"
    with app.test_client() as browser:
        assert [browser.get("/").data for _ in range(3)] == [b"the page"] * 3
    assert len(calls) == 1
    with app.app_context():
        cache.set("x", [1, 2])
        assert cache.get("x") == [1, 2] and cache.get_many("x", "y") == [[1, 2], None]
        cache.delete("x")
        assert cache.get("x") is None


def test_a_client_in_a_burst_of_quiet_commands(client):
    client.send(b"".join(b"ms quiet%d 2 q\r\nab\r\n" % n for n in range(1000)) + b"".join(b"mg quiet%d q k v\r\n" % n for n in range(0, 2000, 500)) + b"mn\r\n")
    assert client.until_mark() == b"".join(b"VA 2 kquiet%d\r\nab\r\n" % n for n in (0, 500))
