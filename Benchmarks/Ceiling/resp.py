"""RESP: Martlet beside redis-server, and beside a program that only reads and writes (floor.c). CPU time per command is measured with
redis-benchmark (pairs.py), the rest with `martlet bench load` (protocols.py).
"""

import socket
import subprocess
import sys
import tempfile

from pairs import VALUE_BYTES, Subject, free_port, martlet, options
from protocols import measure
from subjects import build_c

#: Keys of one MGET.
BATCH = 16


class RedisSubject(Subject):
    hello, answer = b"PING\r\n", b"+PONG\r\n"

    def fill(self, chosen):
        """The keys that redis-benchmark makes; every reply is looked at."""
        with socket.create_connection(("127.0.0.1", self.port)) as one:
            file = one.makefile("rb")
            for start in range(0, chosen.keys, 1000):
                count = min(1000, chosen.keys - start)
                one.sendall(b"".join(b"*3\r\n$3\r\nSET\r\n$16\r\nkey:%012d\r\n$%d\r\n%s\r\n" % (n, VALUE_BYTES, b"x" * VALUE_BYTES)
                                     for n in range(start, start + count)))
                for _ in range(count):
                    assert file.readline() == b"+OK\r\n"

    def client(self, test, depth, commands, chosen, number):
        what = ["mget", *["key:__rand_int__"] * BATCH] if test == "mget" else []
        return ["redis-benchmark", "-p", self.port, *([] if what else ["-t", test]), "-n", commands, "-P", depth, "-d", VALUE_BYTES,
                "-r", chosen.keys, "-c", chosen.connections, "-q", *what]


def array(*words):
    return b"*%d\r\n" % len(words) + b"".join(b"$%d\r\n%s\r\n" % (len(word), word) for word in words)


class Floor(RedisSubject):
    """Reads and writes what a server would for one test, byte for byte as many."""

    answer = b"-ERR"

    def __init__(self, test):
        key, value, bulk = b"key:%012d" % 0, b"x" * VALUE_BYTES, b"$%d\r\n%s\r\n" % (VALUE_BYTES, b"x" * VALUE_BYTES)
        request, reply = {"get": (array(b"GET", key), bulk), "set": (array(b"SET", key, value), b"+OK\r\n"),
                          "mget": (array(b"mget", *[key] * BATCH), b"*%d\r\n" % BATCH + bulk * BATCH)}[test]
        port = free_port()
        super().__init__("floor", [build_c("floor.c", "floor"), str(port), request, reply], port)


def main():
    chosen = options(__doc__)
    version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
    with tempfile.TemporaryDirectory() as folder:
        def subjects():
            ports = free_port(), free_port()
            redis = ["redis-server", "--port", str(ports[1]), "--save", "", "--appendonly", "no", "--dir", folder]
            return [RedisSubject("martlet", martlet("resp", ports[0]), ports[0]), RedisSubject("redis", redis, ports[1])]

        tests = [(test, depth) for test in ("get", "set") for depth in (1, 16, 64)] + [("mget", 1)]
        measure("resp", subjects, tests, chosen, f"redis-server {version}", Floor)


if __name__ == "__main__":
    sys.exit(main())
