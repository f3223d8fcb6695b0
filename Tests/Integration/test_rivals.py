"""The rivals of Benchmarks: each that this machine can have answers what it is compared in; the others are skipped, with the reason. And what
the comparison says of those that are in the way of one."""

import json
import os
import shutil
import signal
import subprocess
import sys

import pytest

from server import BINARY, PATIENCE, ROOT, await_until
from test_bench import compare, made_up

BENCHMARKS = ROOT / "Benchmarks"
sys.path.insert(0, str(BENCHMARKS / "Rivals"))

from prepare import Rival, names  # noqa: E402


@pytest.mark.parametrize("name", names())
def test_a_rival_that_can_be_had_answers_as_martlet_does(tmp_path, name):
    rival = Rival(name)
    trouble = rival.prepare(brief=True)
    if trouble:
        pytest.skip(f"{name}: {trouble}")
    workloads = {path.stem: json.loads(path.read_text()) for path in (BENCHMARKS / "Workloads").glob("*.json")}
    asked = [key for key, workload in workloads.items() if workload["scheme"] == rival.data["scheme"] and "kind" not in workload
             and ("path" not in workload or workload["path"] in rival.data.get("paths", [])) and "pipelined" not in key and "rate" not in key]
    if rival.data["scheme"] != "http":
        asked = asked[:1]  # every workload is asked of everyone by test_every_workload_runs_against_every_rival_that_is_here
    done = compare(tmp_path / "report", "--against", name, "--workloads", ",".join(asked))
    assert done.returncode == 0, done.stderr
    report = json.loads((tmp_path / "report/report.json").read_text())
    assert report["absent"] == {}
    took_part = {server["name"] for workload in report["workloads"] for server in workload["servers"]}
    assert took_part == {"martlet", name}


@pytest.mark.parametrize("name", names())
def test_what_a_rival_needs_is_said_in_its_data(name):
    rival = Rival(name)
    data = rival.data
    assert data["name"] == name and data["scheme"] in ("http", "resp", "memcached")
    assert any("{port}" in word for word in data["command"]) or any("{port}" in (rival.folder / file).read_text() for file in data.get("files", []))
    assert ("build" in data) != ("package" in data), "a program is built, or a package brings it"
    assert all(rival.build.get("needs", {"": "p"}).values())


@pytest.mark.skipif(not shutil.which("swiftc"), reason="no Swift")
def test_the_source_of_the_rival_that_takes_minutes_to_build_is_swift():
    files = list((BENCHMARKS / "Rivals/hummingbird/server/Sources").rglob("*.swift"))
    done = subprocess.run(["swiftc", "-frontend", "-parse", *map(str, files)], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert files and done.returncode == 0, done.stderr


def test_a_rival_that_cannot_be_had_is_named_with_the_reason(tmp_path):
    benchmarks = tmp_path / "Benchmarks"
    shutil.copytree(BENCHMARKS / "Rivals/node", benchmarks / "Rivals/node")
    shutil.copy(BENCHMARKS / "Rivals/prepare.py", benchmarks / "Rivals")
    for name, build in {"absent": {"command": ["no-such-tool"], "needs": {"no-such-tool": "some-package"}},
                        "broken": {"command": ["sh", "-c", "echo one; echo error: two >&2; echo three; exit 1"], "needs": {"sh": "dash"}},
                        "fine": {"command": ["sh", "-c", "mkdir -p {built} && cp /bin/true {built}/program"], "needs": {"sh": "dash"}}}.items():
        (benchmarks / "Rivals" / name).mkdir()
        (benchmarks / "Rivals" / name / "rival.json").write_text(json.dumps({
            "name": name, "scheme": "resp", "build": build, "program": "{built}/program", "command": ["{built}/program", "{port}"],
            "version": ["echo", "1"]}))
    prepared = subprocess.run([sys.executable, benchmarks / "Rivals/prepare.py", "--brief", "--quick", "--against", "absent,broken,fine,nobody"],
                              stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=120)
    assert prepared.returncode == 0, prepared.stderr
    assert "could not have absent: not installed: some-package" in prepared.stderr
    assert "could not have broken: it does not build: error: two" in prepared.stderr
    assert "fine is ready" in prepared.stderr and "node" not in prepared.stderr

    (benchmarks / "Workloads").mkdir()
    (benchmarks / "Workloads/get.json").write_text(json.dumps({"name": "GET", "scheme": "resp", "why": "It is small.", "options": {"mix": "get"}}))
    done = compare(tmp_path / "report", "--against", "absent,broken", rivals=benchmarks)
    assert done.returncode == 0, done.stderr
    assert "without absent: not installed: some-package\n" in done.stderr
    absent = json.loads((tmp_path / "report/report.json").read_text())["absent"]
    assert absent == {"absent": "not installed: some-package", "broken": "it does not build: error: two"}


def is_running(pid):
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rpartition(") ")[2][0] != "Z"  # ended, and not yet waited for by whoever inherits it
    except FileNotFoundError:
        return False


def listens_to_interrupts():
    """In a child: what a shell starts in the background ignores them, and so would all that it starts."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def test_ctrl_c_ends_a_build_that_is_on(tmp_path):
    folder = tmp_path / "Rivals/slow"
    folder.mkdir(parents=True)
    shutil.copy(BENCHMARKS / "Rivals/prepare.py", tmp_path / "Rivals")
    (folder / "rival.json").write_text(json.dumps({
        "name": "slow", "program": "{built}/program", "build": {"command": ["sh", "-c", "echo $$ >pid; exec sleep 1000"], "needs": {"sh": "dash"}}}))
    with subprocess.Popen([sys.executable, tmp_path / "Rivals/prepare.py"], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                          start_new_session=True, preexec_fn=listens_to_interrupts) as process:
        await_until(lambda: (folder / "pid").exists() and (folder / "pid").read_text(), "the build")
        os.killpg(process.pid, signal.SIGINT)  # as a terminal does
        assert process.wait(PATIENCE) == 1 and process.stderr.read() == "rivals: interrupted\n"
    build = int((folder / "pid").read_text())
    await_until(lambda: not is_running(build), "the end of the build")


SERVES = [BINARY, "serve", "--threads", "1", "--http", "off", "--memcached", "off", "--resp", "127.0.0.1:{port}"]

MORTAL = r"""
import socket, sys
listener = socket.create_server(("127.0.0.1", int(sys.argv[1])))
left = 3
while left:
    connection = listener.accept()[0]
    while left and connection.recv(65536):
        connection.sendall(b"+OK\r\n")
        left -= 1
print("out of breath")
sys.exit(4)
"""


def test_a_rival_that_dies_in_mid_run_is_named_and_the_others_are_measured(tmp_path):
    folder = made_up(tmp_path, mortal=[sys.executable, "-u", "-c", MORTAL, "{port}"], other=SERVES)
    (folder / "Workloads/get.json").write_text(json.dumps(
        {"name": "SET", "scheme": "resp", "why": "It is small.", "options": {"mix": "set", "connections": 1}}))
    done = compare(tmp_path / "report", rivals=folder)
    assert done.returncode == 1
    text = (tmp_path / "report/report.md").read_text()
    assert "- SET: mortal: it ended with 4: out of breath" in text
    assert "| **martlet** |" in text and "| other |" in text


def test_a_port_in_use_is_told_and_whoever_answers_there_is_not_measured(tmp_path):
    stranger = f"{' '.join(map(str, SERVES))} >/dev/null 2>&1 & echo $! >{tmp_path}/stranger; echo address already in use; exit 1"
    folder = made_up(tmp_path, late=["sh", "-c", stranger])
    try:
        done = compare(tmp_path / "report", rivals=folder)
    finally:
        os.kill(int((tmp_path / "stranger").read_text()), signal.SIGKILL)
    assert done.returncode == 1
    report = json.loads((tmp_path / "report/report.json").read_text())
    (late,) = [server for server in report["workloads"][0]["servers"] if server["name"] == "late"]
    assert late["trouble"] == "it ended with 1 before it answered: address already in use"


def test_other_bodies_and_unchecked_orders_are_not_measured(tmp_path):
    if not shutil.which("node"):
        pytest.skip("node is not installed")
    source = (BENCHMARKS / "Rivals/node/server.js").read_text()
    for name, old, new in (("otherwise", '"Hello, World!"', '"Hello, world!"'), ("careless", "function need(holds,", "function need(_, holds = true,")):
        folder = tmp_path / "Rivals" / name
        folder.mkdir(parents=True)
        assert old in source
        (folder / "server.js").write_text(source.replace(old, new))
        (folder / "rival.json").write_text(json.dumps({**Rival("node").data, "name": name}))
    (tmp_path / "Workloads").mkdir()
    for workload in "http-json", "http-order":
        shutil.copy(BENCHMARKS / f"Workloads/{workload}.json", tmp_path / "Workloads")
    done = compare(tmp_path / "report", rivals=tmp_path)
    assert done.returncode == 1
    text = (tmp_path / "report/report.md").read_text()
    assert "- GET /json: otherwise: it answers otherwise than martlet: " in text
    assert "careless: a body that breaks a rule is not refused with 422 or 400: " in text
