"""The measuring scripts run once, tiny, so that they cannot rot. What they would measure here means nothing."""

import json
import os
import shutil
import subprocess
import sys

import pytest

from server import BINARY, ROOT, clean_environment


def benchmark(script, *arguments):
    return subprocess.run(
        [sys.executable, ROOT / "Benchmarks/Ceiling" / script, "--quick", *arguments],
        env=clean_environment({"MARTLET_BINARY": BINARY}), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)


def needs(*programs):
    missing = [program for program in programs if not shutil.which(program, path=f"{os.environ['PATH']}:/usr/sbin")]
    return pytest.mark.skipif(bool(missing), reason=f"{' and '.join(missing)} not installed")


@needs("wrk", "nginx", "taskset", "cc", "pkg-config")
def test_the_ceiling_is_compared_with_nginx_and_martlet():
    done = benchmark("contest.py")
    assert done.returncode == 0, done.stderr
    for words in ("depth 1 ", "depth 16 ", "| ceiling |", "| nginx |", "| martlet /json |", "| martlet cached GET |"):
        assert words in done.stdout


@needs("cc", "strip")
def test_costs_are_counted():
    done = benchmark("costs.py", "size", "start", "connections", "allocations")
    assert done.returncode == 0, done.stderr
    for words in ("stripped", "ready", "idle RSS", "idle keep-alive", "allocations, cached PUT"):
        assert words in done.stdout


@needs("cc")
def test_a_herd_costs_one_fill_and_a_tag_of_many_entries_is_invalidated_at_once():
    done = benchmark("herd.py")
    assert done.returncode == 0, done.stderr
    for words in ("| fills of a herd | 1 |", "last answer", "CPU per waiter", "| hits after it | 0 |", "reusable"):
        assert words in done.stdout


STORE_BENCH = ROOT / ".build/debug/store-bench"


@pytest.mark.skipif(not STORE_BENCH.exists(), reason="the debug build, which `swift test` makes, is not there")
def test_what_the_store_costs_is_measured():
    environment = clean_environment({"STORE_BENCH": STORE_BENCH})
    done = subprocess.run(
        [ROOT / "scripts/store-bench", "--quick"], env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    for words in ("overhead, 16-byte keys, 8-byte values, TTL", "GET in batches of 16", "two threads", "16 B to 64 KiB", "lag p50", "a tag of 5000 entries", "miss ratio, zipf 1.2"):
        assert words in done.stdout


@needs("redis-server", "redis-benchmark", "taskset")
def test_resp_is_compared_with_redis():
    done = benchmark("resp.py")
    assert done.returncode == 0, done.stderr
    for words in ("redis-server", "get at 1 ", "set at 64", "mget at 1 "):
        assert words in done.stdout


@needs("redis-server", "memcached", "taskset", "cc")
@pytest.mark.parametrize("script", ["resp.py", "memcached.py"])
@pytest.mark.parametrize("what, words", [("latency", "p99.9 "), ("threads", "times as much"), ("memory", "the protocol adds")])
def test_latency_threads_and_memory_of_a_protocol_are_measured(script, what, words):
    done = benchmark(script, "--measure", what)
    assert done.returncode == 0, done.stderr
    assert words in done.stdout


@needs("memcached", "cc", "taskset")
def test_memcached_is_compared_with_memcached():
    done = benchmark("memcached.py")
    assert done.returncode == 0, done.stderr
    for words in ("memcached 1.", "get at 1 ", "set at 64", "get16 at 1"):
        assert words in done.stdout


def bench_json(binary, *arguments):
    return subprocess.run(
        [binary, "bench", "json", *arguments], env=clean_environment({}), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)


def test_json_is_measured_beside_foundation(tmp_path):
    file = tmp_path / "a file.json"
    file.write_text('{"numbers":[1,2.5,-3e10],"text":"\\u00e9"}')
    done = bench_json(BINARY, "--quick", "--json", file)
    assert done.returncode == 0, done.stderr
    results = json.loads(done.stdout)["results"]
    assert {result["road"] for result in results if result["workload"] == "a file.json"} == {
        "Swift road, fast lane", "Swift road, Codable", "jansson road, Codable", "Foundation", "Codable's floor, no text", "JSONScanner"}
    assert "Foundation" in bench_json(BINARY, "--quick").stdout


def test_json_is_measured_without_foundation_where_it_is_not_installed(tmp_path):
    alone = tmp_path / "martlet"
    shutil.copy(BINARY, alone)
    done = bench_json(alone, "--quick")
    assert done.returncode == 0, done.stderr
    assert "martlet-bench-json is not in" in done.stderr and "scripts/build" in done.stderr
    assert "jansson road" in done.stdout and "Foundation" not in done.stdout
    assert bench_json(alone, "nowhere.json").returncode == 1
    assert bench_json(alone, "--nonsense").returncode == 2


@needs("wrk", "taskset")
def test_json_replies_are_compared_under_load():
    done = subprocess.run(
        [sys.executable, ROOT / "Benchmarks/JSON/contest.py", "--quick", "--against", "none"],
        env=clean_environment({"MARTLET_BINARY": BINARY}), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr
    assert "| martlet, fast lane | 8728 |" in done.stdout


def thresholds(*arguments):
    return subprocess.run(
        [sys.executable, ROOT / "Benchmarks/Ceiling/thresholds.py", *arguments], env=clean_environment({"MARTLET_BINARY": BINARY}),
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)


release_only = pytest.mark.skipif("/debug/" in str(BINARY), reason="thresholds are those of a release build")


@needs("cc")
@release_only
def test_a_request_allocates_no_more_than_its_threshold():
    done = thresholds("allocations", "--count", "2000")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "| HTTP /json | 0.00 | 0 |" in done.stdout


@needs("cc", "valgrind")
@release_only
def test_a_request_takes_no_more_instructions_than_its_threshold():
    done = thresholds("instructions")
    assert done.returncode == 0, done.stdout + done.stderr
    if "skipped: another processor" in done.stdout:
        pytest.skip(done.stdout.strip())
    assert "| HTTP /json | " in done.stdout


@needs("cc")
@release_only
def test_a_threshold_that_is_passed_is_named_and_lowering_never_raises(tmp_path):
    low = json.loads((ROOT / "Benchmarks/Thresholds.json").read_text())
    low["allocations"] |= {"JSON decode, 1 KB record": 1, "RESP GET": 5}
    (tmp_path / "t.json").write_text(json.dumps(low))
    done = thresholds("allocations", "--count", "2000", "--lower", "--file", str(tmp_path / "t.json"))
    assert done.returncode == 1
    assert done.stderr == "thresholds: allocations, JSON decode, 1 KB record: 16.00 are more than 1\n"
    lowered = json.loads((tmp_path / "t.json").read_text())
    assert lowered["allocations"]["RESP GET"] == 0 and lowered["allocations"]["JSON decode, 1 KB record"] == 1


@needs("wrk", "redis-benchmark", "taskset")
def test_the_load_generator_is_compared_with_wrk_and_redis_benchmark():
    done = benchmark("clients.py")
    assert done.returncode == 0, done.stderr
    for words in ("wrk /json, 1 ", "wrk /json, 50 ", "redis-benchmark, 50, at 16 ", "wrk, 50, 10 ms ", "redis-benchmark, 50, 10 ms "):
        assert words in done.stdout
