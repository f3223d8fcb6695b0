"""The life of the process: start-up lines, addresses, ports in use, Unix sockets, signals, draining, `martlet health`."""

import os
import signal
import socket
import stat

import pytest

from server import ResponseReader, read_to_end, run, shut
from test_options import assert_refused



def ipv6():
    try:
        with socket.create_server(("::1", 0), family=socket.AF_INET6):
            return True
    except OSError:
        return False


needs_ipv6 = pytest.mark.skipif(not ipv6(), reason="no IPv6 loopback here")


# Start


def test_standard_output_holds_one_line_per_listener_then_ready_and_nothing_else(start):
    server = start("--log-level", "debug")
    assert server.lines == [f"listening http 127.0.0.1:{server.port}", "ready"]
    assert server.get("/json").json() == {"message": "Hello, World!"}
    server.signal(signal.SIGTERM)
    assert server.wait() == 0
    assert server.read_line() is None


def test_port_zero_picks_a_free_port_for_each_server(start):
    assert start().port != start().port


def test_a_port_alone_is_a_port_on_loopback(start):
    assert start(http="0").listeners["http"].startswith("127.0.0.1:")


@needs_ipv6
def test_it_listens_on_ipv6_loopback(start):
    server = start(http="[::1]:0")
    assert server.listeners["http"].startswith("[::1]:")
    assert server.get("/healthz").json() == {"status": "ok"}


def test_the_soft_limit_on_descriptors_is_raised_to_the_hard_one(server):
    with open(f"/proc/{server.pid}/limits") as limits:
        soft, hard = next(line for line in limits if line.startswith("Max open files")).split()[3:5]
    assert soft == hard


# Addresses in use


@pytest.mark.parametrize("option", [socket.SO_REUSEADDR, socket.SO_REUSEPORT])
def test_a_port_that_another_program_listens_on_is_an_error(option):
    with socket.socket() as other:
        other.setsockopt(socket.SOL_SOCKET, option, 1)
        other.bind(("127.0.0.1", 0))
        other.listen()
        address = f"127.0.0.1:{other.getsockname()[1]}"
        assert_refused(run("serve", "--http", address), address, status=1)


@pytest.mark.parametrize("threads", [1, 2])
def test_a_port_that_another_martlet_listens_on_is_an_error_and_that_one_keeps_its_traffic(start, threads):
    server = start("--threads", threads)
    assert_refused(run("serve", "--http", server.host, "--threads", threads), server.host, status=1)
    for _ in range(20):
        assert server.get("/healthz").status_code == 200


def test_a_port_that_was_just_given_up_can_be_taken_again(start):
    server = start()
    with server.connect() as connection:  # leaves a connection in TIME_WAIT on the server's side
        reader = ResponseReader(connection)
        connection.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
        assert reader.response().status == 200
        assert reader.at_end()
    server.stop()
    assert start(http=server.host).port == server.port


def test_an_address_of_no_interface_here_is_an_error_in_one_line():
    assert_refused(run("serve", "--http", "192.0.2.1:0", "--insecure"), "192.0.2.1", status=1)


# Unix sockets


def test_it_serves_on_a_unix_socket_that_only_its_user_can_open(tmp_path, start):
    path = tmp_path / "martlet.sock"
    server = start(http=f"unix:{path}")
    assert server.lines == [f"listening http unix:{path}", "ready"]
    assert stat.S_IMODE(path.stat().st_mode) == 0o700
    with server.connect() as connection:
        connection.sendall(b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert ResponseReader(connection).response().body == b'{"message":"Hello, World!"}'


def test_a_stale_unix_socket_is_replaced(tmp_path, start):
    path = tmp_path / "martlet.sock"
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        dead.listen()
    assert path.exists()
    server = start(http=f"unix:{path}")
    assert run("health", "--http", server.listeners["http"]).returncode == 0


def test_a_unix_socket_that_another_martlet_serves_is_an_error_and_that_one_keeps_it(tmp_path, start):
    server = start(http=f"unix:{tmp_path}/martlet.sock")
    assert_refused(run("serve", "--http", server.listeners["http"]), "martlet.sock", status=1)
    assert run("health", "--http", server.listeners["http"]).returncode == 0


def test_a_file_in_the_place_of_a_unix_socket_is_left_alone(tmp_path):
    path = tmp_path / "precious"
    path.write_text("mine")
    assert_refused(run("serve", "--http", f"unix:{path}"), "precious", status=1)
    assert path.read_text() == "mine"


def test_a_unix_path_that_is_too_long_or_nowhere_is_told_in_one_line(tmp_path):
    long = run("serve", "--http", f"unix:{tmp_path}/{'x' * 120}")
    assert_refused(long, "unix:", status=long.returncode)
    assert long.returncode in (1, 2)
    assert_refused(run("serve", "--http", f"unix:{tmp_path}/absent/martlet.sock"), "absent", status=1)


# Signals


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_ends_an_idle_server_with_status_zero(start, number):
    server = start()
    with server.connect() as idle:
        reader = ResponseReader(idle)
        idle.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
        assert reader.response().status == 200
        server.signal(number)
        assert server.wait() == 0
        assert reader.at_end()


def readiness(server):
    return server.get("/readyz").status_code


def await_draining(server):
    """Until `readyz` says 503: bounded by the server's own life, and by the drain delay of the test."""
    while readiness(server) != 503:
        assert server.alive


def test_during_the_drain_delay_readyz_says_503_while_requests_are_served(start):
    server = start("--drain-delay", 300)
    assert readiness(server) == 200
    server.signal(signal.SIGTERM)
    await_draining(server)
    assert server.get("/json").status_code == 200
    assert server.get("/healthz").status_code == 200
    assert run("health", "--http", server.host).returncode == 1
    server.signal(signal.SIGTERM)
    server.wait()  # a second signal: at once, long before the delay is over


def begin_put(server, connection, sent=b"hello", length=10):
    connection.sendall(b"PUT /v1/cache/slow HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n" % length)
    reader = ResponseReader(connection)
    assert reader.response().status == 100  # the request is in the server's hands now
    connection.sendall(sent)
    return reader


def await_refusal(server):
    """Until the listener is closed."""
    while True:
        try:
            server.connect().close()
        except OSError:
            return
        assert server.alive


def test_a_busy_connection_finishes_with_connection_close(start):
    server = start("--drain", 300)
    with server.connect() as connection:
        reader = begin_put(server, connection)
        server.signal(signal.SIGTERM)
        await_refusal(server)
        connection.sendall(b"world")
        response = reader.response()
        assert response.status == 201
        assert response.headers["connection"] == "close"
        assert reader.at_end()
    assert server.wait() == 0


def test_after_the_drain_time_the_rest_is_cut_and_the_status_is_zero(start):
    server = start("--drain", 1)
    with server.connect() as connection:
        begin_put(server, connection)
        server.signal(signal.SIGTERM)
        assert server.wait() == 0
        read_to_end(connection)


def test_a_second_signal_ends_a_draining_server_at_once(start):
    server = start("--drain", 300)
    with server.connect() as connection:
        begin_put(server, connection)
        server.signal(signal.SIGTERM)
        await_refusal(server)
        server.signal(signal.SIGINT)
        server.wait()
        assert read_to_end(connection) == b""  # cut, not answered


def test_a_client_that_is_gone_does_not_end_the_server(server):
    for _ in range(50):
        with server.connect() as connection:
            connection.sendall(b"GET /json HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100)
            shut(connection)
    assert server.get("/healthz").status_code == 200


# martlet health


def test_health_tells_a_ready_server_from_none(start):
    server = start()
    assert run("health", "--http", server.host).returncode == 0
    assert run("health", env={"MARTLET_HTTP": server.host}).returncode == 0
    server.stop()
    gone = run("health", "--http", server.host)
    assert gone.returncode == 1
    assert len(gone.stderr.splitlines()) == 1


def test_health_needs_no_token_and_reaches_a_public_listener(start):
    assert run("health", "--http", start("--token", "sesame").host).returncode == 0
    assert run("health", "--http", start("--insecure", http="0.0.0.0:0").host).returncode == 0
    assert run("health", "--http", start("--token", "sesame", http="0.0.0.0:0").host).returncode == 0


def test_health_gives_up_on_something_that_does_not_answer():
    with socket.create_server(("127.0.0.1", 0)) as silent:
        result = run("health", "--http", f"127.0.0.1:{silent.getsockname()[1]}")
        assert result.returncode == 1


def test_health_refuses_a_bad_address_in_one_line():
    assert_refused(run("health", "--http", "nowhere"), "--http", "nowhere")
