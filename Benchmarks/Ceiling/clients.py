"""`martlet bench load` against wrk and redis-benchmark, on the same server under the same closed loop, in alternating rounds: the client's CPU time
per request, and whether percentiles agree.

What is measured: user and system time of the client's process, its start included, divided by the requests it made. What is not: throughput.
Percentiles depend on how busy the machine is: believe them on one that does nothing else.

The others' clocks begin when a request is written, a turn of their loop after the reply before it; ours begins when it could be. On a server
that is busy all the time the mean has to be connections / rate (Little's law): with 50 connections ours is, wrk's median is half of it.
"""

import argparse
import json
import os
import re
import resource
import statistics
import subprocess

from pairs import free_port, pinned

CONNECTIONS = 50


def main():
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--quick", action="store_true", help="short runs: shows only that it works")
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--seconds", type=int, default=5)
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.seconds = 1, 1
    http, resp = free_port(), free_port()
    server = subprocess.Popen(
        [*pinned(0), os.environ["MARTLET_BINARY"], "serve", "--http", f"127.0.0.1:{http}", "--resp", f"127.0.0.1:{resp}", "--memcached", "off",
         "--threads", "1"], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
    try:
        while server.stdout.readline() != "ready\n":
            if server.poll() is not None:
                raise SystemExit("martlet ended before it was ready")
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; server on core 0, clients on core 1; {CONNECTIONS} connections; "
              f"median of {chosen.rounds} alternating rounds")
        print(f"{'':24}{'martlet CPU µs':>16}{'rival CPU µs':>14}{'ratio':>7}{'p50 µs':>18}{'p99 µs':>18}")
        compare("wrk /json", chosen, lambda: ours(f"http://127.0.0.1:{http}/json", chosen), lambda: wrk(http, chosen))
        for depth in 1, 16:
            compare(f"redis-benchmark at {depth}", chosen,
                    lambda: ours(f"resp://127.0.0.1:{resp}", chosen, "--mix", "get", "--keys", "10000", "--pipeline", str(depth)),
                    lambda: redis(resp, depth, chosen))
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def compare(name, chosen, own, rival):
    rounds = [(own(), rival()) for _ in range(chosen.rounds)]
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in rounds)
    mine, theirs = ([statistics.median(column) for column in zip(*side)] for side in zip(*rounds))
    cells = "".join(f"{a:9.0f}{b:9.0f}" for a, b in zip(mine[1:], theirs[1:]))
    print(f"{name:24}{mine[0]:16.2f}{theirs[0]:14.2f}{ratio:7.2f}{cells}", flush=True)


def run(command):
    """What a client prints, and the CPU microseconds that it used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*pinned(1), *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6


def ours(target, chosen, *options):
    out, used = run([os.environ["MARTLET_BINARY"], "bench", "load", "--target", target, "--connections", str(CONNECTIONS),
                     "--duration", str(chosen.seconds), "--json", *options])
    figures = json.loads(out)
    return used / figures["operations"], figures["latency_us"]["50"], figures["latency_us"]["99"]


def wrk(port, chosen):
    out, used = run(["wrk", "-t1", f"-c{CONNECTIONS}", f"-d{chosen.seconds}", "--latency", f"http://127.0.0.1:{port}/json"])
    units = {"us": 1, "ms": 1e3, "s": 1e6}
    found = {p: float(n) * units[u] for p, n, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\n", out)}
    return used / int(re.search(r"(\d+) requests in", out)[1]), found["50"], found["99"]


def redis(port, depth, chosen):
    count = chosen.seconds * (50_000 if depth == 1 else 300_000)
    out, used = run(["redis-benchmark", "-p", str(port), "-c", str(CONNECTIONS), "-n", str(count), "-P", str(depth), "-r", "10000", "-t", "get",
                     "--csv"])
    # "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
    fields = out.strip().splitlines()[-1].replace('"', "").split(",")
    return used / count, float(fields[4]) * 1e3, float(fields[6]) * 1e3


if __name__ == "__main__":
    main()
