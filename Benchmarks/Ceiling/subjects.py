"""What is measured: starting each server on a core of its own, checking its answer, and reading what it used from /proc.

Linux only: taskset, /proc/PID/schedstat, smaps. Everything else of the benchmark is in contest.py and costs.py.
"""

import os
import pathlib
import resource
import shutil
import signal
import socket
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
JSON_BODY = b'{"message":"Hello, World!"}'
VALUE = b"v" * 63 + b"."  # 64 bytes, and no JSON
KEY = "key:%012d"  # 16 bytes


class Subject:
    """A running server and its accounts. `wrapper` is what runs it: taskset, valgrind, strace."""

    def __init__(self, name, command, wrapper=(), env=None, port=None):
        self.name = name
        self.ports = {}  # by protocol
        self.begun = time.perf_counter()
        self.process = subprocess.Popen([*map(str, wrapper), *map(str, command)], env={**os.environ, **(env or {})},
                                        stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)
        if port is None:  # says where it listens, then `ready`
            for line in self.process.stdout:
                if line.startswith("listening "):
                    self.ports[line.split()[1]] = int(line.strip().rpartition(":")[2])
                if line.strip() == "ready":
                    break
            else:
                raise SystemExit(f"{name} ended with {self.process.wait()} before it was ready")
            port = self.ports["http"]
        self.port = port
        while True:
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except ConnectionRefusedError:
                if self.process.poll() is not None:
                    raise SystemExit(f"{name} ended with {self.process.returncode} before it was ready") from None
        self.ready_seconds = time.perf_counter() - self.begun

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        self.process.wait()
        self.process.stdout.close()

    @property
    def pids(self):
        """The process and its children (nginx's worker)."""
        pid = self.process.pid
        children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
        return [pid, *map(int, children)]

    def accounts(self):
        """(user ticks, system ticks, CPU ns by the scheduler) so far. Two of these make a `used`."""
        user = system = total = 0
        for pid in self.pids:
            for task in pathlib.Path(f"/proc/{pid}/task").iterdir():
                total += int((task / "schedstat").read_text().split()[0])
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
            user, system = user + int(fields[11]), system + int(fields[12])
        return user, system, total

    def used(self, before):
        """CPU µs since `before`: (user, system). The sum is exact; how it splits is sampled in ticks of 10 ms: measure for seconds."""
        user, system, total = (after - then for after, then in zip(self.accounts(), before))
        share = user / (user + system) if user + system else 0
        return total / 1e3 * share, total / 1e3 * (1 - share)

    def thread_cpu(self):
        """CPU seconds of each thread by id."""
        return {int(task.name): int((task / "schedstat").read_text().split()[0]) / 1e9
                for task in pathlib.Path(f"/proc/{self.process.pid}/task").iterdir()}

    def memory(self):
        """Bytes by name of /proc/PID/status: VmRSS, RssAnon."""
        lines = pathlib.Path(f"/proc/{self.process.pid}/status").read_text().splitlines()
        return {line.split(":")[0]: int(line.split()[1]) * 1024 for line in lines if line.endswith(" kB")}

    # Talking to it

    def connect(self, protocol=None):
        connection = socket.create_connection(("127.0.0.1", self.ports[protocol] if protocol else self.port), timeout=60)
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def exchange(self, connection, request, reply_end, count, depth=1):
        """`count` requests in pipelines of `depth`; every reply must end with `reply_end`, a text that stands in no head."""
        while count > 0:
            batch = min(depth, count)
            connection.sendall(request * batch)
            received = b""
            while received.count(reply_end) < batch:
                piece = connection.recv(1 << 18)
                if not piece:
                    raise SystemExit(f"{self.name} closed: {received[-400:]!r}")
                received += piece
            count -= batch

    def check(self, path, body):
        """One request by hand: status 200 and exactly this body."""
        with self.connect() as connection:
            connection.sendall(b"GET %s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n" % path.encode())
            reply = b""
            while piece := connection.recv(1 << 16):
                reply += piece
                if reply.endswith(body):  # the ceiling reads no Connection field
                    break
        head, _, got = reply.partition(b"\r\n\r\n")
        if not head.startswith(b"HTTP/1.1 200 ") or got != body:
            raise SystemExit(f"{self.name} answers {path} wrongly: {reply[:400]!r}")

    def load(self, keys):
        """PUTs keys 0 … keys-1, VALUE each, in pipelines."""
        with self.connect() as connection:
            for first in range(0, keys, 500):
                batch = range(first, min(first + 500, keys))
                connection.sendall(b"".join(
                    b"PUT /v1/cache/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%s" % ((KEY % i).encode(), len(VALUE), VALUE)
                    for i in batch))
                received = b""
                while received.count(b"HTTP/1.1 20") < len(batch) or not received.endswith(b"\r\n\r\n"):
                    piece = connection.recv(1 << 18)
                    if not piece:
                        raise SystemExit(f"{self.name} closed while it was loaded: {received[-400:]!r}")
                    received += piece


def pinned(core):
    return ["taskset", "-c", core] if core is not None else []


def binary():
    """The release binary, or the one named in MARTLET_BINARY."""
    path = pathlib.Path(os.environ.get("MARTLET_BINARY", ROOT / ".build/release/martlet"))
    if not path.exists():
        raise SystemExit(f"no martlet at {path}: run scripts/build")
    return path


def start_martlet(wrapper=(), options=(), env=None, caches="off"):
    """`caches`: where it listens for Redis and memcached clients."""
    command = [binary(), "serve", "--http", "127.0.0.1:0", "--resp", caches, "--memcached", caches, "--threads", 1, "--memory", "1GiB",
               "--log-level", "error", *options]
    return Subject("martlet", command, wrapper, env)


def build_c(source, target, *flags):
    """Compiles a C file of this folder into .build/bench if it is newer than what is there."""
    source, target = HERE / source, ROOT / ".build/bench" / target
    if not target.exists() or target.stat().st_mtime < source.stat().st_mtime:
        target.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cc", "-O2", "-Wall", "-Wextra", "-o", target, source, *flags], check=True)
    return target


def start_ceiling(wrapper=()):
    libuv = subprocess.run(["pkg-config", "--cflags", "--libs", "libuv"], check=True, capture_output=True, text=True).stdout.split()
    return Subject("ceiling", [build_c("ceiling.c", "ceiling", *libuv), "--port", 0], wrapper)


def start_nginx(wrapper=()):
    folder = pathlib.Path(tempfile.mkdtemp(prefix="martlet-nginx."))
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    config = folder / "nginx.conf"
    config.write_text((HERE / "nginx.conf").read_text().replace("FOLDER", str(folder)).replace("PORT", str(port)))
    subject = Subject("nginx", [shutil.which("nginx") or "/usr/sbin/nginx", "-e", folder / "error.log", "-p", folder, "-c", config],
                      wrapper, port=port)
    stop = subject.stop
    subject.stop = lambda: (stop(), shutil.rmtree(folder, ignore_errors=True))
    return subject


def raise_descriptor_limit():
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def output(*command):
    """First line of what a command prints, wherever it prints it; a dash if it cannot be run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, timeout=30)
    except (OSError, subprocess.TimeoutExpired):
        return "-"
    lines = (done.stdout + done.stderr).strip().splitlines()
    return lines[0] if lines else "-"


def conditions():
    """Where and what was measured: lines for the head of a report."""
    model = next((line.partition(":")[2].strip() for line in open("/proc/cpuinfo") if line.startswith("model name")), "unknown CPU")
    system = os.uname()
    changed = " with local changes" if output("git", "status", "--porcelain", "--untracked-files=no") != "-" else ""
    return [
        f"{model}, {os.cpu_count()} cores, {system.sysname} {system.release} {system.machine}, load {os.getloadavg()[0]:.2f} at start",
        f"{output(binary(), 'version')}, commit {output('git', 'rev-parse', '--short', 'HEAD')}{changed}; {output('swift', '--version')}",
        f"libuv {output('pkg-config', '--modversion', 'libuv')}; {output('nginx', '-v')}; {output('wrk', '-v').split(' Copyright')[0]}",
    ]
