"""`POST /v1/batch`: many operations in one request, answered in order, each for itself."""

import base64
import json

import pytest

from server import assert_problem

JSON = {"Content-Type": "application/json"}


def at(key):
    return f"/v1/cache/{key}"


def batch(server, operations, headers=JSON):
    body = operations if isinstance(operations, bytes) else json.dumps(operations).encode()
    return server.send("POST", "/v1/batch", body, headers)


def results(server, operations):
    reply = batch(server, operations)
    assert reply.status == 200, reply
    assert reply.headers["content-type"] == "application/json"
    found = reply.json()
    assert isinstance(found, list) and len(found) == (len(operations) if isinstance(operations, list) else len(json.loads(operations)))
    return found


def assert_failed(result, status, *words):
    """One operation's failure: the members of a problem."""
    assert result["status"] == status, result
    assert result["type"] == "about:blank" and result["title"] and result["detail"]
    for word in words:
        assert word in result["detail"], result


def test_operations_are_answered_in_order_each_seeing_those_before_it(shared, key):
    got = results(shared, [
        {"op": "get", "key": key}, {"op": "put", "key": key, "value": {"n": 1}}, {"op": "get", "key": key},
        {"op": "put", "key": key, "value": [2]}, {"op": "delete", "key": key}, {"op": "get", "key": key}, {"op": "delete", "key": key}])
    assert [one["status"] for one in got] == [404, 201, 200, 204, 204, 404, 404]
    assert_failed(got[0], 404)
    assert got[2]["value"] == {"n": 1}
    assert got[2]["etag"] == got[1]["etag"] != got[3]["etag"]
    assert got[1]["etag"][0] == got[1]["etag"][-1] == '"' and got[1]["etag"][1:-1].isdigit()


def test_an_empty_batch_is_answered_by_an_empty_array(shared):
    assert results(shared, []) == []


def test_the_bytes_of_a_value_are_kept_exactly_as_they_stand_in_the_source(shared, key):
    source = b'{"a": [1.0 ,1e2,12345678901234567890], "\\u00e9":"\xc3\xa9" , "a":-0}'
    results(shared, b'[ {"op":"put", "value" :  ' + source + b' ,"key":"' + key.encode() + b'"} ]')
    got = shared.send("GET", at(key))
    assert got.body == source
    assert got.headers["content-type"] == "application/json"
    reply = batch(shared, [{"op": "get", "key": key}])
    assert source in reply.body  # and go out as they are


def test_bytes_that_are_no_json_travel_as_base64(shared, key):
    body = bytes(range(256))
    shared.send("PUT", at(key), body)
    (got,) = results(shared, [{"op": "get", "key": key}])
    assert got["status"] == 200 and "value" not in got
    assert base64.b64decode(got["base64"], validate=True) == body
    results(shared, [{"op": "put", "key": key + "b", "base64": base64.b64encode(body[:254]).decode()}])
    got = shared.send("GET", at(key + "b"))
    assert got.body == body[:254]
    assert got.headers["content-type"] == "application/octet-stream"


@pytest.mark.parametrize("length", range(5))
def test_base64_of_every_remainder_round_trips(shared, key, length):
    results(shared, [{"op": "put", "key": key, "base64": base64.b64encode(b"\xff" * length).decode()}])
    (got,) = results(shared, [{"op": "get", "key": key}])
    assert base64.b64decode(got["base64"]) == b"\xff" * length


def test_a_put_takes_type_ttl_stale_and_tags(shared, key):
    results(shared, [{"op": "put", "key": key, "value": 1, "content-type": "application/vnd.x+json", "ttl": 1000, "stale": 30, "tags": ["red", "blue"]}])
    got = shared.send("GET", at(key))
    assert got.headers["content-type"] == "application/vnd.x+json"
    assert got.headers["cache-control"].startswith("max-age=") and got.headers["cache-control"].endswith("stale-while-revalidate=30")
    assert sorted(tag.strip() for tag in got.headers["cache-tag"].split(",")) == ["blue", "red"]


def test_jitter_shortens_the_ttl_of_each_put_at_random(shared, key):
    results(shared, [{"op": "put", "key": f"{key}{n}", "value": 1, "ttl": 1000, "jitter": 500} for n in range(20)])
    ages = [int(shared.send("GET", at(f"{key}{n}")).headers["cache-control"].removeprefix("max-age=")) for n in range(20)]
    assert len(set(ages)) > 5
    assert 499 <= min(ages) and max(ages) <= 1000


def test_if_match_is_honoured_for_each_operation_alone(shared, key):
    etag = shared.send("PUT", at(key), b"1", JSON).headers["etag"]
    got = results(shared, [{"op": "put", "key": key, "value": 2, "if-match": '"1"'}, {"op": "put", "key": key, "value": 3, "if-match": etag},
                           {"op": "put", "key": key, "value": 4, "if-match": etag}, {"op": "get", "key": key}])
    assert [one["status"] for one in got] == [412, 204, 412, 200]
    assert_failed(got[0], 412)
    assert got[3]["value"] == 3


def test_keys_are_plain_strings_not_percent_encoded(shared, key):
    results(shared, [{"op": "put", "key": f"{key}/é%20\x00", "value": 1}])
    assert shared.send("GET", at(f"{key}%2F%C3%A9%2520%00")).body == b"1"
    (got,) = results(shared, [{"op": "get", "key": f"{key}/é%20\x00"}])
    assert got["value"] == 1


BAD = [
    {}, {"op": "get"}, {"key": "a"}, {"op": "shout", "key": "a"}, {"op": "get", "key": ""}, {"op": "get", "key": 1}, {"op": 1, "key": "a"}, 1, "x", None, [],
    {"op": "put", "key": "a"}, {"op": "put", "key": "a", "value": 1, "base64": ""}, {"op": "put", "key": "a", "base64": "x"},
    {"op": "put", "key": "a", "base64": "!!!!"}, {"op": "put", "key": "a", "base64": 1}, {"op": "put", "key": "a", "value": 1, "ttl": 0},
    {"op": "put", "key": "a", "value": 1, "ttl": -1}, {"op": "put", "key": "a", "value": 1, "ttl": "60"}, {"op": "put", "key": "a", "value": 1, "ttl": 1e10},
    {"op": "put", "key": "a", "value": 1, "stale": -1}, {"op": "put", "key": "a", "value": 1, "tags": "red"}, {"op": "put", "key": "a", "value": 1, "tags": ["a b"]},
    {"op": "put", "key": "a", "value": 1, "tags": ["x"] * 40 + [f"t{n}" for n in range(33)]}, {"op": "put", "key": "a", "value": 1, "tll": 60},
    {"op": "put", "key": "a", "value": 1, "content-type": 1}, {"op": "put", "key": "a", "value": 1, "content-type": "a/b\r\nX: y"},
    {"op": "put", "key": "a", "value": 1, "jitter": 5}, {"op": "put", "key": "a", "value": 1, "ttl": 5, "jitter": 5},
    {"op": "put", "key": "a", "value": 1, "ttl": 5, "jitter": 0}, {"op": "get", "key": "a", "jitter": 1},
    {"op": "put", "key": "a", "base64": "e30K", "content-type": "a/b\r\nX: y"},
]


@pytest.mark.parametrize("operation", BAD, ids=lambda operation: json.dumps(operation)[:70])
def test_a_bad_operation_fails_alone(shared, key, operation):
    got = results(shared, [{"op": "put", "key": key, "value": 1}, operation, {"op": "get", "key": key}])
    assert [one["status"] for one in got] == [201, 400, 200]
    assert_failed(got[1], 400)
    assert shared.send("GET", at("a")).status == 404


def test_bytes_that_claim_to_be_json_are_checked(shared, key):
    got = results(shared, [{"op": "put", "key": key, "base64": base64.b64encode(b'{"a":}').decode(), "content-type": "application/json"}])
    assert_failed(got[0], 400)
    assert shared.send("GET", at(key)).status == 404


@pytest.mark.parametrize("body, offset", [(b"", 0), (b"[", 1), (b'[{"op":"put","key":"whole","value":1},]', 38), (b"[]]", 2), (b'[{"op":"get","key":"\xff"}]', 20)])
def test_malformed_json_fails_whole_with_the_offset(shared, body, offset):
    assert_problem(batch(shared, body), 400, offset=offset)
    assert shared.send("GET", at("whole")).status == 404


@pytest.mark.parametrize("body", [b"{}", b"1", b"null", b'"x"'])
def test_what_is_no_array_fails_whole(shared, body):
    assert_problem(batch(shared, body), 400)


def test_a_thousand_operations_are_taken_and_no_more(shared, key):
    thousand = [{"op": "put", "key": f"{key}-{n}", "value": n} for n in range(1000)]
    assert all(one["status"] == 201 for one in results(shared, thousand))
    assert [one["value"] for one in results(shared, [{"op": "get", "key": f"{key}-{n}"} for n in range(1000)])] == list(range(1000))
    refused = batch(shared, [{"op": "delete", "key": f"{key}-{n % 1000}"} for n in range(1001)])
    assert refused.status in (400, 413)
    assert_problem(refused, refused.status, limit=1000)
    assert shared.send("GET", at(f"{key}-0")).status == 200


def test_a_batch_of_large_values_comes_back_whole(shared, key):
    text = json.dumps("x" * 100_000).encode()
    for n in range(20):
        shared.send("PUT", at(f"{key}-{n}"), text, JSON)
    got = results(shared, [{"op": "get", "key": f"{key}-{n}"} for n in range(20)] * 3)
    assert all(one["value"] == "x" * 100_000 for one in got)


def test_a_depth_bomb_in_a_batch_is_400(shared):
    assert_problem(batch(shared, b'[{"op":"put","key":"a","value":' + b"[" * 100_000), 400)
