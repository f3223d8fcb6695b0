"""GET /json/50 from martlet, hyper with serde_json, Gin and Hummingbird, under wrk at depth 1; and the 1 KB record from serde_json.

What it says: server CPU per request for the same reply, built and serialised for each request on one thread, and what part of it
martlet needs. What it does not: latency, more than one core, other machines. Ratios are taken within a round and their median reported
with the spread. Each server's reply is compared, as JSON, with martlet's before and after.
"""

import argparse
import json
import os
import pathlib
import resource
import socket
import statistics
import subprocess
import sys

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(HERE.parent / "Ceiling"), str(HERE.parent / "Rivals")]

from contest import wrk  # noqa: E402
from prepare import Rival, prepare  # noqa: E402
from subjects import Subject, binary, conditions, pinned, start_martlet  # noqa: E402

PATH = "/json/50"
RIVALS = {"hyper": "hyper, serde_json", "gin": "Gin", "hummingbird": "Hummingbird"}


def rivals(names):
    """Name and command (without the port) of each server beside martlet."""
    found = {}
    if "codable" in names:
        subprocess.run(["swift", "build", "-c", "release", "--static-swift-stdlib", "--product", "json-server"], cwd=ROOT, check=True,
                       stdin=subprocess.DEVNULL, stdout=sys.stderr)
        found["martlet, Codable"] = [ROOT / ".build/release/json-server"]
    for name, title in RIVALS.items():
        if name in names and (program := prepare(name)):
            found[title] = [program]
    return found


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def reply(subject):
    with subject.connect() as connection:
        connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % PATH.encode())
        received = b""
        while piece := connection.recv(1 << 16):
            received += piece
    head, _, body = received.partition(b"\r\n\r\n")
    if b"chunked" in head.lower():
        body = dechunked(body)
    if not head.startswith(b"HTTP/1.1 200 "):
        raise SystemExit(f"{subject.name} answers {PATH} wrongly: {received[:400]!r}")
    return body


def dechunked(body):
    parts = b""
    while True:
        size, _, body = body.partition(b"\r\n")
        count = int(size, 16)
        if count == 0:
            return parts
        parts, body = parts + body[:count], body[count + 2:]


def serve(options, place):
    """The table of GET /json/50."""
    started = {"martlet, fast lane": start_martlet(place)}
    try:
        for name, command in rivals(options.against).items():
            port = free_port()
            started[name] = Subject(name, [*command, port], place, port=port)
        wanted = json.loads(reply(started["martlet, fast lane"]))
        sizes = {}

        def check():
            for name, subject in started.items():
                body = reply(subject)
                sizes[name] = len(body)
                if json.loads(body) != wanted:
                    raise SystemExit(f"{name} answers {PATH} with other values: {body[:400]!r}")

        check()
        names = list(started)
        runs = {name: [] for name in names}
        for number in range(options.rounds):
            for at in range(len(names)):  # each round begins with another
                name = names[(at + number) % len(names)]
                print(f"round {number + 1} of {options.rounds}: {name}", file=sys.stderr)
                runs[name].append(wrk(started[name], PATH, 1, options))
        check()
        return runs, sizes
    finally:
        for subject in started.values():
            subject.stop()


def cpu_of(command):
    """CPU seconds of a program from beginning to end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*map(str, command)], check=True, stdin=subprocess.DEVNULL, capture_output=True, text=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime, done.stdout.strip()


def encode(options, place):
    """CPU ns to encode the 1 KB record, by round: the fast lane, serde_json. None if one of them is missing."""
    ours = binary().with_name("martlet-bench-json")
    theirs = pathlib.Path(Rival("hyper").program)
    if not ours.exists() or not theirs.exists():
        print("the 1 KB record is left out: no martlet-bench-json (scripts/build) or no hyper", file=sys.stderr)
        return None
    count = 20_000 if options.quick else 1_000_000
    commands = {
        "martlet, fast lane": [*place, ours, "--repeat", "1 KB record", "encode", "fast lane"],
        "serde_json": [*place, theirs, "encode"],
    }
    results = {name: [] for name in commands}
    for number in range(options.rounds):
        for name in sorted(commands, reverse=number % 2 == 1):
            start, _ = cpu_of([*commands[name], 1])
            whole, _ = cpu_of([*commands[name], count])
            results[name].append((whole - start) / count * 1e9)
    return results


def main():
    parser = argparse.ArgumentParser(prog="scripts/json-contest", description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--seconds", type=int, default=4, help="of each run")
    parser.add_argument("--connections", type=int, default=64)
    cores = sorted(os.sched_getaffinity(0))
    parser.add_argument("--server-core", default=str(cores[0]))
    parser.add_argument("--client-core", default=str(cores[-1]))
    parser.add_argument("--against", type=lambda text: text.split(","), default=["codable", "hyper", "gin", "hummingbird"],
                        help="some of codable,hyper,gin,hummingbird (all of them unless given); none: martlet alone")
    parser.add_argument("--quick", action="store_true", help="one short round: shows that it works, measures nothing")
    parser.add_argument("--json", action="store_true", help="print every run as JSON instead of the tables")
    options = parser.parse_args()
    if options.quick:
        options.rounds, options.seconds, options.connections = 1, 1, 8

    place = pinned(options.server_core)
    head = conditions()
    runs, sizes = serve(options, place)
    encodes = encode(options, place)
    if options.json:
        print(json.dumps({"conditions": head, "bytes": sizes, "requests": runs, "record_encode_ns": encodes}, indent=2))
        return
    print("\n".join(head))
    print(f"one server thread on core {options.server_core}, wrk on core {options.client_core}, {options.connections} connections, "
          f"{options.rounds} rounds of {options.seconds} s\n")
    print(f"| GET {PATH}, depth 1 | bytes | requests/s | CPU µs | martlet's fast lane needs (range) | through Codable |")
    print("|---|---:|---:|---:|---:|---:|")
    for name, results in runs.items():
        rate, cpu = (statistics.median(run[column] for run in results) for column in ("rate", "cpu"))
        columns = [ratio(runs["martlet, fast lane"], results), ratio(runs.get("martlet, Codable"), results)]
        print(f"| {name} | {sizes[name]} | {rate:,.0f} | {cpu:.2f} | {columns[0]} | {columns[1]} |")
    if encodes:
        ratios = sorted(theirs / ours for ours, theirs in zip(encodes["martlet, fast lane"], encodes["serde_json"]))
        print(f"\n1 KB record encoded: fast lane {statistics.median(encodes['martlet, fast lane']):.0f} ns, serde_json "
              f"{statistics.median(encodes['serde_json']):.0f} ns of CPU; serde_json's time is {statistics.median(ratios):.2f} "
              f"({ratios[0]:.2f}–{ratios[-1]:.2f}) of the fast lane's")


def ratio(ours, theirs):
    if not ours:
        return ""
    ratios = sorted(low["cpu"] / high["cpu"] for low, high in zip(ours, theirs))
    return f"{statistics.median(ratios):.2f} × ({ratios[0]:.2f}–{ratios[-1]:.2f})"


if __name__ == "__main__":
    main()
