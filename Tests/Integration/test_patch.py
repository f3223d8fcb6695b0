"""PATCH: JSON Patch (RFC 6902) and JSON Merge Patch (RFC 7396) over HTTP: what each refusal says, and that nothing else changes."""

import json
import threading
from decimal import Decimal

import pytest

from server import ResponseReader, assert_problem, request_bytes

PATCH = {"Content-Type": "application/json-patch+json"}
MERGE = {"Content-Type": "application/merge-patch+json"}
JSON = {"Content-Type": "application/json"}


@pytest.fixture
def entry(shared, key):
    """Stores a JSON text; gives (PATCH it, GET it, the reply to the PUT)."""

    class Entry:
        path = f"/v1/cache/{key}"

        def put(self, text, headers=JSON, query=""):
            self.stored = shared.send("PUT", self.path + query, text, headers)
            assert self.stored.status in (201, 204)
            return self.stored

        def get(self):
            return shared.send("GET", self.path)

        def patch(self, operations, headers=PATCH, **more):
            body = operations if isinstance(operations, bytes) else json.dumps(operations).encode()
            return shared.send("PATCH", self.path, body, {**headers, **more})

        def merge(self, patch, **more):
            return self.patch(patch, MERGE, **more)

    return Entry()


def add(path, value):
    return {"op": "add", "path": path, "value": value}


# What succeeds


def test_a_json_patch_answers_with_the_new_value_and_its_version(entry):
    entry.put(b'{"a":{"b":[1,2]},"c":"d"}')
    patched = entry.patch([
        {"op": "test", "path": "/a/b/0", "value": 1.0}, add("/a/b/-", 3), {"op": "replace", "path": "/c", "value": None},
        {"op": "copy", "from": "/a/b", "path": "/e"}, {"op": "move", "from": "/a/b/0", "path": "/f"}, {"op": "remove", "path": "/e/1"}])
    assert patched.status == 200
    assert patched.headers["content-type"] == "application/json"
    assert patched.json() == {"a": {"b": [2, 3]}, "c": None, "e": [1, 3], "f": 1}
    assert patched.version != entry.stored.version
    got = entry.get()
    assert (got.body, got.version) == (patched.body, patched.version)


def test_a_merge_patch_answers_with_the_new_value_and_its_version(entry):
    entry.put(b'{"a":{"b":1,"c":2},"d":[1,2]}')
    merged = entry.merge({"a": {"b": None, "e": 3}, "d": [4]})
    assert merged.status == 200
    assert merged.json() == {"a": {"c": 2, "e": 3}, "d": [4]}
    got = entry.get()
    assert (got.body, got.version) == (merged.body, merged.version)
    assert entry.merge(b'"whole"').body == b'"whole"'
    assert entry.merge({"x": {"y": None}}).json() == {"x": {}}


@pytest.mark.parametrize("kind", ["application/json-patch+json; charset=utf-8", "APPLICATION/JSON-PATCH+JSON"])
def test_the_type_of_a_patch_may_have_parameters_and_any_case(entry, kind):
    entry.put(b"{}")
    assert entry.patch([add("/a", 1)], {"Content-Type": kind}).status == 200


def test_a_patch_keeps_expiry_tags_and_type(entry):
    entry.put(b'{"a":1}', {"Content-Type": "application/vnd.x+json; v=2"}, "?ttl=1000&stale=7&tags=red")
    for reply in (entry.patch([add("/a", 2)]), entry.merge({"a": 3})):
        assert reply.status == 200
    got = entry.get()
    assert got.json() == {"a": 3}
    assert got.headers["content-type"] == "application/vnd.x+json; v=2"
    assert got.headers["cache-tag"] == "red"
    assert got.headers["cache-control"].startswith("max-age=") and got.headers["cache-control"].endswith("stale-while-revalidate=7")


def test_an_empty_patch_succeeds(entry):
    entry.put(b'{"a":1}')
    assert entry.patch([]).json() == {"a": 1}
    assert entry.merge({}).json() == {"a": 1}


def test_patches_from_many_at_once_are_all_applied(shared, entry):
    entry.put(b"[]")

    def append(number):
        with shared.connect() as connection:
            reader = ResponseReader(connection)
            for step in range(10):
                connection.sendall(request_bytes("PATCH", entry.path, json.dumps([add("/-", number * 10 + step)]).encode(), PATCH))
                assert reader.response().status == 200

    threads = [threading.Thread(target=append, args=(n,)) for n in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(entry.get().json()) == list(range(80))


# Numbers stay as they were


NUMBERS = [b"1.0", b"1e2", b"1E+2", b"-0", b"-0.0", b"0.1", b"1.10", b"100", b"9223372036854775807", b"-9223372036854775808", b"1e308", b"5e-324",
           b"0.30000000000000004", b"123456789012345678"]
INEXACT = [b"12345678901234567890", b"9223372036854775808", b"0.1000000000000000055511151231257827", b"1e400", b"-1e400", b"1e-400",
           b"3.14159265358979323846264338327950288"]


@pytest.mark.parametrize("number", NUMBERS + INEXACT, ids=bytes.decode)
@pytest.mark.parametrize("kind", ["json-patch", "merge-patch"])
def test_patching_one_field_leaves_every_other_number_as_it_was_or_is_refused(entry, number, kind):
    text = b'{"keep":%s,"n":[%s],"a":1}' % (number, number)
    entry.put(text)
    reply = entry.patch([{"op": "replace", "path": "/a", "value": 2}]) if kind == "json-patch" else entry.merge({"a": 2})
    if number in NUMBERS or reply.status == 200:
        assert reply.status == 200
        assert same_value(number, reply.body)
        assert entry.get().body == reply.body
        assert reply.json()["a"] == 2
    else:
        assert_problem(reply, 422)
        assert entry.get().body == text


def same_value(number, body):
    """The number stands in the body twice: as it was written, or in other digits of exactly the same value and kind."""
    keep = []
    json.loads(body, parse_int=lambda text: keep.append(text), parse_float=lambda text: keep.append(text))
    first, second = keep[0].encode(), keep[1].encode()
    return first == second == number or (Decimal(first.decode()) == Decimal(number.decode()) and first == second)


@pytest.mark.parametrize("number", [b"1.0", b"1e2", b"100", b"-0", b"0.1", b"9223372036854775807"], ids=bytes.decode)
def test_the_usual_numbers_stay_in_the_digits_they_were_written_in(entry, number):
    entry.put(b'{"keep":' + number + b',"a":1}')
    assert b'"keep":' + number + b"," in entry.patch([{"op": "replace", "path": "/a", "value": 2}]).body
    assert b'"keep":' + number + b"," in entry.merge({"a": 3}).body


def test_names_and_strings_stay_what_they_were(entry):
    value = {"é": "\u2028 \U0001f600", "\x00": "\x00\x1f\x7f", '"\\/': "</script>", "": [], "z": {}, "a": None}
    entry.put(json.dumps(value).encode())
    reply = entry.patch([add("/new", "ü")])
    assert reply.json() == {**value, "new": "ü"}
    assert list(reply.json())[: len(value)] == list(value)  # members keep their order


# What is refused


def test_an_absent_key_is_404(entry):
    assert_problem(entry.patch([add("/a", 1)]), 404)
    assert_problem(entry.merge({"a": 1}), 404)


@pytest.mark.parametrize("text", [b"", b"{", b'[{"op":"add",}]', b"[1]]", b'["\xff"]', b"[" * 10_000])
@pytest.mark.parametrize("headers", [PATCH, MERGE], ids=["json-patch", "merge-patch"])
def test_malformed_json_is_400_with_an_offset(entry, text, headers):
    entry.put(b"{}")
    problem = assert_problem(entry.patch(text, headers), 400)
    assert 0 <= problem["offset"] <= len(text)
    assert entry.get().body == b"{}"


@pytest.mark.parametrize("patch", [
    {}, {"a": 1}, "x", 1, None, [1], ["add"], [[]], [{}], [{"op": "add"}], [{"op": "add", "path": "/a"}], [{"op": "shout", "path": "/a"}],
    [{"op": "add", "path": "a", "value": 1}], [{"op": "add", "path": 1, "value": 1}], [{"op": 1, "path": "/a", "value": 1}],
    [{"op": "copy", "path": "/a"}], [{"op": "move", "path": "/a", "from": "x"}], [{"path": "/a", "value": 1}],
    [{"op": "add", "path": "/~2", "value": 1}],
], ids=json.dumps)
def test_what_is_json_but_no_patch_is_422(entry, patch):
    entry.put(b'{"x":1}')
    assert_problem(entry.patch(patch), 422)
    assert entry.get().body == b'{"x":1}'


@pytest.mark.parametrize("operation", [
    {"op": "remove", "path": "/absent"}, {"op": "replace", "path": "/absent", "value": 1}, add("/absent/b", 1), add("/list/3", 1),
    add("/list/01", 1), add("/list/x", 1), {"op": "copy", "from": "/absent", "path": "/b"}, {"op": "move", "from": "/absent", "path": "/b"},
    {"op": "remove", "path": "/list/2"}, {"op": "remove", "path": "/list/-"}, add("/text/x", 1), {"op": "move", "from": "/deep", "path": "/deep/in"},
], ids=json.dumps)
def test_a_path_that_is_missing_is_422(entry, operation):
    text = b'{"list":[1,2],"text":"s","deep":{"in":1}}'
    entry.put(text)
    assert_problem(entry.patch([operation]), 422)
    assert entry.get().body == text


@pytest.mark.parametrize("path, value", [("/a", 2), ("/a", "1"), ("/a", None), ("/b", [1]), ("/b", {"x": 1}), ("/c", False)])
def test_a_test_that_fails_is_409(entry, path, value):
    entry.put(b'{"a":1,"b":[1,2],"c":null}')
    assert_problem(entry.patch([{"op": "test", "path": path, "value": value}]), 409)


def test_a_patch_that_fails_in_its_last_operation_changes_nothing(entry):
    text = b'{"a":1,"b":[1,2]}'
    entry.put(text)
    for last, status in (({"op": "test", "path": "/a", "value": 1}, 409), ({"op": "remove", "path": "/none"}, 422), ({"op": "nop"}, 422)):
        reply = entry.patch([add("/a", 2), {"op": "remove", "path": "/b/0"}, last])
        assert_problem(reply, status)
        assert (entry.get().body, entry.get().version) == (text, entry.stored.version)


def test_an_entry_that_is_not_json_is_409(entry):
    entry.put(b"\xff\xfe", {"Content-Type": "application/octet-stream"})
    assert_problem(entry.patch([add("/a", 1)]), 409)
    assert_problem(entry.merge({"a": 1}), 409)
    assert entry.get().body == b"\xff\xfe"


@pytest.mark.parametrize("kind", ["application/json", "text/plain", "application/x-www-form-urlencoded", "application/octet-stream", None])
def test_another_type_is_415_and_says_which_are_taken(entry, kind):
    entry.put(b"{}")
    refused = entry.patch([add("/a", 1)], {"Content-Type": kind} if kind else {})
    assert_problem(refused, 415)
    taken = {name.strip() for name in refused.headers["accept-patch"].split(",")}
    assert taken == {"application/json-patch+json", "application/merge-patch+json"}


def test_if_match_is_honoured(entry):
    entry.put(b"{}")
    etag = entry.stored.headers["etag"]
    assert_problem(entry.patch([add("/a", 1)], **{"If-Match": '"1"'}), 412)
    assert_problem(entry.merge({"a": 1}, **{"If-Match": "W/" + etag}), 412)
    assert entry.get().body == b"{}"
    patched = entry.patch([add("/a", 1)], **{"If-Match": etag})
    assert patched.status == 200
    assert_problem(entry.merge({"a": 1}, **{"If-Match": etag}), 412)
    assert entry.merge({"a": 2}, **{"If-Match": patched.headers["etag"]}).status == 200


# Bombs


def test_a_patch_cannot_make_a_value_too_deep_to_be_read_again(entry):
    entry.put(b"[" * 400 + b"]" * 400)
    inner = json.loads("[" * 200 + "]" * 200)
    reply = entry.patch([add("/0" * 399 + "/-", inner)])
    assert reply.status in (400, 409, 413, 422)
    assert_problem(reply, reply.status)
    assert entry.get().body == b"[" * 400 + b"]" * 400


def test_copying_a_value_into_itself_again_and_again_is_bounded(shared, entry):
    entry.put(b'{"a":["' + b"x" * 1000 + b'"]}')
    reply = entry.patch([{"op": "copy", "from": "/a", "path": "/a/-"}] * 60)  # 2^60 KB if nobody counts
    assert reply.status in (413, 422)
    assert_problem(reply, reply.status)
    assert shared.rss() < 512 << 20
    assert len(entry.get().body) == 1000 + len(b'{"a":[""]}')


def test_duplicate_keys_do_not_pass_as_two_values(entry):
    text = b'{"a":1,"b":2,"a":3}'
    entry.put(text)  # grammar allows it: kept as it is
    reply = entry.patch([{"op": "replace", "path": "/b", "value": 4}])
    if reply.status == 200:  # a tree has one value for a name: the last, as nearly every reader takes it
        assert reply.body == b'{"a":3,"b":4}'
    else:
        assert_problem(reply, 422)
        assert entry.get().body == text


@pytest.mark.parametrize("number", [b"1e400", b"12345678901234567890", b"9" * 400])
def test_a_number_in_a_patch_that_cannot_be_kept_exactly_is_422_or_kept(entry, number):
    entry.put(b"{}")
    reply = entry.patch(b'[{"op":"add","path":"/a","value":%s}]' % number)
    assert reply.status == 200 and reply.body == b'{"a":%s}' % number or assert_problem(reply, 422)
