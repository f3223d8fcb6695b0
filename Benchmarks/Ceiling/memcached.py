"""Server CPU time per command of memcached's text protocol: Martlet beside memcached, alternating, on one machine.

What is measured: user and system time of the server's process while `memcached_load` runs, divided by the commands it made. What is not:
latency, and anything that depends on the client's speed. Each pair of runs gives a ratio; the median of them is printed, and the spread.
"""

import argparse
import json
import os
import platform
import socket
import statistics
import subprocess
import sys
import time

from resp import cpu_seconds, free_port, pinned
from subjects import build_c

ARGUMENTS = argparse.ArgumentParser(description=__doc__)
ARGUMENTS.add_argument("--quick", action="store_true", help="few keys and commands: shows only that it works")
ARGUMENTS.add_argument("--rounds", type=int, default=3)
ARGUMENTS.add_argument("--commands", type=int, default=400_000, help="at depth 1; pipelined runs make five times as many")
ARGUMENTS.add_argument("--keys", type=int, default=1_000_000)
ARGUMENTS.add_argument("--connections", type=int, default=50)
VALUE_BYTES = 64


class Subject:
    def __init__(self, name, command, port, load):
        self.name, self.port, self.load = name, port, load
        self.process = subprocess.Popen([*pinned(0), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as one:
                    one.sendall(b"version\r\n")
                    if one.recv(100).startswith(b"VERSION"):
                        return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{name} does not answer")

    def run(self, test, depth, commands, options, seed=1):
        """CPU per command in microseconds, and commands a second."""
        before = cpu_seconds(self.process.pid)
        done = subprocess.run(
            [*pinned(1), self.load, *map(str, (self.port, options.connections, depth, commands, options.keys, VALUE_BYTES, test, seed))],
            check=True, capture_output=True, text=True, stdin=subprocess.DEVNULL)
        return (cpu_seconds(self.process.pid) - before) / commands * 1e6, json.loads(done.stdout)["rate"]


def main():
    options = ARGUMENTS.parse_args()
    if options.quick:
        options.rounds, options.commands, options.keys = 1, 2000, 1000
    load = build_c("memcached_load.c", "memcached_load")
    ports = free_port(), free_port()
    subjects = [
        Subject("martlet", [os.environ["MARTLET_BINARY"], "serve", "--http", "off", "--resp", "off", "--memcached",
                            f"127.0.0.1:{ports[0]}", "--threads", "1", "--memory", "1GiB"], ports[0], load),
        Subject("memcached", ["memcached", "-l", "127.0.0.1", "-p", str(ports[1]), "-U", "0", "-t", "1", "-m", "1024", "-c", "1024",
                              *(["-u", "root"] if os.geteuid() == 0 else [])], ports[1], load),
    ]
    try:
        version = subprocess.run(["memcached", "-V"], capture_output=True, text=True).stdout.split()[1]
        average = os.getloadavg()
        print(f"machine: {platform.machine()}, {os.cpu_count()} cores, load {average[0]:.1f}; servers on core 0, client on core 1")
        print(f"memcached {version}; {options.keys} keys of 16 bytes, values of {VALUE_BYTES}, {options.connections} connections, "
              f"one thread; median of {options.rounds} alternating rounds")
        for subject in subjects:
            subject.run("fill", 64, options.keys, options)
        print(f"{'':12}{'martlet µs':>12}{'memcached µs':>14}{'ratio':>8}   spread")
        tests = [(test, depth) for test in ("get", "set") for depth in (1, 16, 64)] + [("get16", 1)]
        for test, depth in tests:
            commands = options.commands * (1 if depth == 1 else 5)
            rounds = [[subject.run(test, depth, commands, options, seed + 2)[0] for subject in subjects]
                      for seed in range(options.rounds)]
            ratios = [own / max(other, 1e-9) for own, other in rounds]
            own, other = (statistics.median(column) for column in zip(*rounds))
            print(f"{test} at {depth:<5}{own:12.2f}{other:14.2f}{statistics.median(ratios):8.2f}   {min(ratios):.2f}–{max(ratios):.2f}",
                  flush=True)
    finally:
        for subject in subjects:
            subject.process.terminate()
            subject.process.wait()


if __name__ == "__main__":
    sys.exit(main())
