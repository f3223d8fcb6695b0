"""`martlet bench load` against a real server: all three protocols, what it tells, and what it says of a server that stands still. Then
`martlet bench compare`."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
import xml.etree.ElementTree

import pytest

from server import BINARY, PATIENCE, ROOT, await_until, clean_environment, run

TINY = ("--connections", 4, "--keys", 500, "--preload")
LISTENERS = ("--resp", "127.0.0.1:0", "--memcached", "127.0.0.1:0")
NAMES = ["operations", "errors", "seconds", "rate", "latency_us", "client_cpu_us_per_op", "server_cpu_us_per_op"]
PERCENTILES = ["50", "90", "99", "99.9", "99.99", "max"]


def target(server, scheme):
    return f"{scheme}://{server.listeners[scheme]}"


def load(server, scheme, *options):
    """The JSON of a load that went well."""
    done = run("bench", "load", "--target", target(server, scheme), "--json", *options)
    assert done.returncode == 0, done.stderr
    figures = json.loads(done.stdout)
    assert list(figures) == NAMES and list(figures["latency_us"]) == PERCENTILES
    assert figures["errors"] == 0
    latencies = [figures["latency_us"][name] for name in PERCENTILES]
    assert latencies == sorted(latencies) and latencies[0] > 0
    assert figures["operations"] == pytest.approx(figures["rate"] * figures["seconds"], rel=0.02, abs=1)
    return figures


@pytest.mark.parametrize("scheme", ["http", "resp", "memcached"])
def test_every_reply_of_a_mixed_load_is_right(start, scheme):
    server = start(*LISTENERS)
    figures = load(server, scheme, *TINY, "--requests", 3000, "--pipeline", 8, "--threads", 2, "--server-pid", server.process.pid,
                   "--mix", "get:5,set:3,delete:1", "--value-bytes", "1-3000", "--zipf", 0.99, "--ttl", 1000)
    assert figures["operations"] == 3000
    assert figures["server_cpu_us_per_op"] > 0 and figures["client_cpu_us_per_op"] > 0


@pytest.mark.parametrize("scheme", ["resp", "memcached"])
def test_several_keys_in_one_request(start, scheme):
    server = start(*LISTENERS)
    assert load(server, scheme, *TINY, "--requests", 300, "--mix", "mget", "--batch", 30)["operations"] == 300


def test_what_one_protocol_stores_the_others_find_right(start):
    server = start(*LISTENERS)
    load(server, "http", *TINY, "--requests", 1)
    for scheme in "resp", "memcached", "http":
        done = run("bench", "load", "--target", target(server, scheme), "--keys", 500, "--mix", "get", "--requests", 500, "--scan")
        assert done.returncode == 0 and "missing" not in done.stderr


def test_a_path_and_a_fixed_rate(start):
    server = start()
    done = run("bench", "load", "--target", f"{target(server, 'http')}/json/50", "--rate", 200, "--duration", 0.5, "--connections", 4)
    assert done.returncode == 0, done.stderr
    assert "open loop at 200/s" in done.stdout and "GET /json/50" in done.stdout
    answered = int(re.search(r"operations  (\d+) in", done.stdout)[1])
    unsent = re.search(r"(\d+) due and never sent", done.stdout)
    assert answered + (int(unsent[1]) if unsent else 0) == 100


def test_a_unix_socket_and_a_token(start, tmp_path):
    server = start("--token", "secret", "--resp", f"unix:{tmp_path}/s", "--memcached", "127.0.0.1:0")
    for scheme in "resp", "memcached", "http":
        load(server, scheme, *TINY, "--requests", 100, "--token", "secret")
        done = run("bench", "load", "--target", target(server, scheme), "--requests", 100, "--connections", 1, "--duration", 0.1)
        assert done.returncode == 1 and done.stderr.count("\n") == 1, done.stderr


def test_misses_are_no_errors_and_are_told(start):
    server = start(*LISTENERS)
    done = run("bench", "load", "--target", target(server, "resp"), "--mix", "get", "--requests", 100)
    assert done.returncode == 0
    assert done.stderr == "martlet: 100 of 100 keys asked for were missing (--preload stores every key first)\n"


def test_a_value_that_is_another_is_an_error(start):
    server = start(*LISTENERS)
    load(server, "resp", *TINY, "--requests", 1)
    assert server.send("PUT", "/v1/cache/key:000000000007", b"v" * 64).status == 204
    done = run("bench", "load", "--target", target(server, "resp"), "--keys", 500, "--mix", "get", "--scan", "--requests", 500, "--json")
    assert done.returncode == 1
    assert json.loads(done.stdout)["errors"] == 1 and json.loads(done.stdout)["operations"] == 499
    assert done.stderr.startswith(f"martlet: {target(server, 'resp')}: 1 wrong values ($64)")


@pytest.mark.parametrize("scheme", ["http", "resp"])
def test_a_server_stopped_for_a_second_shows_in_the_percentiles_of_a_fixed_rate_as_arithmetic_says(start, scheme):
    server = start(*LISTENERS)
    rate, seconds, stopped = 400, 3, 1.0
    command = [BINARY, "bench", "load", "--target", target(server, scheme), "--rate", rate, "--duration", seconds, "--connections", 4,
               "--keys", 100, "--json", "--timeout", 60]
    with subprocess.Popen(list(map(str, command)), env=clean_environment(), stdout=subprocess.PIPE, text=True) as bench:
        connected = time.monotonic() + PATIENCE  # the server's clients are counted as open descriptors
        while len(os.listdir(f"/proc/{bench.pid}/fd")) < 10 and time.monotonic() < connected:
            time.sleep(0.01)
        time.sleep(0.5)
        server.process.send_signal(signal.SIGSTOP)
        time.sleep(stopped)
        server.process.send_signal(signal.SIGCONT)
        figures = json.loads(bench.communicate(timeout=PATIENCE)[0])
    assert figures["errors"] == 0
    for percentile in "90", "99", "99.9", "max":
        # Of all requests, those due in the first t seconds of the stop are t / seconds, and each waited for stopped - t or longer.
        share = 0 if percentile == "max" else 1 - float(percentile) / 100
        at_least = stopped - share * seconds - 2 / rate
        assert figures["latency_us"][percentile] / 1e6 >= at_least, figures


def test_ctrl_c_ends_the_load_and_keeps_what_was_measured(start):
    server = start(*LISTENERS)
    command = [BINARY, "bench", "load", "--target", target(server, "resp"), "--duration", "600", "--connections", "2", "--json"]
    with subprocess.Popen(command, env=clean_environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as bench:
        await_until(lambda: b'"martlet_cache_misses_total":0' not in server.send("GET", "/v1/stats").body, "the first requests")
        bench.send_signal(signal.SIGINT)
        out, error = bench.communicate(timeout=PATIENCE)
    assert bench.returncode == 0, error
    assert json.loads(out)["operations"] > 0


def test_a_server_that_dies_is_told_in_one_line(start):
    server = start(*LISTENERS)
    killer = threading.Timer(0.3, server.kill)
    killer.start()
    done = run("bench", "load", "--target", target(server, "resp"), "--duration", 1, "--connections", 4)
    killer.join()
    assert done.returncode == 1
    assert "errors" in done.stdout
    assert done.stderr.splitlines()[-1].startswith(f"martlet: {target(server, 'resp')}: ") and "refused" in done.stderr


@pytest.mark.parametrize(
    "options, status, words",
    [
        (("--target", "resp://127.0.0.1:1"), 1, "cannot connect to 127.0.0.1:1: connection refused"),
        (("--target", "redis://127.0.0.1:1"), 2, "--target wants http://HOST:PORT"),
        ((), 2, "--target"),
        (("--target", "resp://127.0.0.1:1", "--mix", "got"), 2, "--mix: no operation 'got'"),
        (("--target", "resp://127.0.0.1:1", "--connections", "many"), 2, "--connections"),
        (("--target", "resp://127.0.0.1:1", "--server-pid", 2**30), 2, "--server-pid"),
        (("--target", "resp://127.0.0.1:1", "--wat"), 2, "--wat"),
    ])
def test_what_cannot_be_is_one_line(options, status, words):
    done = run("bench", "load", *options)
    assert done.returncode == status
    assert done.stdout == "" and words in done.stderr and done.stderr.count("\n") == 1, done.stderr


def test_help_tells_every_option():
    done = run("bench", "load", "--help")
    assert done.returncode == 0
    for option in ("--target", "--connections", "--pipeline", "--threads", "--duration", "--rate", "--mix", "--keys", "--zipf", "--key-bytes",
                   "--value-bytes", "--server-pid", "--json"):
        assert option in done.stdout
    assert "load" in run("bench", "--help").stdout and "bench" in run("--help").stdout


# Comparisons. Numbers mean nothing here: what is shown is that every workload runs, and what is said of rivals that do not.

BENCHMARKS = ROOT / "Benchmarks"


def compare(report, *options, rivals=BENCHMARKS):
    command = [BINARY, "bench", "compare", "--tiny", "--rivals", rivals, "--report", report, "--commit", "abc", *options]
    return subprocess.run(list(map(str, command)), env=clean_environment(), stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=600)


def made_up(folder, **rivals):
    """A folder of rivals that speak RESP, by name with their command, and one workload."""
    for name, command in rivals.items():
        (folder / "Rivals" / name).mkdir(parents=True)
        (folder / "Rivals" / name / "rival.json").write_text(json.dumps({
            "name": name, "scheme": "resp", "program": command[0], "package": "none", "command": command, "version": ["echo", "1"]}))
    (folder / "Workloads").mkdir()
    (folder / "Workloads" / "get.json").write_text(json.dumps(
        {"name": "GET", "scheme": "resp", "why": "It is small.", "options": {"mix": "get", "preload": True}}))
    return folder


def test_every_workload_runs_against_every_rival_that_is_here(tmp_path):
    done = compare(tmp_path / "report")
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert {workload["id"] for workload in report["workloads"]} == {path.stem for path in (BENCHMARKS / "Workloads").glob("*.json")}
    for workload in report["workloads"]:
        for server in workload["servers"]:
            assert "trouble" not in server, server
            for measure in workload["measures"]:
                assert len(server[measure["name"]]) == 2, server
                # No errors are as well, and what so few entries take may lie in pages that were there before.
                may_be_zero = measure["name"] in ("errors", "overhead_bytes", "grown_mb")
                assert may_be_zero or all(value > 0 for value in server[measure["name"]]), server
        chart = xml.etree.ElementTree.parse(tmp_path / f"report/charts/{workload['id']}.svg")
        assert chart.getroot().tag.endswith("svg")
    rivals = {path.parent.name for path in (BENCHMARKS / "Rivals").glob("*/rival.json")}
    assert {server["name"] for workload in report["workloads"] for server in workload["servers"]} | set(report["absent"]) == rivals | {"martlet"}
    text = (tmp_path / "report/report.md").read_text()
    assert text.index("## Conditions") < text.index("## Losses") < text.index("## Workloads")


WRONG_ANSWERS = r"""
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
while True:
    connection = listener.accept()[0]
    while connection.recv(65536):
        connection.sendall(b"$2\r\nno\r\n")
"""


def test_rivals_that_are_absent_die_or_answer_wrongly_are_named(tmp_path):
    folder = made_up(tmp_path, absent=["no-such-program"], dying=["sh", "-c", "echo no memory; exit 3"],
                     wrong=[sys.executable, "-c", WRONG_ANSWERS, "{port}"])
    done = compare(tmp_path / "report", rivals=folder)
    assert done.returncode == 1
    text = (tmp_path / "report/report.md").read_text()
    assert "- absent: no-such-program is not installed (apt-get install none)" in text
    assert "- GET: dying: it ended with 3 before it answered: no memory" in text
    assert "- GET: wrong: no right answer within" in text and "wrong values" in text
    assert "| **martlet** |" in text


def test_ctrl_c_leaves_no_server_behind_and_keeps_what_was_measured(tmp_path):
    folder = made_up(tmp_path, second=[BINARY, "serve", "--http", "off", "--memcached", "off", "--resp", "127.0.0.1:{port}"])
    (folder / "Workloads" / "second.json").write_text((folder / "Workloads" / "get.json").read_text().replace('"GET"', '"again"'))
    command = [BINARY, "bench", "compare", "--rivals", folder, "--report", tmp_path / "report", "--commit", "abc"]
    with subprocess.Popen(list(map(str, command)), env=clean_environment(), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as bench:
        children = f"/proc/{bench.pid}/task/{bench.pid}/children"
        await_until(lambda: len(open(children).read().split()) == 2, "two servers")
        servers = open(children).read().split()
        time.sleep(0.5)  # a load is on
        bench.send_signal(signal.SIGINT)
        error = bench.communicate(timeout=PATIENCE)[1]
    assert bench.returncode == 1 and "interrupted; what was measured is in" in error
    assert not any(os.path.exists(f"/proc/{server}") for server in servers)
    assert "Interrupted" in (tmp_path / "report/report.md").read_text()


def test_without_its_conditions_nothing_is_measured(tmp_path):
    folder = made_up(tmp_path, silent=["sh"])
    path = folder / "Rivals/silent/rival.json"
    path.write_text(path.read_text().replace('["echo", "1"]', '["true"]'))
    done = run("bench", "compare", "--tiny", "--rivals", folder, "--report", tmp_path / "report")
    assert done.returncode == 2
    assert done.stderr == "martlet: no numbers without conditions: unknown here: commit; without git, --commit TEXT tells it\n"
    assert not (tmp_path / "report").exists()
    assert compare(tmp_path / "report", rivals=folder).returncode == 0
    assert "- silent: its version is not told by: true" in (tmp_path / "report/report.md").read_text()


def test_a_comparison_that_cannot_be_is_one_line(tmp_path):
    for options, words in ((("--rivals", tmp_path), "no folder"), (("--against", "nobody"), "no rival 'nobody'"), (("--workloads", "x"), "no workload 'x'"),
                           (("--tiny", "--record"), "--record: numbers of --tiny mean nothing")):
        done = run("bench", "compare", "--rivals", BENCHMARKS, *options)
        assert done.returncode == 2 and words in done.stderr and done.stderr.count("\n") == 1


def test_a_page_without_a_record_is_one_line(tmp_path):
    done = run("bench", "page", "--rivals", tmp_path)
    assert done.returncode == 2 and done.stderr.startswith(f"martlet: no record in {tmp_path}/Records: ") and done.stderr.count("\n") == 1


def test_a_record_is_kept_and_a_page_is_made_of_it(tmp_path):
    folder = made_up(tmp_path / "Benchmarks", second=[BINARY, "serve", "--http", "off", "--memcached", "off", "--resp", "127.0.0.1:{port}"])
    (folder / "Workloads/get.json").write_text(json.dumps({"name": "Start-up", "scheme": "resp", "kind": "start-up", "why": "It is short.", "options": {"mix": "get"}}))
    (tmp_path / "Sources/Bench/Bench.docc").mkdir(parents=True)
    table = [line for line in (ROOT / "README.md").read_text().splitlines(keepends=True) if line.startswith(("<!-- The table", "<!-- Until"))]
    (tmp_path / "README.md").write_text("".join(table))
    done = run("bench", "compare", "--quick", "--record", "--rivals", folder, "--report", tmp_path / "report", "--commit", "abc")
    assert done.returncode == 0, done.stderr
    (record,) = (folder / "Records").glob("*/*")
    for name in "report.md", "report.json", "charts/get.svg":
        assert (record / name).read_text() == (tmp_path / "report" / name).read_text()
    assert run("bench", "page", "--rivals", folder).stdout == "written: Sources/Bench/Bench.docc/Comparison.md, Sources/Bench/Bench.docc/Comparison.svg, README.md\n"
    assert run("bench", "page", "--rivals", folder).stdout == "nothing has changed\n"
    assert "| Start-up | ms to the first answer | second " in (tmp_path / "README.md").read_text()
