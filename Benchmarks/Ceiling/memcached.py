"""memcached's text protocol: Martlet beside memcached. CPU time per command is measured with memcached_load.c, which looks at every reply
(pairs.py), the rest with `martlet bench load` (protocols.py).
"""

import os
import subprocess
import sys

from pairs import VALUE_BYTES, Subject, free_port, martlet, options
from protocols import measure
from subjects import build_c


class MemcachedSubject(Subject):
    hello, answer = b"version\r\n", b"VERSION"

    def fill(self, chosen):
        self.microseconds("fill", 64, chosen.keys, chosen, 0)

    def client(self, test, depth, commands, chosen, number):
        load = build_c("memcached_load.c", "memcached_load")
        return [load, self.port, chosen.connections, depth, commands, chosen.keys, VALUE_BYTES, test, number + 1]


def main():
    chosen = options(__doc__)
    version = subprocess.run(["memcached", "-V"], capture_output=True, text=True).stdout.split()[1]

    def subjects():
        ports = free_port(), free_port()
        user = ["-u", "root"] if os.geteuid() == 0 else []
        rival = ["memcached", "-l", "127.0.0.1", "-p", str(ports[1]), "-U", "0", "-t", "1", "-m", "1024", *user]
        return [MemcachedSubject("martlet", martlet("memcached", ports[0]), ports[0]), MemcachedSubject("memcached", rival, ports[1])]

    tests = [(test, depth) for test in ("get", "set") for depth in (1, 16, 64)] + [("get16", 1)]
    measure("memcached", subjects, tests, chosen, f"memcached {version}")


if __name__ == "__main__":
    sys.exit(main())
