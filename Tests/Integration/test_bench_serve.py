"""`martlet bench serve`: the routes of Benchmarks/README.md, as a program written with the library has them."""

import copy
import json

import pytest

from server import ROOT, Server, run

ORDER = json.loads(json.loads((ROOT / "Benchmarks/Workloads/http-order.json").read_text())["body"])


@pytest.fixture(scope="module")
def server():
    with Server(command=("bench", "serve"), resp=None, memcached=None) as server:
        yield server


def test_paths_and_queries_are_typed(server):
    assert server.get("/json").json() == {"message": "Hello, World!"}
    assert server.get("/users/42?verbose=true").json() == {"id": 42, "name": "User 42", "email": "user42@example.com", "active": True}
    assert server.get("/users/7").json() == {"id": 7, "name": "User 7", "active": False}
    assert server.get("/users/7?verbose=false").json() == {"id": 7, "name": "User 7", "active": False}
    for wrong in ("/users/0", "/users/x", "/users/1?verbose=maybe", "/users/1?loud=true", "/json/0", "/json/1001"):
        assert server.get(wrong).status_code == 400, wrong


def test_the_list_is_that_of_the_server(server):
    with Server() as other:
        assert server.get("/json/50").json() == other.get("/json/50").json()


def test_an_order_is_answered_with_its_sum(server):
    reply = server.post("/orders", json.dumps(ORDER))
    assert reply.status_code == 201
    assert reply.json() == {"customer": 42, "items": 3, "quantity": 13, "total": 47.98}


@pytest.mark.parametrize("path, value", [
    (("customer",), 0), (("currency",), "eur"), (("currency",), "EURO"), (("items",), []), (("items",), ORDER["items"] * 34),
    (("note",), "x" * 201), (("items", 2, "sku"), ""), (("items", 0, "sku"), "x" * 33), (("items", 1, "quantity"), 0),
    (("items", 1, "quantity"), 1001), (("items", 0, "price"), 0), (("items", 0, "price"), 1_000_001)])
def test_an_order_that_breaks_a_rule_is_refused_and_the_place_is_told(server, path, value):
    order = copy.deepcopy(ORDER)
    place = order
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    reply = server.post("/orders", json.dumps(order))
    assert reply.status_code == 422
    assert reply.json()["pointer"] == "/" + "/".join(map(str, path))


def test_what_is_no_order_is_refused(server):
    for body in ("", "{", "{}", json.dumps({**ORDER, "customer": "Ada"})):
        assert server.post("/orders", body).status_code == 400, body


def test_where_it_cannot_listen_is_one_line():
    for address in ("off", "0.0.0.0:0", "nowhere"):
        done = run("bench", "serve", "--http", address)
        assert done.returncode == 2 and done.stderr.startswith("martlet: --http is host:port") and done.stderr.count("\n") == 1
