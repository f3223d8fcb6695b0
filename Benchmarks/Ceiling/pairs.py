"""Two servers that speak the same protocol, measured in alternating runs: CPU time of the server's process per command, as a table.

What is measured: user and system time of the server's process while a client runs, divided by the commands it made. What is not: latency,
and anything that depends on the client's speed. Each pair of runs gives a ratio; the median of them is printed, and the spread.
"""

import argparse
import os
import platform
import socket
import statistics
import subprocess
import time

VALUE_BYTES = 64


def options(description):
    """What the command line says."""
    arguments = argparse.ArgumentParser(description=description)
    arguments.add_argument("--quick", action="store_true", help="few keys and commands: shows only that it works")
    arguments.add_argument("--measure", choices=["cpu", "latency", "threads", "memory"], default="cpu",
                           help="CPU time per command beside the rival (the default); p50 to p99.9 beside it at half of the highest rate that "
                                "the rival reaches; CPU time per command of two threads beside one; resident bytes per entry")
    arguments.add_argument("--seconds", type=float, default=10, help="of each run, for latency and threads")
    arguments.add_argument("--rounds", type=int, default=3)
    arguments.add_argument("--commands", type=int, default=400_000, help="at depth 1; pipelined runs make five times as many")
    arguments.add_argument("--keys", type=int, default=1_000_000)
    arguments.add_argument("--connections", type=int, default=50)
    chosen = arguments.parse_args()
    if chosen.quick:
        chosen.rounds, chosen.commands, chosen.keys, chosen.seconds = 1, 2000, 1000, 0.2
    return chosen


def pinned(core):
    """In front of a command: it stays on that core. None: wherever the system likes."""
    return ["taskset", "-c", str(core)] if core is not None and (os.cpu_count() or 1) > 1 else []


def cpu_seconds(pid):
    with open(f"/proc/{pid}/stat") as stat:
        user, system = stat.read().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def martlet(listener, port, threads=1):
    """The command that serves one protocol."""
    listeners = {"http": "off", "resp": "off", "memcached": "off", listener: f"127.0.0.1:{port}"}
    return [os.environ["MARTLET_BINARY"], "serve", *(word for name, address in listeners.items() for word in (f"--{name}", address)),
            "--threads", str(threads), "--memory", "1GiB"]


class Subject:
    """A server, on core 0 if nothing else is said. Its kind fills it (`fill`), and runs a client against it (`client`)."""

    #: What it is asked until it answers so.
    hello, answer = b"", b""

    def __init__(self, name, command, port, core=0):
        self.name, self.port = name, port
        self.process = subprocess.Popen([*pinned(core), *command], stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                        stderr=subprocess.DEVNULL)
        for _ in range(400):
            try:
                with socket.create_connection(("127.0.0.1", port), 1) as one:
                    one.sendall(self.hello)
                    if one.recv(100).startswith(self.answer):
                        return
            except OSError:
                time.sleep(0.05)
        raise SystemExit(f"{name} does not answer")

    def end(self):
        self.process.terminate()
        self.process.wait()

    def microseconds(self, test, depth, commands, chosen, number):
        """CPU time per command in one run of a client on core 1."""
        before = cpu_seconds(self.process.pid)
        subprocess.run([*pinned(1), *map(str, self.client(test, depth, commands, chosen, number))], check=True,
                       stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL)
        return (cpu_seconds(self.process.pid) - before) / commands * 1e6


def compare(subjects, tests, chosen, rival, floor=None):
    """Prints the table of `tests`, pairs of a name and a depth, and ends the servers. `floor` starts, for a test, a server that does nothing
    but read and write: what of the rival's time it takes is printed too, and no ratio can be less."""
    try:
        load = os.getloadavg()
        print(f"machine: {platform.machine()}, {os.cpu_count()} cores, load {load[0]:.1f}; servers on core 0, client on core 1")
        print(f"{rival}; {chosen.keys} keys of 16 bytes, values of {VALUE_BYTES}, {chosen.connections} connections, one thread; "
              f"median of {chosen.rounds} alternating rounds")
        for subject in subjects:
            subject.fill(chosen)
        head = f"{'floor µs':>12}{'ratio':>8}" if floor else ""
        print(f"{'':12}{subjects[0].name + ' µs':>14}{subjects[1].name + ' µs':>14}{'ratio':>8}   spread     {head}")
        for test, depth in tests:
            commands = chosen.commands * (1 if depth == 1 else 5)
            least = [floor(test)] if floor else []
            try:
                rounds = [[subject.microseconds(test, depth, commands, chosen, number) for subject in [*subjects, *least]]
                          for number in range(chosen.rounds)]
            finally:
                for subject in least:
                    subject.end()
            costs = [statistics.median(column) for column in zip(*rounds)]
            ratios = list(zip(*([cost / max(row[1], 1e-9) for cost in row] for row in rounds)))
            line = (f"{test} at {depth:<5}{costs[0]:14.2f}{costs[1]:14.2f}{statistics.median(ratios[0]):8.2f}   "
                    f"{min(ratios[0]):.2f}–{max(ratios[0]):.2f}")
            if floor:
                line += f"{costs[2]:14.2f}{statistics.median(ratios[2]):8.2f}"
            print(line, flush=True)
    finally:
        for subject in subjects:
            subject.end()
