"""`martlet bench load` against wrk and redis-benchmark, on the same server under the same closed loop, in alternating rounds: the client's CPU time
per request, and whether percentiles agree.

What is measured: user and system time of the client's process, its start included, divided by the requests it made. What is not: throughput.
Percentiles depend on how busy the machine is: believe them on one that does nothing else.

With one connection all clients put the same load on a server, and their percentiles are to agree. With many, on a server that is busy all the
time, they do not put the same: ours sends the next request as soon as a reply is there, so all connections have one under way; the others write a
turn of their loop later, and a connection that waits for its client's turn has none. How many are under way is the rate times the mean latency
(Little's law): the last column. Fewer under way wait less for one another.

So the clocks are compared where the server decides alone how long a reply takes: the last two rows ask one that answers each request after
DELAY_MS, whatever else it is asked.
"""

import argparse
import asyncio
import contextlib
import json
import multiprocessing
import os
import re
import resource
import statistics
import subprocess

from pairs import free_port, pinned

CONNECTIONS = 50
DELAY_MS = 10


def rows(http, resp, chosen):
    """A name, our client, and the rival."""
    for connections in 1, CONNECTIONS:
        yield (f"wrk /json, {connections}", lambda: ours(f"http://127.0.0.1:{http}/json", chosen, connections),
               lambda: wrk(http, chosen, connections))
    for connections, depth in (1, 1), (CONNECTIONS, 1), (CONNECTIONS, 16):
        yield (f"redis-benchmark, {connections}, at {depth}",
               lambda: ours(f"resp://127.0.0.1:{resp}", chosen, connections, "--mix", "get", "--keys", "10000", "--pipeline", str(depth)),
               lambda: redis(resp, depth, chosen, connections))
    with delayed(b"HTTP/1.1 200 OK\r\nContent-Length: 27\r\n\r\n" + b'{"message":"Hello, World!"}') as port:
        yield (f"wrk, {CONNECTIONS}, {DELAY_MS} ms", lambda: ours(f"http://127.0.0.1:{port}/json", chosen, CONNECTIONS),
               lambda: wrk(port, chosen, CONNECTIONS))
    with delayed(b"$-1\r\n") as port:
        yield (f"redis-benchmark, {CONNECTIONS}, {DELAY_MS} ms",
               lambda: ours(f"resp://127.0.0.1:{port}", chosen, CONNECTIONS, "--mix", "get", "--keys", "10000"),
               lambda: redis(port, 1, chosen, CONNECTIONS, rate=CONNECTIONS * 1000 // DELAY_MS))


class Delayed(asyncio.Protocol):
    """Answers each request, which comes in one piece, with the same bytes after DELAY_MS."""

    def __init__(self, reply):
        self.reply, self.transport = reply, None

    def connection_made(self, transport):
        self.transport = transport

    def data_received(self, data):
        if data.startswith(b"*3\r\n$6\r\nCONFIG"):  # redis-benchmark asks for two settings before it begins
            return self.transport.write(b"*0\r\n" * data.count(b"CONFIG"))
        asyncio.get_running_loop().call_later(DELAY_MS / 1000, self.transport.write, self.reply)


async def serve(reply, ready):
    server = await asyncio.get_running_loop().create_server(lambda: Delayed(reply), "127.0.0.1", 0)
    ready.send(server.sockets[0].getsockname()[1])
    await server.serve_forever()


@contextlib.contextmanager
def delayed(reply):
    """The port of such a server, on core 0 as the others."""
    ready, sender = multiprocessing.Pipe(duplex=False)

    def run():
        os.sched_setaffinity(0, {0})
        asyncio.run(serve(reply, sender))

    process = multiprocessing.Process(target=run, daemon=True)
    process.start()
    try:
        yield ready.recv()
    finally:
        process.terminate()
        process.join()


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
        print(f"{os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}; server on core 0, clients on core 1; "
              f"median of {chosen.rounds} alternating rounds; ours and theirs")
        print(f"{'client, connections':28}{'CPU µs':>16}{'ratio':>7}{'p50 µs':>18}{'p99 µs':>18}{'under way':>14}")
        for name, own, rival in rows(http, resp, chosen):
            compare(name, chosen, own, rival)
    finally:
        server.terminate()
        server.wait()
        server.stdout.close()


def compare(name, chosen, own, rival):
    rounds = [(own(), rival()) for _ in range(chosen.rounds)]
    ratio = statistics.median(ours[0] / theirs[0] for ours, theirs in rounds)
    mine, theirs = ([statistics.median(column) for column in zip(*side)] for side in zip(*rounds))
    cells = "".join(f"{a:9.0f}{b:9.0f}" for a, b in zip(mine[1:3], theirs[1:3]))
    print(f"{name:28}{mine[0]:8.2f}{theirs[0]:8.2f}{ratio:7.2f}{cells}{mine[3]:7.1f}{theirs[3]:7.1f}", flush=True)


def run(command):
    """What a client prints, and the CPU microseconds that it used."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run([*pinned(1), *command], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return done.stdout, (after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime) * 1e6


# Each: CPU microseconds per request, the median and the 99th percentile in microseconds, requests (pipelines of them) under way.
def ours(target, chosen, connections, *options):
    out, used = run([os.environ["MARTLET_BINARY"], "bench", "load", "--target", target, "--connections", str(connections),
                     "--duration", str(chosen.seconds), "--json", *options])
    figures = json.loads(out)
    # It sends the next when the last is answered, within the same call.
    return used / figures["operations"], figures["latency_us"]["50"], figures["latency_us"]["99"], connections


def wrk(port, chosen, connections):
    out, used = run(["wrk", "-t1", f"-c{connections}", f"-d{chosen.seconds}", "--latency", f"http://127.0.0.1:{port}/json"])
    units = {"us": 1, "ms": 1e3, "s": 1e6}
    found = {p: float(n) * units[u] for p, n, u in re.findall(r"(\d+)%\s+([\d.]+)(us|ms|s)\n", out)}
    mean, unit = re.search(r"Latency\s+([\d.]+)(us|ms|s)", out).groups()
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", out)[1])
    return (used / int(re.search(r"(\d+) requests in", out)[1]), found["50"], found["99"], rate * float(mean) * units[unit] / 1e6)


def redis(port, depth, chosen, connections, rate=None):
    count = chosen.seconds * (rate or (20_000 if connections == 1 else 50_000 if depth == 1 else 300_000))
    out, used = run(["redis-benchmark", "-p", str(port), "-c", str(connections), "-n", str(count), "-P", str(depth), "-r", "10000", "-t", "get",
                     "--csv"])
    # "test","rps","avg_latency_ms","min_latency_ms","p50_latency_ms","p95_latency_ms","p99_latency_ms","max_latency_ms"
    fields = out.strip().splitlines()[-1].replace('"', "").split(",")
    return used / count, float(fields[4]) * 1e3, float(fields[6]) * 1e3, float(fields[1]) / depth * float(fields[2]) / 1e3


if __name__ == "__main__":
    main()
