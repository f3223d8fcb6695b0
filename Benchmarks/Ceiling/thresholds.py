"""Instructions and allocations of a request, and of JSON, held to the thresholds in Benchmarks/Thresholds.json. Counts, not times.

A change that costs more than a threshold fails. One that costs less lowers it: `scripts/thresholds --lower` brings each threshold of instructions
down to a twelfth above what was measured, each of allocations to what was measured, and the file is committed with the change. Nothing raises a
threshold but a person who edits the file and says why in the commit. Instructions are those of a release build on the processor that the file names.
"""

import argparse
import concurrent.futures
import json
import os
import platform
import re
import shutil
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

from costs import REQUESTS
from subjects import KEY, ROOT, VALUE, binary, build_c, start_martlet

FILE = ROOT / "Benchmarks/Thresholds.json"
HEADROOM = {"instructions": 1 / 12, "allocations": 0}
# An allocation now and then, of a buffer that grows, is none of the request's.
TOLERANCE = {"instructions": 0, "allocations": 0.01}
THE_KEY = (KEY % 7).encode()

# By name: protocol, request, and what each reply ends with.
WORK = {f"HTTP {name}": ("http", *exchange) for name, exchange in REQUESTS} | {
    "RESP GET": ("resp", b"*2\r\n$3\r\nGET\r\n$16\r\n%s\r\n" % THE_KEY, VALUE),
    "RESP SET": ("resp", b"*3\r\n$3\r\nSET\r\n$16\r\n%s\r\n$64\r\n%s\r\n" % (THE_KEY, VALUE), b"+OK\r\n"),
    "memcached get": ("memcached", b"get %s\r\n" % THE_KEY, VALUE),
    "memcached set": ("memcached", b"set %s 0 0 64\r\n%s\r\n" % (THE_KEY, VALUE), b"STORED\r\n"),
}
JSON = {"JSON encode, 1 KB record": "encode", "JSON decode, 1 KB record": "decode"}
DEPTH = 16


def prepared(martlet):
    """A connection for each piece of work to a server that has one entry and is past everything that is done only once."""
    connections = {name: martlet.connect(protocol) for name, (protocol, _, _) in WORK.items()}
    for name in ["RESP SET", *WORK]:
        _, request, end = WORK[name]
        martlet.exchange(connections[name], request, end, 64)
        martlet.exchange(connections[name], request, end, 640, depth=DEPTH)
    return connections


def callgrind(folder):
    return ["valgrind", "--quiet", "--tool=callgrind", f"--callgrind-out-file={folder}/out.%p"]


def counted(folder):
    (out,) = os.listdir(folder)
    return int(re.search(r"^(?:summary|totals): (\d+)", open(f"{folder}/{out}").read(), re.MULTILINE)[1])


def server_instructions(name, count):
    """Of a server's whole life, with `count` requests of one kind beside the preparation."""
    with tempfile.TemporaryDirectory() as folder:
        with start_martlet(callgrind(folder), caches="127.0.0.1:0") as martlet:
            connections = prepared(martlet)
            if count:
                _, request, end = WORK[name]
                martlet.exchange(connections[name], request, end, count, depth=DEPTH)
            for connection in connections.values():
                connection.close()
        return counted(folder)


def json_command(name, count):
    return [Path(binary()).with_name("martlet-bench-json"), "--repeat", "1 KB record", JSON[name], "fast lane", str(count)]


def json_instructions(name, count):
    with tempfile.TemporaryDirectory() as folder:
        subprocess.run([*callgrind(folder), *json_command(name, count)], check=True)
        return counted(folder)


def instructions(count):
    """By name, per request or per record."""
    with concurrent.futures.ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = {name: pool.submit(server_instructions, name, count) for name in WORK}
        rest = pool.submit(server_instructions, None, 0)
        records = {name: [pool.submit(json_instructions, name, n) for n in (1, 1 + count)] for name in JSON}
        measured = {name: (run.result() - rest.result()) / count for name, run in runs.items()}
        return measured | {name: (more.result() - less.result()) / count for name, (less, more) in records.items()}


class Counts:
    """The file that a preloaded allocator counts in."""

    def __enter__(self):
        self.file = tempfile.NamedTemporaryFile()
        self.file.write(bytes(16))
        self.file.flush()
        library = build_c("malloc_counter.c", "malloc_counter.so", "-shared", "-fPIC")
        self.environment = {"LD_PRELOAD": str(library), "MALLOC_COUNTER": self.file.name}
        return self

    def __exit__(self, *_):
        self.file.close()

    @property
    def made(self):
        return struct.unpack("QQ", os.pread(self.file.fileno(), 16, 0))[0]


def json_allocations(name, count):
    with Counts() as counts:
        subprocess.run(json_command(name, count), check=True, env=os.environ | counts.environment)
        return counts.made


def allocations(count):
    """By name, per request or per record."""
    measured = {}
    with Counts() as counts, start_martlet(env=counts.environment, caches="127.0.0.1:0") as martlet:
        connections = prepared(martlet)
        if counts.made == 0:
            raise SystemExit("the allocator's calls are not counted")
        for name, (_, request, end) in WORK.items():
            before = counts.made
            martlet.exchange(connections[name], request, end, count, depth=DEPTH)
            measured[name] = (counts.made - before) / count
        for connection in connections.values():
            connection.close()
    return measured | {name: (json_allocations(name, 1 + count) - json_allocations(name, 1)) / count for name in JSON}


def main():
    parser = argparse.ArgumentParser(prog="scripts/thresholds", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--lower", action="store_true", help="bring thresholds down to what is measured, instructions to a twelfth above it")
    parser.add_argument("--count", type=int, default=8_000, help="requests, or records, of each kind")
    parser.add_argument("kind", nargs="*", choices=[[], "instructions", "allocations"], help="only these")
    parser.add_argument("--file", type=Path, default=FILE, help="the thresholds")
    options = parser.parse_args()
    thresholds = json.loads(options.file.read_text())
    measure = {"instructions": instructions, "allocations": allocations}
    broken = []
    for kind in options.kind or measure:
        if kind == "instructions" and (platform.machine() != thresholds["processor"] or not shutil.which("valgrind")):
            print(f"instructions: skipped: {'valgrind is missing' if platform.machine() == thresholds['processor'] else 'another processor'}")
            continue
        measured = measure[kind](options.count)
        if measured.keys() != thresholds[kind].keys():
            raise SystemExit(f"{options.file}: {kind}: what is measured is {', '.join(measured)}")
        print(f"\n| {kind}, each | measured | threshold |\n|---|---:|---:|")
        for name, value in measured.items():
            limit = thresholds[kind][name]
            if value > limit + TOLERANCE[kind]:
                broken.append(f"{kind}, {name}: {value:,.2f} are more than {limit:,}")
            print(f"| {name} | {value:,.2f} | {limit:,} |")
            thresholds[kind][name] = min(limit, round(value * (1 + HEADROOM[kind])))
    if options.lower:
        options.file.write_text(json.dumps(thresholds, indent=2) + "\n")
    for line in broken:
        print(f"thresholds: {line}", file=sys.stderr)
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
