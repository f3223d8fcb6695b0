"""A running martlet, and bytes over real sockets: what every integration test stands on.

    with Server() as server:                          # --http 127.0.0.1:0 --resp off --memcached off, no further options, clean environment
        assert server.get("/healthz").status_code == 200
        reply = server.raw(b"GET / HTTP/1.1\r\nHost: x\r\n\r\n")

`Server(options=[...], env={...})` adds options and variables; `http=None` leaves `--http` out; `resp` and `memcached`
likewise; `command=("bench", "serve")` runs another command that serves.  Leaving the block stops the
server with SIGTERM and asserts exit status 0: a test that breaks the server fails even if its own assertions hold.
Everything waits on events (a line, an end of file, an exit), bounded by PATIENCE; nothing sleeps to let things happen.

Three ways to ask: `server.get(...)` and its like go through `requests`, as people do; `server.send(...)` puts target and fields on
the wire exactly as given and reads one response exactly as it came; `server.raw(...)` is bytes to bytes.
"""

import json
import os
import pathlib
import resource
import select
import signal
import socket
import struct
import subprocess
import time

import requests

#: Seconds before anything awaited counts as never coming. Generous, since a loaded machine is slow and passing tests never wait it out.
PATIENCE = float(os.environ.get("MARTLET_TEST_PATIENCE", "60"))

ROOT = pathlib.Path(__file__).resolve().parents[2]
BINARY = os.environ.get("MARTLET_BINARY") or str(ROOT / ".build" / "release" / "martlet")


def clean_environment(extra=None):
    """The caller's environment without any MARTLET_ setting, so that nothing outside a test decides it."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("MARTLET_")}
    env.update(extra or {})
    return env


def run(*arguments, env=None):
    """Runs the binary to its end; gives returncode, stdout and stderr as text."""
    return subprocess.run(
        [BINARY, *map(str, arguments)], env=clean_environment(env), stdin=subprocess.DEVNULL,
        capture_output=True, text=True, timeout=PATIENCE)


class Server:
    def __init__(self, options=(), env=None, http="127.0.0.1:0", resp="off", memcached="off", descriptor_limit=None, command=("serve",)):
        self.command = command
        self.options = [*(["--http", http] if http is not None else []), *map(str, options)]
        for option, address in ("--resp", resp), ("--memcached", memcached):
            if address is not None and option not in self.options:
                self.options[:0] = [option, address]
        self.env = env
        self.descriptor_limit = descriptor_limit  # the hard limit on open files that the process starts with
        self.process = None
        self.lines = []  # standard output so far, line by line
        self.listeners = {}  # "http" -> "127.0.0.1:49152" or "unix:/path"
        self._unread = b""
        self._settling = None
        self.end_awaited = False  # a test has looked at the exit status, or killed the process

    # Life

    def __enter__(self):
        return self if self.process else self.start()

    def __exit__(self, kind, *_):
        if kind is None:
            self.stop()
        else:
            self.kill()

    def start(self):
        """Starts the server and reads its standard output up to `ready`."""
        self._stderr = open(os.memfd_create("stderr"), "w+b") if hasattr(os, "memfd_create") else subprocess.DEVNULL
        self.process = subprocess.Popen(
            [BINARY, *self.command, *self.options], env=clean_environment(self.env), stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE, stderr=self._stderr, preexec_fn=self._limit if self.descriptor_limit else None)
        while (line := self.read_line()) != "ready":
            if line is None:
                status = self.wait()
                raise AssertionError(f"martlet ended with {status} before it was ready: {self.stderr()}")
            word, kind, address = line.split(" ", 2)
            assert word == "listening", f"not a start-up line: {line!r}"
            self.listeners[kind] = address
        return self

    def _limit(self):
        resource.setrlimit(resource.RLIMIT_NOFILE, (self.descriptor_limit, self.descriptor_limit))

    def read_line(self):
        """The next line of standard output, None at its end."""
        deadline = time.monotonic() + PATIENCE
        while b"\n" not in self._unread:
            if not select.select([self.process.stdout], [], [], max(0, deadline - time.monotonic()))[0]:
                raise AssertionError(f"no line on standard output; so far {self.lines}; {self.stderr()}")
            piece = os.read(self.process.stdout.fileno(), 4096)
            if not piece:
                return None
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        self.lines.append(line.decode())
        return self.lines[-1]

    def signal(self, number):
        self.process.send_signal(number)

    def wait(self):
        """The exit status, once the process has ended."""
        self.end_awaited = True
        try:
            return self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            raise AssertionError(f"martlet did not end within {PATIENCE} s: {self.stderr()}") from None

    def stop(self):
        """SIGTERM, and the clean exit that must follow."""
        if self.process.poll() is None:
            self.signal(signal.SIGTERM)
        status = self.wait()
        self.process.stdout.close()
        assert status == 0, f"exit {status} after SIGTERM: {self.stderr()}"

    def kill(self):
        """Ends the process whatever its state; asserts nothing."""
        self.end_awaited = True
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def stderr(self):
        """What the server logged so far."""
        if self._stderr is subprocess.DEVNULL:
            return ""
        return os.pread(self._stderr.fileno(), 1 << 24, 0).decode(errors="replace")

    # Facts about the process

    @property
    def pid(self):
        return self.process.pid

    @property
    def alive(self):
        return self.process.poll() is None

    def rss(self):
        """Resident memory in bytes (Linux)."""
        with open(f"/proc/{self.pid}/statm") as statm:
            return int(statm.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")

    def descriptors(self):
        """How many file descriptors the process holds (Linux)."""
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def cpu_seconds(self):
        """User and system time that the process has used (Linux)."""
        with open(f"/proc/{self.pid}/stat") as stat:
            user, system = stat.read().rpartition(")")[2].split()[11:13]
        return (int(user) + int(system)) / os.sysconf("SC_CLK_TCK")

    # HTTP for people: by `requests`, which normalises targets and headers. What must arrive exactly goes through `raw`.

    @property
    def port(self):
        """The TCP port of the HTTP listener."""
        return int(self.listeners["http"].rpartition(":")[2])

    @property
    def host(self):
        """The HTTP listener as a Host header or an authority."""
        return self.listeners["http"]

    def url(self, path):
        return f"http://{self.host}{path}"

    def request(self, method, path, **options):
        with requests.Session() as session:
            session.trust_env = False  # no proxies, no .netrc
            return session.request(method, self.url(path), timeout=PATIENCE, **options)

    def get(self, path, **options):
        return self.request("GET", path, **options)

    def head(self, path, **options):
        return self.request("HEAD", path, **options)

    def put(self, path, body=b"", **options):
        return self.request("PUT", path, data=body, **options)

    def post(self, path, body=b"", **options):
        return self.request("POST", path, data=body, **options)

    def patch(self, path, body=b"", **options):
        return self.request("PATCH", path, data=body, **options)

    def delete(self, path, **options):
        return self.request("DELETE", path, **options)

    # HTTP exactly as given

    def send(self, method, target, body=None, headers=None, host="localhost"):
        """One request on a connection of its own, and its final response. Nothing is normalised, nothing added but Host and,
        where there is a body, Content-Length. `headers`: a dict, or pairs where a name stands twice."""
        with self.connect() as connection:
            send_all(connection, request_bytes(method, target, body, headers, host))
            reader = ResponseReader(connection)
            while (response := reader.response(to=method)).status < 200:
                pass
            return response

    def settle(self):
        """Returns once the server has read what was sent on any connection before. For a server of one thread: its loop serves
        connections in the order in which they became readable, and answers this request after them."""
        if not self._settling:
            connection = self.connect()
            self._settling = connection, ResponseReader(connection)
        connection, reader = self._settling
        for _ in range(2):
            connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            assert reader.response().status == 200

    # Bytes

    def connect(self, receive_buffer=None):
        """A new connection to the HTTP listener, TCP or Unix. `receive_buffer`: bytes that the kernel may hold for us unread."""
        address = self.listeners["http"]
        if address.startswith("unix:"):
            connection = socket.socket(socket.AF_UNIX)
            connection.settimeout(PATIENCE)
            connection.connect(address.removeprefix("unix:"))
            return connection
        host = address.rpartition(":")[0].strip("[]")
        connection = socket.socket(socket.AF_INET6 if ":" in host else socket.AF_INET)
        if receive_buffer:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
        connection.settimeout(PATIENCE)
        connection.connect((host, self.port))
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return connection

    def raw(self, request, half_close=True):
        """Sends the bytes and reads until the server closes. With `half_close` we end our side after sending, as `nc` does."""
        with self.connect() as connection:
            send_all(connection, request)
            if half_close:
                shut(connection)
            return read_to_end(connection)


def request_bytes(method, target, body=None, headers=None, host="localhost"):
    """A request as it goes over the wire."""
    pairs = list(headers.items() if hasattr(headers, "items") else headers or ())
    if host is not None:
        pairs.insert(0, ("Host", host))
    if body is not None and not any(name.lower() in ("content-length", "transfer-encoding") for name, _ in pairs):
        pairs.append(("Content-Length", len(body)))
    head = f"{method} {target} HTTP/1.1\r\n" + "".join(f"{name}: {value}\r\n" for name, value in pairs) + "\r\n"
    return head.encode("latin-1") + (body or b"")


def chunked(*pieces, trailers=b""):
    """A body in the chunked coding."""
    return b"".join(b"%x\r\n%s\r\n" % (len(piece), piece) for piece in pieces) + b"0\r\n" + trailers + b"\r\n"


def await_until(condition, what):
    """Polls until `condition()` is true; gives what it returned."""
    deadline = time.monotonic() + PATIENCE
    while not (result := condition()):
        assert time.monotonic() < deadline, f"not within {PATIENCE} s: {what}"
        time.sleep(0.005)  # between two looks, not a hope
    return result


def reset(connection):
    """Closes with RST, as a crashed or impatient peer does."""
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    connection.close()


def send_all(connection, data):
    """Sends; a peer that has answered and closed already is no error here."""
    try:
        connection.sendall(data)
    except (BrokenPipeError, ConnectionResetError):
        pass


def shut(connection):
    """Ends our side of a connection."""
    try:
        connection.shutdown(socket.SHUT_WR)
    except OSError:
        pass


def read_to_end(connection):
    """All bytes until the peer closes or resets."""
    pieces = []
    try:
        while piece := connection.recv(1 << 16):
            pieces.append(piece)
    except ConnectionResetError:
        pass
    return b"".join(pieces)


class Response:
    """One response read from a stream, exactly as it came."""

    def __init__(self, status, headers, body, head):
        self.status = status
        self.headers = headers  # lower-case name -> value; repeated fields joined by ", "
        self.body = body
        self.head = head  # raw bytes, final blank line included

    def __repr__(self):
        return f"<{self.status} {self.headers} {self.body[:200]!r}>"

    def json(self):
        return json.loads(self.body)

    @property
    def version(self):
        """The number in the ETag."""
        tag = self.headers["etag"]
        assert tag[0] == tag[-1] == '"' and tag[1:-1].isdigit(), f"not a strong tag of a decimal version: {tag}"
        return int(tag[1:-1])


def assert_problem(response, status, *words, **members):
    """An error as RFC 9457 says: the four members always, further ones with the values given, words in its detail."""
    assert response.status == status, response
    assert response.headers["content-type"] == "application/problem+json"
    problem = response.json()
    assert problem["type"] == "about:blank"
    assert problem["status"] == status
    assert problem["title"] and isinstance(problem["title"], str)
    assert problem["detail"] and isinstance(problem["detail"], str)
    for word in words:
        assert word in problem["detail"], problem
    for name, value in members.items():
        assert problem.get(name) == value, f"{name} is not {value!r}: {problem}"
    return problem


def responses_in(stream):
    """All responses in the bytes that came from a connection that is closed by now; final ones only. None may be cut short."""
    reader = ResponseReader(None)
    reader.buffer += stream
    reader.fill = lambda: False
    found = []
    while reader.buffer:
        response = reader.response()
        if response.status >= 200:
            found.append(response)
    return found


class ResponseReader:
    """Reads responses one after the other from a connection: for keep-alive and pipelining."""

    def __init__(self, connection):
        self.connection = connection
        self.buffer = bytearray()

    def fill(self):
        """More bytes; False at the end."""
        try:
            piece = self.connection.recv(1 << 16)
        except ConnectionResetError:
            piece = b""
        self.buffer += piece
        return bool(piece)

    def take(self, count):
        while len(self.buffer) < count:
            if not self.fill():
                raise EOFError(f"the peer closed {count - len(self.buffer)} bytes early: {self.buffer[:400]!r}")
        taken = bytes(self.buffer[:count])
        del self.buffer[:count]
        return taken

    def take_through(self, mark):
        searched = 0
        while (at := self.buffer.find(mark, searched)) < 0:
            searched = max(0, len(self.buffer) - len(mark))
            if not self.fill():
                raise EOFError(f"the peer closed before {mark!r}: {self.buffer[:400]!r}")
        return self.take(at + len(mark))

    def response(self, to="GET"):
        """The next response (`to`: the method of its request; HEAD has no body). EOFError when the peer has closed."""
        head = self.take_through(b"\r\n\r\n")
        lines = head.decode("latin-1").split("\r\n")[:-2]
        status = int(lines[0].split(" ")[1])
        headers = {}
        for field in lines[1:]:
            name, _, value = field.partition(":")
            name, value = name.lower(), value.strip(" \t")
            headers[name] = f"{headers[name]}, {value}" if name in headers else value
        return Response(status, headers, self._body(to, status, headers), head)

    def _body(self, to, status, headers):
        if to == "HEAD" or status < 200 or status in (204, 304):
            return b""
        if headers.get("transfer-encoding", "").lower() == "chunked":
            body = b""
            while size := int(self.take_through(b"\r\n").split(b";")[0], 16):
                body += self.take(size)
                assert self.take(2) == b"\r\n"
            while self.take_through(b"\r\n") != b"\r\n":
                pass
            return body
        if "content-length" in headers:
            return self.take(int(headers["content-length"]))
        while self.fill():  # delimited by the end of the connection
            pass
        return self.take(len(self.buffer))

    def at_end(self):
        """True if the peer closes without another byte."""
        return not self.buffer and not self.fill()
