"""At the memory limit: eviction, or 507 where nothing may be evicted; and what the process holds stays near what it was allowed."""

import pathlib

import pytest

from server import ResponseReader, assert_problem, request_bytes

MIB = 1 << 20


def put_many(server, names, body):
    """The statuses of a pipeline of PUTs, a few hundred on the wire at a time."""
    statuses = []
    with server.connect() as connection:
        reader = ResponseReader(connection)
        for first in range(0, len(names), 200):
            some = names[first : first + 200]
            connection.sendall(b"".join(request_bytes("PUT", f"/v1/cache/{name}", body) for name in some))
            statuses += [reader.response().status for _ in some]
    return statuses


@pytest.mark.parametrize("size", [100, 5_000, 100_000])
def test_ten_times_the_limit_is_taken_and_memory_stays_within_it(start, size):
    server = start("--memory", "64MiB", "--threads", 1)
    count = min(10 * 64 * MIB // size, 100_000)
    assert set(put_many(server, [f"k{n}" for n in range(count)], b"x" * size)) == {201}
    assert server.rss() < 64 * MIB * 1.05
    if count * size > 64 * MIB:
        assert server.send("GET", "/v1/cache/k0").status == 404
        assert int(next(line for line in server.send("GET", "/metrics").body.split(b"\n") if line.startswith(b"martlet_cache_evictions_total ")).split()[1]) > 0
    assert server.send("GET", f"/v1/cache/k{count - 1}").body == b"x" * size  # the newest is there


def test_without_eviction_a_write_that_finds_no_room_is_507_and_harms_nothing(start):
    server = start("--memory", "64MiB", "--eviction", "none", "--threads", 1)
    body = b"x" * 500_000
    statuses = put_many(server, [f"k{n}" for n in range(200)], body)
    assert set(statuses) == {201, 507}
    kept = statuses.index(507)
    assert kept > 20
    assert_problem(server.send("PUT", "/v1/cache/another", body), 507)
    assert server.send("GET", "/v1/cache/another").status == 404
    for n in range(kept):
        assert server.send("GET", f"/v1/cache/k{n}").status == 200
    assert server.send("GET", "/healthz").status == 200
    assert server.send("DELETE", "/v1/cache/k0").status == 204
    assert server.send("PUT", "/v1/cache/another", body).status == 201
    refused = server.send("PUT", "/v1/cache/k1", b"y" * 4_000_000)  # a replacement that finds no room leaves the old value
    assert_problem(refused, 507)
    assert server.send("GET", "/v1/cache/k1").body == body


def test_the_thread_that_keeps_memory_gives_way_to_those_that_serve(start):
    server = start("--threads", 2)
    server.send("GET", "/healthz")
    folder = pathlib.Path(f"/proc/{server.pid}/task")
    # "pid (name) state …": the 19th field is how nice the thread is to others.
    nice = {int(thread.name): int((thread / "stat").read_text().rpartition(")")[2].split()[16]) for thread in folder.iterdir()}
    main = nice.pop(server.pid)
    assert len(nice) >= 2 and len(set(nice.values())) == 1
    assert main == min(nice.popitem()[1] + 10, 19)
