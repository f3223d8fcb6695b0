"""The Redis protocol: conversations compared with a real redis-server byte for byte, foreign clients, and what only Martlet has."""

import asyncio
import shutil
import subprocess
import threading

import pytest

from redis_conversations import CONVERSATIONS, RAW
from resp import Resp, request
from server import PATIENCE, Server, await_until, read_to_end, reset, send_all, shut

redis = pytest.importorskip("redis")


@pytest.fixture(scope="module")
def resp():
    with Server(resp="127.0.0.1:0", options=["--threads", 2]) as running:
        yield running


@pytest.fixture
def client(resp):
    with Resp(resp.listeners["resp"]) as one:
        one.ask("flushall")
        yield one


@pytest.fixture(scope="module")
def rival(tmp_path_factory):
    """The address of a redis-server of this module's own; tests are skipped where there is none."""
    if not shutil.which("redis-server"):
        pytest.skip("no redis-server here")
    folder = tmp_path_factory.mktemp("redis")
    path = str(folder / "redis.sock")
    if len(path) > 100:
        pytest.skip("the path of a Unix socket is bounded")
    process = subprocess.Popen(
        ["redis-server", "--port", "0", "--unixsocket", path, "--save", "", "--dir", str(folder)],
        stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
    try:
        await_until(lambda: _answers(path), "redis-server answers")
        version = Resp(f"unix:{path}").ask("info server")
        if b"redis_version:7.0." not in version:
            pytest.skip("another redis-server than 7.0")
        yield f"unix:{path}"
    finally:
        process.kill()
        process.wait()


def _answers(path):
    try:
        with Resp(f"unix:{path}") as one:
            return one.ask("ping") == b"+PONG\r\n"
    except OSError:
        return False


def words(step):
    return step if isinstance(step, tuple) else (step,)


@pytest.mark.parametrize("version", [2, 3])
@pytest.mark.parametrize("name", CONVERSATIONS)
def test_a_conversation_is_answered_as_redis_answers(client, rival, name, version):
    with Resp(rival) as other:
        other.ask("flushall")
        for one in (client, other):
            one.ask(f"hello {version}")
        for step in CONVERSATIONS[name]:
            if isinstance(step, str) and step.startswith("ANY "):
                assert client.ask(step[4:])[:1] == other.ask(step[4:])[:1], step
            else:
                assert client.ask(*words(step)) == other.ask(*words(step)), step


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_in_one_write_and_cut_anywhere_the_replies_are_the_same(client, rival, name):
    steps = [step for step in CONVERSATIONS[name] if not (isinstance(step, str) and step.startswith(("ANY", "quit")))]
    with Resp(rival) as other:
        other.ask("flushall")
        expected = [other.ask(*words(step)) for step in steps]
    import shlex
    data = b"".join(request(*(step if isinstance(step, tuple) else shlex.split(step))) for step in steps)
    sender = threading.Thread(target=lambda: client.send(data))
    sender.start()
    assert [client.reply() for _ in steps] == expected
    sender.join()
    client.ask("flushall")
    for start in range(0, len(data), 1000):
        if start < 20_000:
            for at in range(start, start + 1000, 7):
                client.send(data[at:min(at + 7, start + 1000)])
        else:
            client.send(data[start:start + 1000])
    assert [client.reply() for _ in steps] == expected


def test_the_grammar_of_arguments_is_that_of_redis(resp, rival):
    def grammars(address):
        found = {}
        url = f"unix://{address[5:]}" if address.startswith("unix:") else f"redis://{address}"
        for name, facts in redis.Redis.from_url(url, protocol=3).execute_command("COMMAND DOCS").items():
            for one, part in [(name, facts), *facts.get(b"subcommands", {}).items()]:
                found[one] = plain(part.get(b"arguments"))
        return found

    def plain(part):
        if isinstance(part, dict):
            return {key: sorted(value) if key == b"flags" else plain(value) for key, value in part.items() if key not in (b"since", b"deprecated_since", b"summary")}
        return [plain(one) for one in part] if isinstance(part, list) else part

    ours, theirs = grammars(resp.listeners["resp"]), grammars(rival)
    assert len(ours.keys() & theirs.keys()) > 150
    assert {name: ours[name] for name in ours.keys() & theirs.keys()} == {name: theirs[name] for name in ours.keys() & theirs.keys()}
    assert all(ours[name] for name in ours.keys() - theirs.keys())


@pytest.mark.parametrize("data", RAW, ids=lambda data: repr(data[:20]))
def test_bytes_are_answered_as_redis_answers(client, resp, rival, data):
    answers = []
    for address in (resp.listeners["resp"], rival):
        with Resp(address) as one:
            one.ask("flushall")
            send_all(one.socket, data)
            send_all(one.socket, request("echo", "the-end"))
            shut(one.socket)
            answers.append(read_to_end(one.socket))
    assert answers[0] == answers[1]


DUMPED = [
    b"", b"a", b"1", b"-7", b"300", b"-70000", b"2147483647", b"-2147483648", b"2147483648", b"x" * 19, b"x" * 63, b"x" * 64, b"abcabcabcabcabcabcabcabc", b"x" * 16383,
    bytes(range(256)) * 70, b"y" * 100_000, bytes((n * n >> 3) & 255 for n in range(300_000)), b"spam and eggs " * 50_000,
]


def bulk_of(reply):
    return reply[reply.index(b"\r\n") + 2:-2]


@pytest.mark.parametrize("value", DUMPED, ids=lambda value: f"{value[:8]!r}-{len(value)}")
def test_dumps_travel_both_ways(client, rival, value):
    with Resp(rival) as other:
        for one, two in ((client, other), (other, client)):
            one.ask("set", "from", value)
            assert two.ask("restore", "to", 0, bulk_of(one.ask("dump", "from")), "replace") == b"+OK\r\n"
            assert bulk_of(two.ask("get", "to")) == value
            assert two.ask("ttl", "to") == b":-1\r\n"


def test_what_restore_is_told_beside_the_value(client, rival):
    with Resp(rival) as other:
        for one in (client, other):
            one.ask("flushall")
            one.ask("set a value")
            dump = bulk_of(one.ask("dump a"))
            other.ask("rpush list 1 2")
            listed = bulk_of(other.ask("dump list"))
            assert one.ask("restore", "a", 0, dump) == b"-BUSYKEY Target key name already exists.\r\n"
            assert one.ask("restore", "a", 100_000, dump, "replace") == b"+OK\r\n"
            assert one.ask("ttl a") in (b":100\r\n", b":99\r\n")
            assert one.ask("restore", "b", 33177117420000, dump, "absttl", "idletime", 5) == b"+OK\r\n"
            assert one.ask("pexpiretime b") == b":33177117420000\r\n"
            assert one.ask("restore", "b", 1, dump, "replace", "ABSTTL", "freq", 5) == b"+OK\r\n"
            assert one.ask("exists b") == b":0\r\n"
            damaged = dump[:3] + b"X" + dump[4:]
            assert one.ask("restore", "c", 0, damaged) == b"-ERR DUMP payload version or checksum are wrong\r\n"
            assert one.ask("restore", "c", 0, dump[:-10] + b"\x0b\x00" + dump[-8:]) == b"-ERR DUMP payload version or checksum are wrong\r\n"
        assert client.ask("restore", "c", 0, listed) == b"-ERR Bad data format\r\n"


def test_long_subsequences_are_bounded(client):
    client.ask("mset", "a", "x" * 5000, "b", "y" * 5000)
    assert client.ask("lcs a b").startswith(b"-ERR Insufficient memory, transient memory for LCS")


def test_frequency_and_idle_time_are_told(client):
    client.ask("set used 1")
    for _ in range(5):
        client.ask("get used")
    assert client.ask("object freq used") == b":3\r\n"
    assert client.ask("object freq nope") == b"$-1\r\n"
    small, large = int(client.ask("memory usage used")[1:]), 0
    client.ask("set", "large", "x" * 100_000)
    large = int(client.ask("memory usage large")[1:])
    assert 15 < small < 64 and 100_000 < large < 110_000


def test_http_is_refused_at_once(resp):
    with Resp(resp.listeners["resp"]) as one:
        one.send(b"POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 12\r\n\r\nset evil 1\r\n")
        assert one.rest() == b""
    with Resp(resp.listeners["resp"]) as one:
        assert one.ask("get evil") == b"$-1\r\n"


def test_keys_and_values_have_bounds_and_the_stream_stays_in_step(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB")
    with Resp(server.listeners["resp"]) as one:
        assert one.ask("set", "k" * 65536, "v") == b"+OK\r\n"
        assert one.ask("set", "k" * 65537, "v") == b"-ERR key too long\r\n"
        assert one.ask("set", "a", "x" * (1 << 20)) == b"+OK\r\n"
        assert one.ask("setrange", "a", 8 << 20, "x") == b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
        one.send(b"*3\r\n$3\r\nSET\r\n$1\r\na\r\n$%d\r\n" % ((8 << 20) + 1))
        assert one.rest() == b"-ERR Protocol error: invalid bulk length\r\n"


def test_at_the_limit_without_eviction_a_write_is_refused(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "32MiB", "--eviction", "none")
    with Resp(server.listeners["resp"]) as one:
        for number in range(1000):
            reply = one.ask("set", f"k{number}", "x" * 100_000)
            if reply != b"+OK\r\n":
                break
        assert reply == b"-OOM command not allowed when used memory > 'maxmemory'.\r\n"
        assert one.ask("get k0").startswith(b"$100000\r\n")


def test_a_token_is_wanted(start):
    server = start("--resp", "127.0.0.1:0", "--token", "secret")
    with Resp(server.listeners["resp"]) as one:
        assert one.ask("get a") == b"-NOAUTH Authentication required.\r\n"
        assert one.ask("ping") == b"-NOAUTH Authentication required.\r\n"
        assert one.ask("auth wrong").startswith(b"-WRONGPASS")
        assert one.ask("auth other secret").startswith(b"-WRONGPASS")
        assert one.ask("hello 3").startswith(b"-NOAUTH HELLO")
        assert one.ask("auth secret") == b"+OK\r\n"
        assert one.ask("get a") == b"$-1\r\n"
        assert one.ask("reset") == b"+RESET\r\n"
        assert one.ask("get a").startswith(b"-NOAUTH")
        assert one.ask("auth default secret") == b"+OK\r\n"
    with Resp(server.listeners["resp"]) as one:
        assert one.ask("hello 3 auth default secret").startswith(b"%8\r\n")
    with Resp(server.listeners["resp"]) as one:
        one.send(b"*11\r\n")
        assert one.rest() == b"-ERR Protocol error: unauthenticated multibulk length\r\n"


def test_what_follows_a_token_in_the_same_bytes_is_read_by_the_rules_of_who_has_shown_it(start):
    server = start("--resp", "127.0.0.1:0", "--token", "secret")
    pairs = [word for number in range(20) for word in (f"k{number}", number)]
    for greeting in (request("auth", "secret"), b"auth secret\r\n"):
        with Resp(server.listeners["resp"]) as one:
            one.send(greeting + request("mset", *pairs) + request("set", "long", "x" * 20_000) + request("strlen", "long"))
            assert [one.reply() for _ in range(4)] == [b"+OK\r\n", b"+OK\r\n", b"+OK\r\n", b":20000\r\n"]


def test_beyond_loopback_a_token_is_demanded():
    from server import run
    ended = run("serve", "--http", "off", "--memcached", "off", "--resp", "0.0.0.0:0")
    assert ended.returncode == 2 and "--resp" in ended.stderr


def test_a_port_in_use_is_an_error(resp):
    from server import run
    ended = run("serve", "--http", "off", "--memcached", "off", "--resp", resp.listeners["resp"])
    assert ended.returncode == 1


def test_too_many_clients_are_told_so(start):
    server = start("--resp", "127.0.0.1:0", "--connections", 2)
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two:
        assert one.ask("ping") == two.ask("ping") == b"+PONG\r\n"  # both are in before a third knocks, whatever loop takes it
        with Resp(server.listeners["resp"]) as three:
            assert three.rest() == b"-ERR max number of clients reached\r\n"


def test_a_unix_socket_serves(start, tmp_path):
    server = start("--resp", f"unix:{tmp_path}/r")
    with Resp(server.listeners["resp"]) as one:
        assert one.ask("ping") == b"+PONG\r\n"


def test_draining_closes_idle_connections(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one:
        one.ask("ping")
        server.stop()
        assert one.rest() == b""


def test_idle_connections_are_closed_only_when_asked_to(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one:
        assert one.ask("config set timeout 1") == b"+OK\r\n"
        assert one.ask("config get timeout") == b"*2\r\n$7\r\ntimeout\r\n$1\r\n1\r\n"
        assert one.rest() == b""


def test_clients_that_vanish_in_mid_command_leave_nothing(resp):
    for _ in range(50):
        one = Resp(resp.listeners["resp"])
        one.send(b"*3\r\n$3\r\nSET\r\n$1\r\nhalf\r\n$100000\r\nabc")
        reset(one.socket)
    with Resp(resp.listeners["resp"]) as one:
        await_until(lambda: one.ask("client list").count(b"id=") <= 3, "the list of clients is short")
        assert one.ask("get half") == b"$-1\r\n"


def test_what_one_protocol_writes_the_other_reads(resp, client):
    resp.put("/v1/cache/shared?ttl=100&tags=x", b'{"a":1}', headers={"Content-Type": "application/json"})
    assert client.ask("get shared") == b'$7\r\n{"a":1}\r\n'
    assert client.ask("ttl shared") in (b":100\r\n", b":99\r\n")
    assert client.ask("rename shared other") == b"+OK\r\n"
    response = resp.get("/v1/cache/other")
    assert response.headers["Content-Type"] == "application/json" and response.headers["Cache-Tag"] == "x"
    resp.delete("/v1/tags/x")
    assert client.ask("exists other") == b":0\r\n"
    client.ask("set", "plain", b"\x00\xff")
    assert resp.get("/v1/cache/plain").content == b"\x00\xff"


def test_commands_are_counted(resp, client):
    for _ in range(3):
        client.ask("get counted")
    text = resp.get("/metrics").text
    assert 'martlet_connections{protocol="resp"}' in text
    assert 'martlet_resp_commands_total{command="get"}' in text
    assert "martlet_resp_command_seconds_count" in text


def test_transactions_of_many_clients_are_atomic(resp):
    """Two counters are moved in opposite directions; whoever looks at both in one transaction finds their sum unchanged."""
    address = resp.listeners["resp"]
    with Resp(address) as one:
        one.ask("mset left 0 right 0")
    sums, failures = [], []

    def move():
        with Resp(address) as one:
            for _ in range(300):
                one.send(request("multi") + request("incr", "left") + request("decr", "right") + request("exec"))
                for _ in range(4):
                    one.reply()

    def look():
        with Resp(address) as one:
            for _ in range(300):
                one.send(request("multi") + request("get", "left") + request("get", "right") + request("exec"))
                last = [one.reply() for _ in range(4)][-1].split(b"\r\n")
                sums.append(int(last[2]) + int(last[4]))
    threads = [threading.Thread(target=target) for target in (move, move, look, look)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert set(sums) == {0} and not failures


def test_watched_keys_guard_increments(resp):
    address = resp.listeners["resp"]
    with Resp(address) as one:
        one.ask("set guarded 0")

    def add():
        with Resp(address) as one:
            done = 0
            while done < 50:
                one.ask("watch guarded")
                value = int(one.ask("get guarded").split(b"\r\n")[1])
                one.send(request("multi") + request("set", "guarded", value + 1) + request("exec"))
                if [one.reply() for _ in range(3)][-1] != b"*-1\r\n":
                    done += 1
    threads = [threading.Thread(target=add) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    with Resp(address) as one:
        assert one.ask("get guarded") == b"$3\r\n200\r\n"


def test_every_key_is_met_by_scan(client):
    client.send(b"".join(request("set", f"scan-{n}", n) for n in range(3000)))
    for _ in range(3000):
        client.reply()
    cursor, seen = b"0", set()
    while True:
        lines = client.ask("scan", cursor, "count", "100").split(b"\r\n")
        cursor = lines[2]
        seen.update(lines[5::2])
        if cursor == b"0":
            break
    assert {b"scan-%d" % n for n in range(3000)} <= seen
    assert client.ask("dbsize") == b":3000\r\n"


# Foreign clients

def port(resp):
    return int(resp.listeners["resp"].rpartition(":")[2])


@pytest.mark.skipif(not shutil.which("redis-cli"), reason="no redis-cli here")
def test_redis_cli(resp):
    def cli(*words):
        return subprocess.run(["redis-cli", "-p", str(port(resp)), *words], capture_output=True, text=True, timeout=PATIENCE).stdout
    assert cli("set", "cli", "value") == "OK\n"
    assert cli("get", "cli") == "value\n"
    assert cli("-3", "get", "nothing") == "\n"
    assert "redis_version:7.0.15" in cli("info")
    assert "cli" in cli("--scan", "--pattern", "cli*")


@pytest.mark.parametrize("protocol", [2, 3])
def test_redis_py(resp, protocol):
    client = redis.Redis(port=port(resp), protocol=protocol, client_name="py")
    assert client.ping()
    client.set("py", "value", ex=100)
    assert client.get("py") == b"value" and 98 <= client.ttl("py") <= 100
    assert client.mset({"py1": 1, "py2": 2}) and client.mget("py1", "py2", "py3") == [b"1", b"2", None]
    with client.pipeline(transaction=True) as pipe:
        pipe.incr("py-count").incr("py-count").get("py-count")
        assert pipe.execute() == [1, 2, b"2"]
    assert client.info()["redis_version"] == "7.0.15"
    assert client.client_getname() in ("py", b"py")
    assert any(one["name"] == "py" for one in client.client_list())
    assert client.config_get("maxmemory-policy")
    assert client.command_count() > 50
    assert b"py" in set(client.scan_iter(match="py*"))
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("py")
    client.delete("py-count")
    client.close()


def test_redis_py_asyncio(resp):
    async def talk():
        client = redis.asyncio.Redis(port=port(resp), protocol=3)
        await asyncio.gather(*(client.set(f"aio-{n}", n) for n in range(100)))
        assert await client.mget([f"aio-{n}" for n in range(100)]) == [b"%d" % n for n in range(100)]
        async with client.pipeline(transaction=False) as pipe:
            for n in range(100):
                pipe.get(f"aio-{n}")
            assert await pipe.execute() == [b"%d" % n for n in range(100)]
        await client.aclose()
    asyncio.run(talk())


def test_redis_py_lock_by_watch(resp):
    client = redis.Redis(port=port(resp))
    client.set("optimistic", 1)

    def add(pipe):
        value = int(pipe.get("optimistic"))
        pipe.multi()
        pipe.set("optimistic", value + 1)
    client.transaction(add, "optimistic")
    assert client.get("optimistic") == b"2"
