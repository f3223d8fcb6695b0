"""`/json` and `/json/{count}`: the routes that benchmarks ask."""

import pytest

from server import ResponseReader, assert_problem, request_bytes


def test_json_is_the_text_that_every_framework_answers(shared):
    reply = shared.send("GET", "/json")
    assert reply.status == 200
    assert reply.body == b'{"message":"Hello, World!"}'
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["content-length"] == "27"
    assert "date" in reply.headers


def test_the_items_have_the_shape_of_the_contract(shared):
    reply = shared.send("GET", "/json/50")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    document = reply.json()
    assert set(document) == {"items", "count"}
    assert document["count"] == 50 == len(document["items"])
    for item in document["items"]:
        assert set(item) == {"id", "name", "category", "price", "quantity", "active", "tags", "rating", "total"}
        assert type(item["id"]) is int and type(item["quantity"]) is int and type(item["active"]) is bool
        assert isinstance(item["name"], str) and isinstance(item["category"], str)
        assert isinstance(item["price"], (int, float)) and not isinstance(item["price"], bool)
        assert len(item["tags"]) == 3 and all(isinstance(tag, str) for tag in item["tags"])
        assert set(item["rating"]) == {"score", "count"} and type(item["rating"]["count"]) is int
        assert item["total"] == item["price"] * item["quantity"]  # the doubles themselves: nothing was rounded on the way
    assert len({item["id"] for item in document["items"]}) == 50


def test_fifty_items_are_about_8_kilobytes(shared):
    assert 7_000 <= len(shared.send("GET", "/json/50").body) <= 9_500


@pytest.mark.parametrize("count", [1, 2, 999, 1000])
def test_counts_from_1_to_1000_are_served(shared, count):
    document = shared.send("GET", f"/json/{count}").json()
    assert document["count"] == len(document["items"]) == count


@pytest.mark.parametrize("count", ["0", "1001", "-1", "x", "1.5", "1e2", "99999999999999999999", "0x10", "%31%30%30%30%30", "1%00"])
def test_other_counts_are_400(shared, count):
    assert_problem(shared.send("GET", f"/json/{count}"), 400)


def test_the_same_count_is_the_same_document_every_time(shared):
    assert shared.send("GET", "/json/10").body == shared.send("GET", "/json/10").body


def test_large_replies_in_a_pipeline_come_whole_and_in_order(shared):
    counts = [1000, 1, 500, 1000, 2, 1000] * 20
    with shared.connect() as connection:
        connection.sendall(b"".join(request_bytes("GET", f"/json/{count}") for count in counts))
        reader = ResponseReader(connection)
        assert [reader.response().json()["count"] for _ in counts] == counts


@pytest.mark.parametrize("path", ["/json", "/json/3", "/healthz", "/readyz", "/v1/stats"])
def test_head_has_the_fields_of_get_and_no_body(shared, path):
    got, head = shared.send("GET", path), shared.send("HEAD", path)
    assert (head.status, head.headers.keys()) == (got.status, got.headers.keys())
    if path != "/v1/stats":
        assert head.headers["content-length"] == got.headers["content-length"]
    assert shared.raw(request_bytes("HEAD", path)).count(b"\r\n\r\n") == 1


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_the_probes_say_ok(shared, path):
    reply = shared.send("GET", path)
    assert (reply.status, reply.body) == (200, b'{"status":"ok"}')
    assert reply.headers["content-type"] == "application/json"
