"""A stampede of readers on one missing key, and a tag on many entries invalidated at once, against a real server.

Client and server share all cores of the machine. Every answer is checked: each reader gets the whole value, and after an invalidation
no entry with the tag is served.
"""

import argparse
import json
import multiprocessing
import statistics
import subprocess
import time

from subjects import build_c, conditions, output, raise_descriptor_limit, start_martlet

HERD_SOURCE = "herd.c"


def row(what, value, target, how):
    print(f"| {what} | {value} | {target} | {how} |", flush=True)


def metrics(server):
    with server.connect() as connection:
        connection.sendall(b"GET /metrics HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        text = b""
        while piece := connection.recv(1 << 16):
            text += piece
    return {name: float(value) for name, _, value in (line.rpartition(" ") for line in text.decode().splitlines()) if name and not name.startswith("#")
            and value.replace(".", "").replace("e", "").replace("-", "").replace("+", "").isdigit()}


def herd(options):
    raise_descriptor_limit()
    client = build_c(HERD_SOURCE, "herd")
    runs = []
    for run in range(options.rounds):
        with start_martlet(options=["--threads", options.threads]) as server:
            before_rss = server.memory()["VmRSS"]
            herd = subprocess.Popen([client, str(server.port), str(options.readers), str(options.origin), str(options.body), "herd"],
                                    stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
            assert herd.stdout.readline() == "ready\n"
            before = server.accounts()
            herd.stdin.write("go\n")
            herd.stdin.flush()
            result = json.loads(herd.stdout.readline())
            user, system = server.used(before)
            result["cpu_us"], result["user_us"] = (user + system) / options.readers, user / options.readers
            result["rss"] = (server.memory()["VmRSS"] - before_rss) / options.readers
            herd.communicate("done\n")
            figures = metrics(server)
            result["saved"] = figures["martlet_herd_saved_total"]
            if result["leases"] != 1 or result["fills"] != 1 or result["refused"] or result["saved"] != options.readers - 1:
                raise SystemExit(f"not one fill: {result}, saved {result['saved']}")
            runs.append(result)
    how = f"{options.readers:,} connections, origin {options.origin} ms, {options.body} bytes, {options.threads} loops, median of {options.rounds}"

    def median(value):
        return statistics.median(map(value, runs))

    row("fills of a herd", "1", "1", how)
    row("first request to last answer", f"{median(lambda r: r['answered_ms']['last']):.0f} ms (worst {max(r['answered_ms']['last'] for r in runs):.0f})",
        f"≤ {options.origin + 500} ms", "the client asks one after the other, then waits for all")
    row("of it, asking", f"{median(lambda r: r['asked_ms']):.0f} ms", "", "until the last request is sent")
    row("fill to last answer", f"{median(lambda r: r['answered_ms']['last'] - r['filled_ms']):.0f} ms", "", "the same")
    row("server CPU per waiter", f"{median(lambda r: r['cpu_us']):.1f} µs ({median(lambda r: r['user_us']):.1f} of it user)", "", "reading, parking, waking, writing; user and system by schedstat")
    row("server RSS per waiting connection", f"{median(lambda r: r['rss']):.0f} B", "", "when all are answered, connections included")


def batches(server, count, operation, expected):
    """An operation on each of many keys, a thousand at a time; each is to be answered as expected."""
    with server.connect() as connection:
        for first in range(0, count, 1000):
            indices = range(first, min(first + 1000, count))
            body = f"[{','.join(operation % index for index in indices)}]".encode()
            connection.sendall(b"POST /v1/batch HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n%s"
                               % (len(body), body))
            reply = b""
            while not reply.endswith(b"]"):
                reply += connection.recv(1 << 18)
            assert reply.count(b'"status":%d' % expected) == len(indices), reply[:300]


def load(server, count, tag):
    """Entries with a tag, 64 bytes each."""
    batches(server, count, f'{{"op":"put","key":"key:%012d","value":"{"v" * 62}","tags":["{tag}"]}}', 201)


def read(server, count):
    """Reads them all, so that the machine has the memory at hand: a host may take 10 µs for each page that nobody has touched for seconds."""
    batches(server, count, '{"op":"get","key":"key:%012d"}', 200)


class Pulse:
    """Asks for little on a connection of its own, again and again: the longest reply tells of pauses, ours and the machine's. From a process of
    its own, since threads of one wait for each other."""

    def __init__(self, server):
        self.over = multiprocessing.Event()
        self.results, results = multiprocessing.Pipe(duplex=False)
        self.process = multiprocessing.Process(target=self.run, args=(server, results), daemon=True)
        self.process.start()
        assert self.results.recv() == "ready"

    def run(self, server, results):
        times = []
        with server.connect() as connection:
            results.send("ready")
            while not self.over.is_set():
                begun = time.perf_counter()
                connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
                connection.recv(4096)
                times.append(time.perf_counter() - begun)
                time.sleep(0.0005)
        results.send(sorted(times))

    def stop(self):
        """How long replies took, in seconds, the shortest first."""
        self.over.set()
        times = self.results.recv()
        self.process.join()
        return times


def status(connection, request):
    connection.sendall(request)
    return int(connection.recv(65536)[9:12])


def ask(server, connection, entries, expected, is_over):
    """Asks for every thousandth key, whose status is to be the expected one, then for the metrics twice a second until it is over."""
    begun = time.perf_counter()
    for index in range(0, entries, max(1, entries // 1000)):
        request = f"GET /v1/cache/key:{index:012d} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode()
        if status(connection, request) != expected:
            raise SystemExit("an invalidated entry was served" if expected == 404 else "an entry is missing")
    while not is_over(metrics(server), time.perf_counter() - begun):
        if time.perf_counter() - begun > 60:
            raise SystemExit("what was invalidated is not freed within a minute")
        time.sleep(0.5)  # the page itself takes half a millisecond of the loop


def tag(options):
    with start_martlet(options=["--threads", 1]) as server, server.connect() as connection:
        load(server, options.entries, "all")
        assert metrics(server)["martlet_cache_entries"] == options.entries
        pulse = Pulse(server)
        ask(server, connection, options.entries, 200, lambda _, seconds: seconds > 4)  # as long as the sweep takes
        quiet = pulse.stop()
        times = []
        for _ in range(20):  # tags of nobody: the round trip, and what an invalidation costs
            begun = time.perf_counter()
            assert status(connection, b"DELETE /v1/tags/nobody HTTP/1.1\r\nHost: localhost\r\n\r\n") == 204
            times.append(time.perf_counter() - begun)
        read(server, options.entries)
        pulse = Pulse(server)
        before = server.accounts()
        begun = time.perf_counter()
        assert status(connection, b"DELETE /v1/tags/all HTTP/1.1\r\nHost: localhost\r\n\r\n") == 204
        took = time.perf_counter() - begun
        ask(server, connection, options.entries, 404, lambda page, _: page["martlet_cache_entries"] == 0)
        freed = time.perf_counter() - begun
        pauses = pulse.stop()
        used = sum(server.used(before))
        how = f"{options.entries:,} entries with the tag, 64-byte values, one loop"
        row("invalidating a tag, round trip", f"{took * 1e6:.0f} µs (a tag of nobody {statistics.median(times) * 1e6:.0f})", "≤ 1 ms", how)
        row("hits after it", "0", "0", "every thousandth key asked at once")
        row("until all memory is reusable", f"{freed:.1f} s", "≤ 30 s", "until martlet_cache_entries is 0")
        row("longest reply meanwhile", f"{pauses[-1] * 1e3:.2f} ms (99.9 %: {pauses[int(len(pauses) * 0.999)] * 1e3:.2f})", "≤ 1 ms of pause",
            f"{len(pauses):,} pulses from Python beside; before, asked the same without a sweep, {quiet[-1] * 1e3:.2f} ms (99.9 %: {quiet[int(len(quiet) * 0.999)] * 1e3:.2f})")
        row("the machine itself: the longest 500 loads of a C program", f"{int(output(build_c('touch.c', 'touch'), '100', '4000', '500', '4').split()[0]) / 1000:.2f} ms", "",
            "one batch a millisecond over 100 MiB that nobody has touched for 4 s")
        row("CPU of the sweep, per entry", f"{used * 1e3 / options.entries:.0f} ns", "", "all that the server used from the invalidation on, pulses included")


def main():
    parser = argparse.ArgumentParser(prog="scripts/herd-bench", description=__doc__.splitlines()[0])
    parser.add_argument("--quick", action="store_true", help="few of everything: shows that it works, measures nothing")
    parser.add_argument("--readers", type=int, default=10_000)
    parser.add_argument("--origin", type=int, default=100, help="milliseconds")
    parser.add_argument("--body", type=int, default=1024, help="bytes")
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--entries", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("part", nargs="*", choices=[[], "herd", "tag"], help="only these rows")
    options = parser.parse_args()
    if options.quick:
        options.readers, options.entries, options.rounds = 200, 5000, 1
    print("\n".join(conditions()))
    print("\n| what | measured | target | how |\n|---|---:|---:|---|")
    for part in options.part or ["herd", "tag"]:
        {"herd": herd, "tag": tag}[part](options)


if __name__ == "__main__":
    main()
