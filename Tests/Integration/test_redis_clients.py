"""Other people's clients and caching libraries, as they come from PyPI, pointed at Martlet."""

import asyncio
import importlib
import shutil
import subprocess
import threading

import pytest

from server import PATIENCE, Server

redis = pytest.importorskip("redis")
redis_asyncio = importlib.import_module("redis.asyncio")


@pytest.fixture(scope="module")
def resp():
    with Server(resp="127.0.0.1:0", options=["--threads", 2]) as running:
        yield running


@pytest.fixture
def port(resp):
    return int(resp.listeners["resp"].rpartition(":")[2])


# redis-py: both parsers, both protocols, publishing and subscribing

def parsers():
    """redis-py takes hiredis for RESP2 where it is installed; named, so that its own is tested, too."""
    base = importlib.import_module("redis._parsers")
    return {"python-2": (2, base._RESP2Parser), "python-3": (3, base._RESP3Parser), "hiredis-2": (2, base._HiredisParser), "hiredis-3": (3, base._HiredisParser)}


@pytest.fixture(params=["python-2", "python-3", "hiredis-2", "hiredis-3"])
def client(request, port):
    protocol, parser = parsers()[request.param]
    if "hiredis" in request.param:
        pytest.importorskip("hiredis")
    pool = redis.ConnectionPool(port=port, protocol=protocol, parser_class=parser, socket_timeout=PATIENCE)
    one = redis.Redis(connection_pool=pool)
    one.flushdb()
    yield one
    one.close()
    pool.disconnect()


def test_values_of_any_bytes_and_pipelines(client):
    client.set("k", b"\x00\r\n\xff", px=100_000)
    assert client.get("k") == b"\x00\r\n\xff" and client.pttl("k") > 90_000
    assert client.mget(["k", "nope"]) == [b"\x00\r\n\xff", None]
    with client.pipeline(transaction=True) as pipe:
        pipe.set("n", 1).incr("n").get("n").strlen("k").get("nope")
        assert pipe.execute() == [True, 2, b"2", 4, None]
    with client.pipeline(transaction=False) as pipe:
        for number in range(500):
            pipe.set(f"p{number}", number)
        assert all(pipe.execute())
    assert len(list(client.scan_iter(match="p*", count=50))) == 500
    with pytest.raises(redis.ResponseError, match="not an integer"):
        client.incr("k")
    assert client.setrange("large", 1 << 20, "x") == (1 << 20) + 1 and len(client.get("large")) == (1 << 20) + 1


def test_the_server_is_understood(client):
    assert client.info()["redis_mode"] == "standalone" and client.info("memory")["maxmemory"] > 0
    assert client.info("commandstats")["cmdstat_info"]["calls"] >= 1
    assert client.config_get("maxmemory*")["maxmemory-policy"]
    assert client.config_set("slowlog-max-len", 128)
    assert client.client_setname("me") and client.client_getname() in ("me", b"me")
    assert client.client_info()["name"] == "me" and any(one["name"] == "me" for one in client.client_list())
    assert client.client_id() > 0 and client.client_kill_filter(_id="999999") == 0
    assert client.client_pause(1) and client.client_unpause()
    assert client.command_count() > 100 and "client" in str(client.command_list())
    assert client.command()["get"]["arity"] == 2
    assert client.command_getkeys("mset", "a", 1, "b", 2) in (["a", "b"], [b"a", b"b"])
    assert client.slowlog_reset() and isinstance(client.slowlog_get(), list) and client.slowlog_len() >= 0
    assert client.acl_whoami() in ("default", b"default") and client.acl_users() in (["default"], [b"default"])
    assert client.acl_getuser("default")["enabled"] and "string" in str(client.acl_cat())
    assert client.memory_stats() and client.module_list() == [] and client.role()[0] in ("master", b"master")
    assert client.latency_latest() == [] and client.wait(0, 0) == 0 and client.lastsave().year > 2000
    with pytest.raises(redis.ResponseError, match="memory only"):
        client.bgsave()
    with pytest.raises(redis.ResponseError, match="cluster support disabled"):
        client.execute_command("CLUSTER INFO")


def test_messages(client):
    pubsub = client.pubsub(ignore_subscribe_messages=True)
    pubsub.subscribe("news")
    pubsub.psubscribe("n*")
    pubsub.get_message(timeout=PATIENCE)
    pubsub.get_message(timeout=PATIENCE)
    assert client.pubsub_numsub("news")[0][1] == 1 and client.pubsub_numpat() == 1
    assert client.publish("news", "hello") == 2
    found = [pubsub.get_message(timeout=PATIENCE) for _ in range(2)]
    assert [one["type"] for one in found] == ["message", "pmessage"] and all(one["data"] == b"hello" for one in found)
    pubsub.unsubscribe()
    pubsub.punsubscribe()
    pubsub.close()


def test_messages_in_a_thread(client):
    got = threading.Event()
    pubsub = client.pubsub()
    pubsub.subscribe(**{"thread": lambda message: got.set() if message["data"] == b"x" else None})
    worker = pubsub.run_in_thread(sleep_time=0.01)
    while not client.publish("thread", "x"):
        pass
    assert got.wait(PATIENCE)
    worker.stop()
    worker.join()
    pubsub.close()


@pytest.mark.parametrize("protocol", [2, 3])
def test_asyncio(port, protocol):
    async def talk():
        client = redis_asyncio.Redis(port=port, protocol=protocol)
        async with client.pubsub(ignore_subscribe_messages=True) as pubsub:
            await pubsub.subscribe("async")
            await pubsub.get_message(timeout=PATIENCE)
            async with client.pipeline(transaction=True) as pipe:
                for number in range(100):
                    pipe.publish("async", number)
                counts = await pipe.execute()
            assert set(counts) == {1}
            got = []
            while len(got) < 100:
                message = await pubsub.get_message(timeout=PATIENCE)
                if message:
                    got.append(int(message["data"]))
            assert got == list(range(100))
        await asyncio.gather(*(client.set(f"a{n}", n) for n in range(50)))
        assert await client.mget([f"a{n}" for n in range(50)]) == [b"%d" % n for n in range(50)]
        await client.aclose()
    asyncio.run(talk())


def test_a_lock_is_taken_and_its_release_wants_scripts(port):
    """redis-py's Lock takes by SET NX PX; it gives back, extends and reacquires by Lua, which Martlet does not run: the key goes by its
    time, or by DEL."""
    client = redis.Redis(port=port)
    client.delete("lock")
    lock = client.lock("lock", timeout=100, blocking=False)
    assert lock.acquire() and lock.locked() and lock.owned()
    assert not client.lock("lock", timeout=100, blocking=False).acquire()
    with pytest.raises(redis.ResponseError, match="unknown command '(SCRIPT|EVALSHA)'"):
        lock.release()
    client.delete("lock")
    assert client.lock("lock", timeout=100, blocking=False).acquire()
    client.close()


# redis-cli

needs_cli = pytest.mark.skipif(not shutil.which("redis-cli"), reason="no redis-cli here")


@needs_cli
def test_the_tools_of_redis_cli(port):
    def cli(*words, text=None):
        return subprocess.run(["redis-cli", "-p", str(port), *words], input=text, capture_output=True, text=True, timeout=PATIENCE).stdout
    cli("flushall")
    assert cli(text="multi\nset a 1\nincr a\nexec\n") == "OK\nQUEUED\nQUEUED\nOK\n2\n"
    assert cli("--pipe", text="SET piped 1\r\nSET piped2 2\r\n").endswith("errors: 0, replies: 2\n")
    assert "Biggest string found" in cli("--bigkeys", "-i", "0") and "Biggest string found" in cli("--memkeys", "-i", "0")
    assert cli("-n", "3", "set", "elsewhere", "1") == "OK\n" and cli("swapdb", "3", "4") == "OK\n" and cli("-n", "4", "get", "elsewhere") == "1\n"
    assert "redis_version:7.0.15" in cli("info") and "cmd=client|list" in cli("client", "list")
    assert cli("-3", "publish", "c", "x") == "0\n" and cli("pubsub", "channels") == "\n"
    assert cli("--json", "hello", "3").startswith('{"server":"redis"')


@needs_cli
def test_redis_cli_subscribes(port):
    command = ["redis-cli", "-p", str(port), "psubscribe", "cli*"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as listener:
        assert [listener.stdout.readline() for _ in range(3)] == ["psubscribe\n", "cli*\n", "1\n"]
        client = redis.Redis(port=port)
        assert client.publish("client", "hello") == 1
        assert [listener.stdout.readline() for _ in range(4)] == ["pmessage\n", "cli*\n", "client\n", "hello\n"]
        client.close()
        listener.kill()


# Caching libraries

def test_walrus_cache(port):
    walrus = pytest.importorskip("walrus")
    cache = walrus.Database(port=port).cache(name="walrus")
    calls = []

    @cache.cached(timeout=100)
    def double(number):
        calls.append(number)
        return number * 2
    assert double(4) == double(4) == 8 and calls == [4]
    double.bust(4)
    assert double(4) == 8 and calls == [4, 4]
    assert cache.set("a", {"b": [1, None]}, 10) and cache.get("a") == {"b": [1, None]}
    assert cache.set_many(x=1, y=2) and cache.get_many(["x", "y"]) == {"x": 1, "y": 2}
    assert cache.delete("a") == 1 and cache.get("a", "none") == "none"
    assert len(list(cache.keys())) == 3 and cache.flush()


def test_django_cache(port):
    django = pytest.importorskip("django.core.cache.backends.redis")
    cache = django.RedisCache(f"redis://127.0.0.1:{port}/5", {"KEY_PREFIX": "dj", "TIMEOUT": 100})
    cache.clear()
    cache.set("a", {"n": 1}, 50)
    assert cache.get("a") == {"n": 1} and "a" in cache
    assert not cache.add("a", 2) and cache.add("b", 2)
    assert cache.incr("b", 5) == 7 and cache.decr("b") == 6
    with pytest.raises(ValueError):
        cache.incr("nope")
    assert cache.touch("a", 10) and not cache.touch("nope")
    assert cache.set_many({"x": 1, "y": "z"}, 30) == [] and cache.get_many(["x", "y", "nope"]) == {"x": 1, "y": "z"}
    cache.delete_many(["x", "y"])
    assert cache.get_many(["x", "y"]) == {} and cache.delete("a") and not cache.delete("a")
    assert cache.get_or_set("lazy", lambda: 9) == 9 and cache.get("lazy") == 9
    cache.set("v", 1, version=1)
    assert cache.incr_version("v") == 2 and cache.get("v", version=2) == 1
    cache.set("gone", 1, timeout=0)
    assert cache.get("gone") is None
    cache.clear()
    assert cache.get("b") is None
    cache.close()


def test_flask_caching(port):
    flask = pytest.importorskip("flask")
    flask_caching = pytest.importorskip("flask_caching")
    app = flask.Flask("martlet")
    cache = flask_caching.Cache(app, config={"CACHE_TYPE": "RedisCache", "CACHE_REDIS_HOST": "127.0.0.1", "CACHE_REDIS_PORT": port, "CACHE_REDIS_DB": 6})
    calls = []

    @app.route("/slow")
    @cache.cached(timeout=50)
    def slow():
        calls.append(1)
        return "done"

    @cache.memoize(50)
    def add(left, right):
        calls.append(2)
        return left + right
    with app.app_context():
        browser = app.test_client()
        assert browser.get("/slow").data == browser.get("/slow").data == b"done" and calls == [1]
        assert add(1, 2) == add(1, 2) == 3 and calls == [1, 2]
        cache.delete_memoized(add)
        assert add(1, 2) == 3 and calls == [1, 2, 2]
        assert cache.set("k", [1, 2], timeout=10) and cache.get("k") == [1, 2] and cache.has("k")
        assert cache.set_many({"a": 1, "b": 2}) and cache.get_many("a", "b") == [1, 2] and cache.get_dict("a") == {"a": 1}
        assert not cache.add("a", 5) and cache.delete("a") and cache.get("a") is None
        cache.delete_many("b", "k")
        assert cache.get("k") is None
        cache.clear()


def test_dogpile_cache(port):
    dogpile = pytest.importorskip("dogpile.cache")
    region = dogpile.make_region().configure(
        "dogpile.cache.redis", expiration_time=100, arguments={"host": "127.0.0.1", "port": port, "db": 7, "redis_expiration_time": 200})
    calls = []

    @region.cache_on_arguments()
    def square(number):
        calls.append(number)
        return number * number
    assert square(3) == square(3) == 9 and calls == [3]
    square.invalidate(3)
    assert square(3) == 9 and calls == [3, 3]
    region.set_multi({"a": 1, "b": 2})
    assert region.get_multi(["a", "b", "c"])[:2] == [1, 2]
    region.delete_multi(["a", "b"])
    assert region.get("a") is dogpile.api.NO_VALUE
    herd = [threading.Thread(target=lambda: region.get_or_create("herd", lambda: calls.append("herd") or 1)) for _ in range(8)]
    for thread in herd:
        thread.start()
    for thread in herd:
        thread.join()
    assert calls.count("herd") == 1
