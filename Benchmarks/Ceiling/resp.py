"""Server CPU time per command of RESP: Martlet beside redis-server, alternating, on one machine.

What is measured: user and system time of the server's process while redis-benchmark runs, divided by the commands it made. What is not:
latency, and anything that depends on the client's speed. Each pair of runs gives a ratio; the median of them is printed, and the spread.
"""

import argparse
import os
import platform
import socket
import statistics
import subprocess
import sys
import tempfile
import time

ARGUMENTS = argparse.ArgumentParser(description=__doc__)
ARGUMENTS.add_argument("--quick", action="store_true", help="few keys and commands: shows only that it works")
ARGUMENTS.add_argument("--rounds", type=int, default=3)
ARGUMENTS.add_argument("--commands", type=int, default=400_000, help="at depth 1; pipelined runs make twice as many")
ARGUMENTS.add_argument("--keys", type=int, default=1_000_000)
ARGUMENTS.add_argument("--connections", type=int, default=50)


def pinned(core):
    return ["taskset", "-c", str(core)] if (os.cpu_count() or 1) > 1 else []


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


class Subject:
    def __init__(self, name, command, port):
        self.name, self.port = name, port
        self.process = subprocess.Popen([*pinned(0), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as one:
                    one.sendall(b"PING\r\n")
                    if one.recv(100) == b"+PONG\r\n":
                        return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{name} does not answer")

    def fill(self, keys):
        """The keys that redis-benchmark makes, with values of 64 bytes; every reply is looked at."""
        with socket.create_connection(("127.0.0.1", self.port)) as one:
            file = one.makefile("rb")
            for start in range(0, keys, 1000):
                count = min(1000, keys - start)
                one.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$64\r\n%s\r\n" % (n, b"x" * 64)
                                     for n in range(start, start + count)))
                for _ in range(count):
                    assert file.readline() == b"+OK\r\n"

    def run(self, test, depth, commands, options):
        before = cpu_seconds(self.process.pid)
        begun = time.monotonic()
        subprocess.run(
            [*pinned(1), "redis-benchmark", "-p", str(self.port), "-t", test, "-n", str(commands), "-P", str(depth), "-d", "64",
             "-r", str(options.keys), "-c", str(options.connections), "-q"], check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return (cpu_seconds(self.process.pid) - before) / commands * 1e6, commands / (time.monotonic() - begun)


def main():
    options = ARGUMENTS.parse_args()
    if options.quick:
        options.rounds, options.commands, options.keys = 1, 2000, 1000
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(), free_port()
        subjects = [
            Subject("martlet", [os.environ["MARTLET_BINARY"], "serve", "--http", "off", "--memcached", "off", "--resp", f"127.0.0.1:{ports[0]}", "--threads", "1",
                                "--memory", "1GiB"], ports[0]),
            Subject("redis", ["redis-server", "--port", str(ports[1]), "--save", "", "--appendonly", "no", "--dir", folder], ports[1]),
        ]
        try:
            version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
            load = os.getloadavg()
            print(f"machine: {platform.machine()}, {os.cpu_count()} cores, load {load[0]:.1f}; servers on core 0, client on core 1")
            print(f"redis-server {version}; {options.keys} keys of 16 bytes, values of 64, {options.connections} connections, one thread; "
                  f"median of {options.rounds} alternating rounds")
            for subject in subjects:
                subject.fill(options.keys)
            print(f"{'':12}{'martlet µs':>12}{'redis µs':>12}{'ratio':>8}   spread")
            for test in ("get", "set"):
                for depth in (1, 16, 64):
                    commands = options.commands * (1 if depth == 1 else 5)
                    rounds = [[subject.run(test, depth, commands, options)[0] for subject in subjects] for _ in range(options.rounds)]
                    ratios = [own / max(other, 1e-9) for own, other in rounds]
                    own, other = (statistics.median(column) for column in zip(*rounds))
                    print(f"{test} at {depth:<5}{own:12.2f}{other:12.2f}{statistics.median(ratios):8.2f}   {min(ratios):.2f}–{max(ratios):.2f}",
                          flush=True)
        finally:
            for subject in subjects:
                subject.process.terminate()
                subject.process.wait()


if __name__ == "__main__":
    sys.exit(main())
