"""What operators and clients ask of a Redis server beside its data: connections ended and paused, slow commands, figures, shutdown."""

import threading
import time

import pytest

from resp import Resp, request
from server import PATIENCE, await_until
from test_resp import resp  # noqa: F401: fixture


def bulk(text):
    return b"$%d\r\n%s\r\n" % (len(text), text)


@pytest.fixture
def pair(resp):
    """Two connections, most likely of different threads."""
    with Resp(resp.listeners["resp"]) as one, Resp(resp.listeners["resp"]) as two:
        yield one, two


def number(one):
    return int(one.ask("client id")[1:])


def facts(one, section=""):
    lines = one.ask(f"info {section}").decode().split("\r\n")
    return dict(line.split(":", 1) for line in lines if ":" in line and not line.startswith("#"))


def listed(one, **wanted):
    """The lines of CLIENT LIST as dictionaries, those that have these fields."""
    lines = one.ask("client list").decode().partition("\r\n")[2].split("\n")
    clients = [dict(field.partition("=")[::2] for field in line.split(" ")) for line in lines if line.startswith("id=")]
    return [client for client in clients if all(client[name] == value for name, value in wanted.items())]


# CLIENT KILL

@pytest.mark.parametrize("filters", ["id {id}", "addr {addr}", "addr {addr} laddr {laddr} type normal user default skipme yes", "id {id} type pubsub"])
def test_kill_ends_the_connections_that_match(resp, pair, filters):
    one, two = pair
    two.ask("client setname victim")
    if "pubsub" in filters:
        two.ask("hello 3")
        two.ask("subscribe x")
    victim, = listed(one, name="victim")
    assert one.ask("client kill " + filters.format(**victim)) == b":1\r\n"
    assert two.rest() == b""
    await_until(lambda: not listed(one, name="victim"), "it is off the list")


def test_kill_by_address_alone(pair):
    one, two = pair
    two.ask("client setname old-form")
    address = listed(one, name="old-form")[0]["addr"]
    assert one.ask(f"client kill {address}") == b"+OK\r\n"
    assert two.rest() == b""


def test_killing_itself_is_answered_first(pair):
    one, two = pair
    assert one.ask(f"client kill id {number(one)}") == b":0\r\n"
    assert one.ask(f"client kill id {number(one)} skipme no") == b":1\r\n"
    assert one.rest() == b""


def test_killed_connections_are_counted(resp, pair):
    one, two = pair
    one.ask(f"client kill id {number(two)}")
    assert two.rest() == b""
    await_until(lambda: 'martlet_connections_closed_total{protocol="resp",reason="killed"} 0' not in resp.get("/metrics").text, "it is counted")


def test_unblock_ends_a_wait(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two:
        one.ask("martlet.lease k 100")
        for reason, reply in (("", b"*3\r\n$-1\r\n$-1\r\n:0\r\n"), ("error", b"-UNBLOCKED client unblocked via CLIENT UNBLOCK\r\n")):
            identity = number(two)
            two.send(request("martlet.lease", "k", "100", "wait", "50"))
            await_until(lambda: listed(one, flags="b"), "it waits")
            assert facts(one, "clients")["blocked_clients"] == "1"
            assert one.ask(f"client unblock {identity} {reason}") == b":1\r\n"
            assert two.reply() == reply
        assert one.ask(f"client unblock {number(two)}") == b":0\r\n"


# CLIENT PAUSE

@pytest.fixture
def trio(start):
    """Three connections to a server of their own, since a pause is for all."""
    server = start("--resp", "127.0.0.1:0", "--threads", 2)
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two, Resp(server.listeners["resp"]) as three:
        yield one, two, three


def test_a_pause_of_all_ends_by_its_time(trio):
    one, two, _ = trio
    begun = time.monotonic()
    assert one.ask("client pause 200") == b"+OK\r\n"
    two.send(request("get", "a") + request("set", "a", 1) + b"get a\r\n")
    assert two.reply() == b"$-1\r\n"
    assert time.monotonic() - begun > 0.15
    assert (two.reply(), two.reply()) == (b"+OK\r\n", b"$1\r\n1\r\n")


def test_a_pause_of_writes_lets_reads_through_until_unpause(trio):
    one, two, three = trio
    assert one.ask("set a 1") == b"+OK\r\n"
    assert one.ask("client pause 100000 write") == b"+OK\r\n"
    two.send(request("get", "a") + request("set", "a", 2) + request("get", "a"))
    three.send(b"multi\r\nget a\r\nexec\r\npublish c x\r\n")
    assert two.reply() == b"$1\r\n1\r\n"
    assert [three.reply() for _ in range(3)] == [b"+OK\r\n", b"+QUEUED\r\n", b"*1\r\n$1\r\n1\r\n"]
    assert one.ask("get a") == b"$1\r\n1\r\n"
    assert one.ask("client unpause") == b"+OK\r\n"
    assert (two.reply(), two.reply()) == (b"+OK\r\n", b"$1\r\n2\r\n")
    assert three.reply() == b":0\r\n"


def test_whoever_waits_out_a_pause_can_be_killed_and_the_server_stopped(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 1)
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two, Resp(server.listeners["resp"]) as three:
        identity = number(two)
        one.ask("client pause 100000 write")
        two.send(request("set", "a", 1))
        three.send(request("set", "b", 1))
        assert one.ask(f"client kill id {identity}") == b":1\r\n"
        assert two.rest() == b""
        server.stop()
        assert three.rest() in (b"+OK\r\n", b"")


# CLIENT REPLY, LIST, INFO

def test_the_list_tells_what_each_connection_does(pair):
    one, two = pair
    identity = str(number(two))
    two.ask("select 3")
    two.ask("client setinfo lib-name py")
    two.ask("multi")
    two.ask("get a")
    mine, = listed(one, id=identity)
    assert mine["db"] == "3" and mine["multi"] == "1" and mine["flags"] == "x" and mine["lib-name"] == "py" and mine["resp"] == "2"
    two.ask("discard")
    own, = [client for client in listed(one) if client["cmd"] == "client|list"]
    assert own["id"] == str(number(one)) and own["user"] == "default"


# SLOWLOG

def test_slow_commands_are_kept_and_secrets_are_not(start):
    server = start("--resp", "127.0.0.1:0", "--token", "secret", "--threads", 1)
    with Resp(server.listeners["resp"]) as one:
        one.ask("auth secret")
        one.ask("client setname slow")
        assert one.ask("config set slowlog-log-slower-than 0 slowlog-max-len 4") == b"+OK\r\n"
        one.ask("auth secret")
        one.ask("hello 2 auth default secret")
        one.ask("set", "k", "x" * 200)
        one.ask("mget", *range(40))
        one.ask("config set slowlog-log-slower-than -1")
        log = one.ask("slowlog get -1")
        assert log.startswith(b"*4\r\n*6\r\n:")
        assert b"x" * 128 + b"... (72 more bytes)" in log and b"... (10 more arguments)" in log
        assert b"secret" not in log and log.count(b"(redacted)") == 5
        assert b"slow\r\n" in log and b"127.0.0.1:" in log
        assert one.ask("slowlog get 1").startswith(b"*1\r\n")
        assert one.ask("slowlog len") == b":4\r\n"
        assert one.ask("slowlog reset") == b"+OK\r\n" and one.ask("slowlog get") == b"*0\r\n"


# INFO and CONFIG RESETSTAT

#: What exporters and dashboards read.
FIELDS = """redis_version redis_mode os arch_bits multiplexing_api process_id run_id tcp_port uptime_in_seconds uptime_in_days connected_clients blocked_clients
    maxclients used_memory used_memory_human used_memory_rss used_memory_peak used_memory_peak_human used_memory_dataset used_memory_lua maxmemory maxmemory_human maxmemory_policy
    mem_fragmentation_ratio mem_allocator total_system_memory loading rdb_changes_since_last_save rdb_bgsave_in_progress rdb_last_save_time rdb_last_bgsave_status aof_enabled aof_last_bgrewrite_status
    total_connections_received total_commands_processed instantaneous_ops_per_sec total_net_input_bytes total_net_output_bytes expired_keys evicted_keys keyspace_hits keyspace_misses pubsub_channels
    pubsub_patterns latest_fork_usec total_error_replies role connected_slaves master_replid master_repl_offset repl_backlog_active used_cpu_sys used_cpu_user cluster_enabled""".split()


def test_the_fields_that_are_read_are_there(pair):
    one, _ = pair
    assert not set(FIELDS) - set(facts(one))
    assert "cmdstat_info" not in facts(one) and "cmdstat_info" in facts(one, "all")
    assert set(facts(one, "cpu")) == {"used_cpu_sys", "used_cpu_user", "used_cpu_sys_children", "used_cpu_user_children"}
    assert one.ask("info nosuch") == b"$0\r\n\r\n"


def test_figures_are_those_of_all_threads_and_begin_anew(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 2)
    connections = [Resp(server.listeners["resp"]) for _ in range(4)]
    connections[0].ask("config resetstat")
    for one in connections:
        one.send(request("get", "a") * 50 + request("set", "n", "x") + request("incr", "n") + request("get"))
        for _ in range(53):
            one.reply()
    seen = facts(connections[0], "everything")
    figures = {name: dict(pair.split("=") for pair in seen[f"cmdstat_{name}"].split(",")) for name in ("get", "incr")}
    assert figures["get"]["calls"] == "200" and figures["get"]["rejected_calls"] == "4" and figures["incr"]["failed_calls"] == "4"
    assert int(figures["get"]["usec"]) > 0
    assert seen["errorstat_ERR"] == "count=8" and seen["total_error_replies"] == "8"
    assert seen["keyspace_misses"] == "200" and int(seen["total_commands_processed"]) >= 212
    assert connections[0].ask("config resetstat") == b"+OK\r\n"
    assert facts(connections[0])["keyspace_misses"] == "0" and "cmdstat_get" not in facts(connections[0], "commandstats")
    assert 'martlet_resp_commands_total{command="get"} 200' in server.get("/metrics").text
    for one in connections:
        one.close()


def test_how_long_commands_take_is_told_by_command(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 1)
    with Resp(server.listeners["resp"]) as one:
        one.ask("config set slowlog-log-slower-than 900")  # then every call is timed
        one.ask("config resetstat")
        assert one.ask("latency histogram get") == b"*0\r\n"
        for _ in range(20):
            one.ask("get a")
        one.ask("mget a b")
        for version, (array, of_one) in {2: (b"*4\r\n", b"*4\r\n"), 3: (b"%2\r\n", b"%2\r\n")}.items():
            one.ask(f"hello {version}")
            reply = one.ask("latency histogram get nosuch mget")
            assert reply.startswith(array + bulk(b"get") + of_one + bulk(b"calls") + b":20\r\n" + bulk(b"histogram_usec"))
            assert bulk(b"mget") + of_one + bulk(b"calls") + b":1\r\n" in reply
        pairs = one.ask("latency histogram get").split(bulk(b"histogram_usec"))[1].split(b"\r\n")[1:-1]
        bounds = [int(word[1:]) for word in pairs]
        assert bounds[-1] == 20 and bounds[1::2] == sorted(bounds[1::2]) and set(bounds[::2]) <= {1, 2, 4, 8, 16, 33, 66, 132, 264, 528, 1056, 2113}
        assert b"latency_percentiles_usec_get:p50=" in one.ask("info latencystats") and "cmdstat_mget" in facts(one, "commandstats")


def test_quick_commands_are_timed_now_and_then_and_counted_always(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 1)
    with Resp(server.listeners["resp"]) as one:
        for _ in range(64):
            one.ask("get a")
        timed = int(one.ask("latency histogram get").split(b"\r\n")[6][1:])
        assert 3 <= timed <= 5
        stats = dict(pair.split("=") for pair in facts(one, "commandstats")["cmdstat_get"].split(","))
        assert stats["calls"] == "64" and float(stats["usec_per_call"]) > 0 and abs(int(stats["usec"]) - 64 * float(stats["usec_per_call"])) < 2


def test_a_command_that_may_take_long_is_timed_wherever_it_stands_in_a_pipeline(start):
    server = start("--resp", "127.0.0.1:0", "--threads", 1)
    with Resp(server.listeners["resp"]) as one:
        for _ in range(40):
            one.send(request("get", "a") + request("bitcount", "a") + request("get", "a"))
            assert [one.reply() for _ in range(3)] == [b"$-1\r\n", b":0\r\n", b"$-1\r\n"]
        assert int(one.ask("latency histogram bitcount").split(b"\r\n")[6][1:]) == 40


def test_info_tells_of_expiries_and_of_refused_connections(start):
    server = start("--resp", "127.0.0.1:0", "--connections", 1)
    with Resp(server.listeners["resp"]) as one:
        one.ask("set a 1 ex 100")
        one.ask("set b 1")
        one.ask("select 3")
        one.ask("set c 1 px 100000")
        assert {name: facts(one)[name] for name in ("db0", "db3")} == {"db0": "keys=2,expires=1,avg_ttl=0", "db3": "keys=1,expires=1,avg_ttl=0"}
        assert facts(one)["rejected_connections"] == "0"
        for count in (1, 2):
            with Resp(server.listeners["resp"]) as another:
                assert another.rest().startswith(b"-ERR max number of clients")
            assert facts(one)["rejected_connections"] == str(count)
        one.ask("config resetstat")
        assert facts(one)["rejected_connections"] == "0"


def test_buffer_limits_are_set_as_redis_sets_them(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "1GiB")
    with Resp(server.listeners["resp"]) as one:
        def limits():
            return one.ask("config get client-output-buffer-limit").split(b"\r\n")[4]
        assert limits() == b"normal 0 0 0 slave 0 0 0 pubsub 33554432 8388608 60"
        assert one.ask("config", "set", "client-output-buffer-limit", "normal 1 1 1 pubsub 1mb 2k 3") == b"+OK\r\n"
        assert limits() == b"normal 0 0 0 slave 0 0 0 pubsub 1048576 2000 3"


# SHUTDOWN, DEBUG

def test_shutdown_drains_and_stops(start):
    server = start("--resp", "127.0.0.1:0")
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two:
        two.ask("ping")
        assert one.ask("shutdown save").startswith(b"-ERR this server keeps")
        one.send(request("shutdown"))
        assert one.rest() == b"" and two.rest() == b""
        assert server.process.wait(PATIENCE) == 0


def test_debug_is_for_those_who_allow_it(resp, start):
    with Resp(resp.listeners["resp"]) as one:
        assert one.ask("debug sleep 0").startswith(b"-ERR DEBUG command not allowed")
    server = start("--resp", "127.0.0.1:0", "--enable-debug", "--threads", 1)
    with Resp(server.listeners["resp"]) as one, Resp(server.listeners["resp"]) as two:
        begun = time.monotonic()
        one.send(request("debug", "sleep", "0.3") + request("get", "a"))
        assert two.ask("set a 1") == b"+OK\r\n", "nobody else is held up"
        assert one.reply() == b"+OK\r\n" and time.monotonic() - begun > 0.29
        assert one.reply() == b"$1\r\n1\r\n"
        assert one.ask("debug jmap") == b"+OK\r\n"
        assert one.ask("debug object a").startswith(b"+Value at:")
        assert one.ask("debug object nosuch") == b"-ERR no such key\r\n"
        assert one.ask("debug error 'OOPS it'") == b"-OOPS it\r\n"
        assert one.ask("debug bad").startswith(b"-ERR unknown subcommand")
        one.ask("hello 3")
        for kind, reply in {"integer": b":12345\r\n", "null": b"_\r\n", "true": b"#t\r\n", "set": b"~3\r\n:0\r\n:1\r\n:2\r\n", "push": b">2\r\n$16\r\nserver-cpu-usage\r\n:42\r\n"}.items():
            assert one.ask(f"debug protocol {kind}") == reply


def test_many_threads_may_ask_for_everything_at_once(resp):
    """INFO, CLIENT LIST and SLOWLOG look at what other loops write."""
    failures = []

    def ask():
        with Resp(resp.listeners["resp"]) as one:
            for _ in range(50):
                for line in ("info everything", "client list", "slowlog get", "set a b", "memory stats", "pubsub channels"):
                    if one.ask(line)[:1] not in b"$*+":
                        failures.append(line)
    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures
