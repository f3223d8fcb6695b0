"""What one request, one connection and one idle process cost: counts that hardly depend on how busy the machine is.

Each row names how it was measured. A row whose tool is missing says so and the others go on. The answers are checked: a
reply that is not the expected one ends the run.
"""

import argparse
import os
import re
import shutil
import signal
import statistics
import struct
import subprocess
import sys
import tempfile

from contest import wrk
from subjects import (JSON_BODY, KEY, VALUE, binary, build_c, conditions, raise_descriptor_limit, start_martlet)

GET_JSON = (b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n", JSON_BODY)
GET_CACHED = (b"GET /v1/cache/" + (KEY % 7).encode() + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", VALUE)
PUT_CACHED = (b"PUT /v1/cache/" + (KEY % 7).encode() + b" HTTP/1.1\r\nHost: localhost\r\nContent-Length: 64\r\n\r\n" + VALUE, b"HTTP/1.1 204")
REQUESTS = [("/json", GET_JSON), ("cached GET", GET_CACHED), ("cached PUT", PUT_CACHED)]


def row(what, value, target, how):
    print(f"| {what} | {value} | {target} | {how} |", flush=True)


def megabytes(count):
    return f"{count / 1e6:.1f} MB"


def size_on_disk():
    with tempfile.NamedTemporaryFile() as stripped:
        subprocess.run(["strip", "-o", stripped.name, binary()], check=True)
        row("binary, stripped", megabytes(os.path.getsize(stripped.name)), "≤ 20 MB", "strip")


def start_up(rounds):
    times, memory = [], None
    for _ in range(rounds):
        with start_martlet() as martlet:
            times.append(martlet.ready_seconds * 1e3)
            memory = martlet.memory()
    row("start to `ready`", f"{statistics.median(times):.1f} ms", "≤ 30 ms", f"median of {rounds}, until the line is read and a connection made")
    row("idle RSS", megabytes(memory["VmRSS"]), "≤ 12 MB", "/proc/PID/status, one thread")
    row("anonymous part of it", megabytes(memory["RssAnon"]), "≤ 3 MB", "the same")


def idle_connections(count):
    count = min(count, raise_descriptor_limit() - 200)
    with start_martlet() as martlet:
        connections = []
        martlet.check("/json", JSON_BODY)
        before = martlet.memory()["VmRSS"]
        for _ in range(count):
            connections.append(martlet.connect())
            martlet.exchange(connections[-1], *GET_JSON, 1)
        grown = martlet.memory()["VmRSS"] - before
        martlet.exchange(connections[0], *GET_JSON, 1)  # the first of them still lives
        row(f"{count:,} idle keep-alive connections", f"{grown / count:,.0f} bytes each", "≤ 4,096", "growth of RSS, one request on each")
        for connection in connections:
            connection.close()


def prepared(martlet):
    """A connection to a server with one entry, past everything that is done only once."""
    connection = martlet.connect()
    connection.sendall(PUT_CACHED[0])
    while not connection.recv(4096).endswith(b"\r\n\r\n"):
        pass
    for _, (request, end) in REQUESTS:
        martlet.exchange(connection, request, end, 64)
        martlet.exchange(connection, request, end, 640, depth=16)
    return connection


def instructions(count):
    if not shutil.which("valgrind"):
        return row("user instructions per request", "valgrind is missing", "", "")

    def total(request, end, count):
        with tempfile.TemporaryDirectory() as folder:
            with start_martlet(["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p"]) as martlet:
                with prepared(martlet) as connection:
                    martlet.exchange(connection, request, end, count, depth=16)
            (out,) = os.listdir(folder)
            return int(re.search(r"^(?:summary|totals): (\d+)", open(f"{folder}/{out}").read(), re.MULTILINE)[1])

    for name, (request, end) in REQUESTS:
        less, more = (total(request, end, n) for n in (count, 2 * count))
        row(f"user instructions, {name}, depth 16", f"{(more - less) / count:,.0f}", "≤ 1,100" if name == "/json" else "",
            f"callgrind, {2 * count:,} requests less {count:,}")


def allocations(count):
    library = build_c("malloc_counter.c", "malloc_counter.so", "-shared", "-fPIC")
    with tempfile.NamedTemporaryFile() as counts:
        counts.write(bytes(16))
        counts.flush()
        with start_martlet(env={"LD_PRELOAD": str(library), "MALLOC_COUNTER": counts.name}) as martlet:
            def made():
                return struct.unpack("QQ", os.pread(counts.fileno(), 16, 0))[0]

            assert made() > 0, "the allocator's calls are not counted"
            with prepared(martlet) as connection:
                for name, (request, end) in REQUESTS:
                    for depth in (1, 16):
                        before = made()
                        martlet.exchange(connection, request, end, count, depth=depth)
                        row(f"allocations, {name}, depth {depth}", f"{(made() - before) / count:.3f}", "0" if name != "cached PUT" else "",
                            f"counted by a preloaded allocator, {count:,} requests")


def system_calls(count):
    if not shutil.which("strace"):
        return row("system calls per request", "strace is missing", "", "")
    with start_martlet() as martlet, prepared(martlet) as connection, tempfile.NamedTemporaryFile("r") as table:
        strace = subprocess.Popen(["strace", "-f", "-c", "-o", table.name, "-p", str(martlet.process.pid)], stderr=subprocess.PIPE, text=True)
        strace.stderr.readline()  # attached
        for _ in range(count):
            martlet.exchange(connection, *GET_JSON, 1)
        strace.send_signal(signal.SIGINT)
        strace.communicate()
        calls = {}
        for line in open(table.name):
            fields = line.split()
            if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
                calls[fields[-1]] = int(fields[3]) / count
        told = ", ".join(f"{name} {number:.2f}" for name, number in sorted(calls.items(), key=lambda item: -item[1]) if number >= 0.005)
        row("system calls, /json, depth 1", told, "1 read, 1 write, epoll_wait", f"strace -c, {count:,} requests on one connection")


def two_threads(rounds, seconds, connections):
    """One loop and two under the same load. With two cores the client shares them with the server: neither is pinned."""
    raise_descriptor_limit()
    options = argparse.Namespace(connections=connections, seconds=seconds, client_core=None)
    ratios, shares = [], []
    with start_martlet() as one, start_martlet(options=["--threads", 2]) as two:
        for _ in range(rounds):
            single = wrk(one, "/json", 1, options)["cpu"]
            before = two.thread_cpu()
            ratios.append(wrk(two, "/json", 1, options)["cpu"] / single)
            busy = sorted((after - before.get(thread, 0) for thread, after in two.thread_cpu().items()), reverse=True)[:2]
            shares.append((busy[0] - busy[1]) / sum(busy) * 2)
    row("two threads against one, CPU per request", f"{statistics.median(ratios):.2f}", "≤ 1.10",
        f"wrk, {connections} connections, medians of {rounds}; client and server share all cores")
    row("difference of the two loops' CPU", f"{statistics.median(shares):.0%}", "≤ 20%", "of their mean, /proc/PID/task/*/schedstat")


def main():
    parts = {
        "size": lambda o: size_on_disk(),
        "start": lambda o: start_up(3 if o.quick else 15),
        "connections": lambda o: idle_connections(100 if o.quick else 10_000),
        "syscalls": lambda o: system_calls(50 if o.quick else 2_000),
        "allocations": lambda o: allocations(640 if o.quick else 16_000),
        "instructions": lambda o: instructions(320 if o.quick else 16_000),
        "threads": lambda o: two_threads(1 if o.quick else 5, 1 if o.quick else 3, 64 if o.quick else 512),
    }
    parser = argparse.ArgumentParser(prog="scripts/measure", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few of everything: shows that it works, measures nothing")
    parser.add_argument("part", nargs="*", choices=[[], *parts], help="only these rows")
    options = parser.parse_args()
    print("\n".join(conditions()))
    print("\n| what | measured | target | how |\n|---|---:|---:|---|")
    for part in options.part or parts:
        parts[part](options)


if __name__ == "__main__":
    main()
