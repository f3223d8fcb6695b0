"""What `--measure` offers beside CPU time for a server of Redis's or memcached's protocol: latency beside the rival, two threads beside one,
memory per entry. The load is `martlet bench load`, which checks every byte of every reply.
"""

import json
import os
import re
import statistics
import subprocess
import time
import urllib.request

from pairs import VALUE_BYTES, Subject, compare, cpu_seconds, free_port, martlet, pinned

KEY_BYTES = 16
#: What the memory of a server is asked of again until it stays: huge pages are laid behind its back.
SETTLED_SECONDS = 1.0


def load(port, protocol, chosen, *more, client=()):
    """One run of the load generator: its report."""
    words = ["--target", f"{protocol}://127.0.0.1:{port}", "--keys", chosen.keys, "--value-bytes", VALUE_BYTES, "--connections",
             chosen.connections, "--json", *more]
    done = subprocess.run([*client, os.environ["MARTLET_BINARY"], "bench", "load", *map(str, words)], check=True, stdin=subprocess.DEVNULL,
                          capture_output=True, text=True)
    report = json.loads(done.stdout)
    assert report["errors"] == 0, report
    return report


def end(subjects):
    for subject in subjects:
        subject.end()


def conditions(chosen):
    return (f"{chosen.keys} keys of {KEY_BYTES} bytes, values of {VALUE_BYTES}, {chosen.connections} connections; "
            f"load {os.getloadavg()[0]:.1f} at the beginning")


def latency(subjects, protocol, chosen, rival):
    """p99 of both at half the rate that the rival reaches, nine gets to a set, one request under way on a connection."""
    print(f"latency at half of the rival's highest rate, in alternating rounds; {rival}; servers on core 0, client on core 1")
    print(conditions(chosen))
    try:
        for subject in subjects:
            load(subject.port, protocol, chosen, "--preload", "--requests", 1, client=pinned(1))
        highest = load(subjects[1].port, protocol, chosen, "--duration", chosen.seconds, client=pinned(1))["rate"]
        print(f"{subjects[1].name} answers {highest:.0f} requests a second; both are asked {highest / 2:.0f}")
        rounds = [[load(subject.port, protocol, chosen, "--duration", chosen.seconds, "--rate", int(highest / 2), client=pinned(1))
                   for subject in subjects] for _ in range(chosen.rounds)]
    finally:
        end(subjects)
    for percentile in ("50", "99", "99.9"):
        own, other = ([report["latency_us"][percentile] for report in column] for column in zip(*rounds))
        ratios = [one / max(two, 1e-9) for one, two in zip(own, other)]
        print(f"p{percentile:<6}{subjects[0].name} {statistics.median(own):9.0f} µs   {subjects[1].name} {statistics.median(other):9.0f} µs   "
              f"ratio {statistics.median(ratios):5.2f}   {min(ratios):.2f}–{max(ratios):.2f}", flush=True)


def threads(kind, protocol, chosen, depth=16):
    """CPU time per command of two threads beside one. Two cores that are shared with a client are too few to see twice the throughput; but
    where the CPU is the limit, threads that spend c2 a command serve 2 × c1 / c2 times what one serves that spends c1. All are wherever
    the system likes, and the client, of two threads too, keeps both threads of the server busy at the same time."""
    print(f"two threads beside one, in alternating rounds, {depth} requests under way on a connection, nine gets to a set")
    print(conditions(chosen))
    subjects = [kind(f"{count} thread{'s' * (count > 1)}", protocol, count) for count in (1, 2)]
    try:
        for subject in subjects:
            load(subject.port, protocol, chosen, "--preload", "--requests", 1)
        rounds = []
        for _ in range(chosen.rounds):
            row = []
            for subject in subjects:
                before = cpu_seconds(subject.process.pid)
                report = load(subject.port, protocol, chosen, "--duration", chosen.seconds, "--pipeline", depth, "--threads", 2)
                row.append((cpu_seconds(subject.process.pid) - before) / report["operations"] * 1e6)
            rounds.append(row)
    finally:
        end(subjects)
    gains = [2 * one / max(two, 1e-9) for one, two in rounds]
    one, two = (statistics.median(column) for column in zip(*rounds))
    print(f"CPU per command: {one:.3f} µs with one thread, {two:.3f} with two: {statistics.median(gains):.2f} times as much where the CPU is "
          f"the limit   {min(gains):.2f}–{max(gains):.2f}", flush=True)


class Alone(Subject):
    """A Martlet of its own, on whatever core."""

    def __init__(self, name, protocol, threads, *more):
        self.hello, self.answer = {"resp": (b"PING\r\n", b"+PONG"), "memcached": (b"version\r\n", b"VERSION")}[protocol]
        port = free_port()
        super().__init__(name, [*martlet(protocol, port, threads), *more], port, core=None)


def resident(pid):
    with open(f"/proc/{pid}/smaps_rollup") as file:
        return int(re.search(r"^Rss:\s+(\d+) kB", file.read(), re.M)[1]) * 1024


def settled(pid):
    """Resident bytes, once they stay."""
    last = -1
    while (now := resident(pid)) != last:
        last = now
        time.sleep(SETTLED_SECONDS)
    return last


def memory(protocol, chosen):
    """Resident bytes per entry that came in over the protocol, beside what the store itself has in its books for it."""
    port = free_port()
    subject = Alone("martlet", protocol, 1, "--http", f"127.0.0.1:{port}")

    def booked():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics") as page:
            text = page.read().decode()
        return (int(re.search(rf"^martlet_cache_{name} (\d+)$", text, re.M)[1]) for name in ("entries", "bytes"))

    try:
        print(conditions(chosen))
        load(subject.port, protocol, chosen, "--requests", 1, "--mix", "get:1")  # buffers and connections are there, entries are not
        _, books = booked()
        before = settled(subject.process.pid)
        load(subject.port, protocol, chosen, "--preload", "--requests", 1, "--mix", "get:1")
        after = settled(subject.process.pid)
        entries, bytes_ = booked()
        assert entries == chosen.keys, entries
    finally:
        end([subject])
    per_entry, own = (after - before) / entries, (bytes_ - books) / entries
    print(f"{protocol}: {per_entry:.2f} bytes per entry resident, {own:.2f} of them the store's; {per_entry - KEY_BYTES - VALUE_BYTES:.2f} beside "
          f"key and value; the protocol adds {per_entry - own:.2f}", flush=True)


def measure(protocol, subjects, tests, chosen, rival, floor=None):
    """What the command line chose. `subjects` makes the two servers."""
    if chosen.measure == "cpu":
        compare(subjects(), tests, chosen, rival, floor)
    elif chosen.measure == "latency":
        latency(subjects(), protocol, chosen, rival)
    elif chosen.measure == "threads":
        threads(Alone, protocol, chosen)
    else:
        memory(protocol, chosen)
