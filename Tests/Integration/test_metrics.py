"""`/metrics` and `/v1/stats`: the names of the contract, numbers that move, a text that Prometheus itself accepts."""

import re
import shutil
import subprocess

import pytest

from server import ResponseReader, await_until, request_bytes, reset

NAMES = {
    "martlet_http_requests_total": "counter", "martlet_http_request_seconds": "histogram", "martlet_connections": "gauge",
    "martlet_connections_closed_total": "counter", "martlet_cache_hits_total": "counter", "martlet_cache_misses_total": "counter",
    "martlet_cache_sets_total": "counter", "martlet_cache_evictions_total": "counter", "martlet_cache_expirations_total": "counter",
    "martlet_cache_entries": "gauge", "martlet_cache_bytes": "gauge", "martlet_cache_limit_bytes": "gauge", "martlet_cache_dead_bytes": "gauge",
    "martlet_cache_loose_bytes": "gauge",
    "martlet_expiry_lag_seconds": "histogram", "martlet_leases_total": "counter", "martlet_leases": "gauge",
    "martlet_lease_waiters_total": "counter", "martlet_herd_saved_total": "counter", "martlet_tag_invalidations_total": "counter",
    "martlet_tag_records": "gauge", "martlet_cache_invalidations_total": "counter", "process_resident_memory_bytes": "gauge", "process_cpu_seconds_total": "counter",
    "process_open_fds": "gauge", "process_start_time_seconds": "gauge",
}


class Metrics:
    """A scrape: types by name, values by name and labels."""

    def __init__(self, server):
        reply = server.send("GET", "/metrics")
        assert reply.status == 200
        assert reply.headers["content-type"].startswith("text/plain; version=0.0.4")
        self.text = reply.body.decode()
        self.types = dict(re.findall(r"^# TYPE (\S+) (\S+)$", self.text, re.M))
        self.values = {}
        for line in self.text.splitlines():
            if line and not line.startswith("#"):
                series, value = line.rsplit(" ", 1)
                assert series not in self.values, f"twice: {series}"
                self.values[series] = float(value)

    def get(self, name, **labels):
        """The sum of the series of that name with these labels; a route may be told with its method before the path."""
        return sum(value for series, value in self.values.items() if series.partition("{")[0] == name
                   and all(re.search(rf'[{{,]{label}="(?:[A-Z]+ )?{re.escape(wanted)}"', series) for label, wanted in labels.items()))


def test_every_name_of_the_contract_is_there_with_its_type_and_help(shared):
    shared.send("GET", "/json")
    metrics = Metrics(shared)
    for name, kind in NAMES.items():
        assert metrics.types.get(name) == kind, name
        assert f"# HELP {name} " in metrics.text
        assert any(series.split("{")[0] in (name, name + "_bucket") for series in metrics.values), name


@pytest.mark.skipif(not shutil.which("promtool"), reason="promtool (Debian's prometheus) is not installed")
def test_promtool_finds_nothing_to_say(shared, key):
    for path in ("/json", "/nope", f"/v1/cache/{key}", "/v1/cache/%FF%22"):
        shared.send("GET", path)
    shared.raw(b"nonsense\r\n\r\n")
    checked = subprocess.run(["promtool", "check", "metrics"], input=Metrics(shared).text, capture_output=True, text=True, timeout=60)
    assert (checked.returncode, checked.stdout + checked.stderr) == (0, "")


def test_requests_are_counted_by_route_and_status(server):
    before = Metrics(server)
    for path, times in (("/json", 3), ("/v1/cache/a", 2), ("/v1/cache/b?x=1", 1), ("/nope", 4)):
        for _ in range(times):
            server.send("GET", path)
    server.send("PUT", "/v1/cache/a", b"x")
    after = Metrics(server)

    def grown(**labels):
        return after.get("martlet_http_requests_total", **labels) - before.get("martlet_http_requests_total", **labels)

    assert grown(route="/json", status="200") == 3
    assert grown(route="/v1/cache/{key}", status="404") == 2
    assert grown(route="/v1/cache/{key}", status="400") == 1
    assert grown(route="/v1/cache/{key}", status="201") == 1
    assert grown(status="404") == 6
    assert after.get("martlet_http_request_seconds_sum", route="/json") > 0
    assert after.get("martlet_http_request_seconds_count", route="/json") - before.get("martlet_http_request_seconds_count", route="/json") == 3


def test_labels_are_bounded_whatever_is_asked(server):
    for number in range(50):
        server.send("GET", f"/nope/{number}")
        server.send("GET", f"/v1/cache/{number}")
    Metrics(server)  # itself a route that is counted from now on
    few = len(Metrics(server).values)
    for number in range(50, 150):
        server.send("GET", f"/nope/{number}")
        server.send("GET", f"/v1/cache/{number}")
    assert len(Metrics(server).values) == few


def test_histograms_add_up(server):
    for _ in range(10):
        server.send("GET", "/json")
    metrics = Metrics(server)
    for name, kind in metrics.types.items():
        if kind != "histogram":
            continue
        counts = {series: value for series, value in metrics.values.items() if series.startswith(name + "_count")}
        assert counts, name
        for series, count in counts.items():
            labels = series.partition("{")[2].rstrip("}")
            buckets = [(match[1], value) for line, value in metrics.values.items()
                       if line.startswith(name + "_bucket{") and (match := re.search(r'le="([^"]+)"', line))
                       and set(filter(None, labels.split(","))) <= set(line.partition("{")[2].rstrip("}").split(","))]
            assert [value for _, value in buckets] == sorted(value for _, value in buckets), "cumulative"
            assert [float(le) for le, _ in buckets] == sorted(float(le) for le, _ in buckets)
            assert buckets[-1] == ("+Inf", count)


def test_the_cache_counts_hits_misses_sets_and_entries(server):
    before = Metrics(server)
    assert before.get("martlet_cache_entries") == 0
    for n in range(10):
        server.send("PUT", f"/v1/cache/{n}", b"x" * 1000)
    for n in range(15):
        server.send("GET", f"/v1/cache/{n}")
    after = Metrics(server)
    assert after.get("martlet_cache_sets_total") - before.get("martlet_cache_sets_total") == 10
    assert after.get("martlet_cache_hits_total") - before.get("martlet_cache_hits_total") == 10
    assert after.get("martlet_cache_misses_total") - before.get("martlet_cache_misses_total") == 5
    assert after.get("martlet_cache_entries") == 10
    assert 10_000 <= after.get("martlet_cache_bytes") <= after.get("martlet_cache_limit_bytes")
    server.send("DELETE", "/v1/cache")
    assert Metrics(server).get("martlet_cache_entries") == 0


def test_expirations_are_counted_with_their_lag(server):
    for n in range(20):
        server.send("PUT", f"/v1/cache/{n}?ttl=0.05", b"x")

    def expired():
        metrics = Metrics(server)
        return metrics.get("martlet_cache_expirations_total") == 20 and metrics.get("martlet_cache_entries") == 0 and metrics

    # Without anyone asking for them.
    assert await_until(expired, "expiration").get("martlet_expiry_lag_seconds_count") == 20


def test_connections_are_counted_while_they_are_and_by_why_they_ended(server):
    held = [server.connect() for _ in range(5)]
    for connection in held:
        connection.sendall(request_bytes("GET", "/json"))
        assert ResponseReader(connection).response().status == 200
    assert Metrics(server).get("martlet_connections", protocol="http") >= 5
    closed = Metrics(server).get("martlet_connections_closed_total", protocol="http")
    held[0].close()
    reset(held[1])
    for connection in held[2:]:
        connection.sendall(request_bytes("GET", "/json", headers={"Connection": "close"}))
        reader = ResponseReader(connection)
        assert reader.response().status == 200 and reader.at_end()
        connection.close()
    await_until(lambda: Metrics(server).get("martlet_connections_closed_total", protocol="http") >= closed + 5, "five ends")
    server.raw(b"nonsense\r\n\r\n")
    metrics = Metrics(server)
    for reason in ("peer_closed", "finished", "protocol_error"):
        assert metrics.get("martlet_connections_closed_total", protocol="http", reason=reason) >= 1, reason


def test_process_figures_are_those_of_the_process(server):
    metrics = Metrics(server)
    assert abs(metrics.get("process_resident_memory_bytes") - server.rss()) < 4 << 20
    assert abs(metrics.get("process_open_fds") - server.descriptors()) <= 3


def flat(value, path=""):
    """The paths of a JSON document's leaves, joined by underscores."""
    if isinstance(value, dict):
        return {name: leaf for key, inner in value.items() for name, leaf in flat(inner, f"{path}_{key}" if path else key).items()}
    if isinstance(value, list):
        return {name: leaf for number, inner in enumerate(value) for name, leaf in flat(inner, f"{path}_{number}").items()}
    return {path: value}


def test_stats_tell_the_same_by_the_same_stems(server):
    server.send("PUT", "/v1/cache/a", b"x")
    server.send("GET", "/v1/cache/a")
    reply = server.send("GET", "/v1/stats")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    names = flat(reply.json())
    for stem in ("http_requests", "http_request_seconds", "connections", "connections_closed", "cache_hits", "cache_misses", "cache_sets", "cache_evictions",
                 "cache_expirations", "cache_entries", "cache_bytes", "cache_limit_bytes", "expiry_lag_seconds", "process_"):
        assert any(stem in name for name in names), f"{stem} is not in {sorted(names)}"
    (hits,) = [value for name, value in names.items() if re.fullmatch(r"(martlet_)?cache_hits(_total)?", name)]
    assert hits == 1
