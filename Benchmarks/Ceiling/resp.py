"""Server CPU time per command of RESP: Martlet beside redis-server, with redis-benchmark. See pairs.py for what is measured."""

import socket
import subprocess
import sys
import tempfile

from pairs import VALUE_BYTES, Subject, compare, free_port, martlet, options


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
        return ["redis-benchmark", "-p", self.port, "-t", test, "-n", commands, "-P", depth, "-d", VALUE_BYTES, "-r", chosen.keys,
                "-c", chosen.connections, "-q"]


def main():
    chosen = options(__doc__)
    with tempfile.TemporaryDirectory() as folder:
        ports = free_port(), free_port()
        version = subprocess.run(["redis-server", "--version"], capture_output=True, text=True).stdout.split()[2]
        subjects = [
            RedisSubject("martlet", martlet("resp", ports[0]), ports[0]),
            RedisSubject("redis", ["redis-server", "--port", str(ports[1]), "--save", "", "--appendonly", "no", "--dir", folder], ports[1]),
        ]
        compare(subjects, [(test, depth) for test in ("get", "set") for depth in (1, 16, 64)], chosen, f"redis-server {version}")


if __name__ == "__main__":
    sys.exit(main())
