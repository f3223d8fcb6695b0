"""The JSON commands of Redis: paths, replies and errors as RedisJSON documents them, over strings that every other command sees."""

import json
import threading

import pytest

from resp import Resp
from server import Server

MISSING = b"-ERR could not perform this operation on a key that doesn't exist\r\n"
NIL = b"$-1\r\n"


@pytest.fixture(scope="module")
def server():
    with Server(resp="127.0.0.1:0") as running:
        yield running


@pytest.fixture
def client(server):
    with Resp(server.listeners["resp"]) as one:
        yield one


def bulk(text):
    data = text if isinstance(text, bytes) else text.encode()
    return b"$%d\r\n%s\r\n" % (len(data), data)


DOCUMENT = '{"a": 1, "b": {"c": [10, 2.50, "x", null, true]}, "a b": 1e2, "é": []}'

#: command (without the key), reply; in order, on one document
STEPS = [
    (("json.get",), '{"a":1,"b":{"c":[10,2.50,"x",null,true]},"a b":1e2,"é":[]}'),
    (("json.get", "."), '{"a":1,"b":{"c":[10,2.50,"x",null,true]},"a b":1e2,"é":[]}'),
    (("json.get", "$"), '[{"a":1,"b":{"c":[10,2.50,"x",null,true]},"a b":1e2,"é":[]}]'),
    (("json.get", ".a"), "1"), (("json.get", "a"), "1"), (("json.get", "$.a"), "[1]"), (("json.get", "b.c[1]"), "2.50"), (("json.get", "b.c[-1]"), "true"),
    (("json.get", '$["a b"]'), "[1e2]"), (("json.get", "['a b']"), "1e2"), (("json.get", "é"), "[]"), (("json.get", "$.nope"), "[]"), (("json.get", "$.b.c[9]"), "[]"),
    (("json.get", "nope"), b"-ERR Path '$.nope' does not exist\r\n"), (("json.get", ".b.x"), b"-ERR Path '$.b.x' does not exist\r\n"),
    (("json.get", "a", "b.c[0]"), '{"a":1,"b.c[0]":10}'), (("json.get", "$.a", "b.c[0]", "$.nope"), '{"$.a":[1],"b.c[0]":[10],"$.nope":[]}'),
    (("json.get", "a", "nope"), b"-ERR Path 'nope' does not exist\r\n"),
    (("json.get", "INDENT", "  ", "newline", "\n", "SPACE", " ", "b"), '{\n  "c": [\n    10,\n    2.50,\n    "x",\n    null,\n    true\n  ]\n}'),
    (("json.get", "indent", "-", "NOESCAPE", "$.é"), "[-[]]"), (("json.get", "newline", "|", "a", "é"), '{|"a":1,|"é":[]|}'),
    (("json.get", "indent"), b"-ERR wrong number of arguments for 'json.get' command\r\n"),
    (("json.type",), b"$6\r\nobject\r\n"), (("json.type", "$"), b"*1\r\n$6\r\nobject\r\n"), (("json.type", "a"), b"$7\r\ninteger\r\n"), (("json.type", "$['a b']"), b"*1\r\n$6\r\nnumber\r\n"),
    (("json.type", "b.c"), b"$5\r\narray\r\n"), (("json.type", "b.c[2]"), b"$6\r\nstring\r\n"), (("json.type", "b.c[3]"), b"$4\r\nnull\r\n"), (("json.type", "b.c[4]"), b"$7\r\nboolean\r\n"),
    (("json.type", "nope"), NIL), (("json.type", "$.nope"), b"*0\r\n"), (("json.type", "a", "b"), b"-ERR wrong number of arguments for 'json.type' command\r\n"),
    (("json.numincrby", "a", "2"), "3"), (("json.numincrby", "$.a", "1.5"), "[4.5]"), (("json.numincrby", "$.a", "0.5"), "[5.0]"), (("json.numincrby", "$.b", "1"), "[null]"), (("json.numincrby", "$.nope", "1"), "[]"),
    (("json.numincrby", "b", "1"), b"-ERR Path '$.b' does not exist or does not contains a number\r\n"), (("json.numincrby", "nope", "1"), b"-ERR Path '$.nope' does not exist or does not contains a number\r\n"),
    (("json.numincrby", "a", "x"), b"-ERR expected value at line 1 column 1\r\n"), (("json.numincrby", "a", '"1"'), b"-ERR expected a number\r\n"), (("json.numincrby", "a", "1e309"), b"-ERR result is not a number\r\n"),
    (("json.numincrby", "b.c[0]", "9223372036854775807"), b"-ERR result is not a number\r\n"), (("json.numincrby", "b.c[0]", "-11"), "-1"),
    (("json.arrappend", "b.c", "1", '{"y": 1}'), b":7\r\n"), (("json.arrappend", "$.b.c", "2"), b"*1\r\n:8\r\n"), (("json.arrappend", "$.a", "2"), b"*1\r\n$-1\r\n"), (("json.arrappend", "$.nope", "2"), b"*0\r\n"),
    (("json.arrappend", ".a", "2"), b"-ERR Path '.a' does not exist or not an array\r\n"), (("json.arrappend", "b.c", "x"), b"-ERR expected value at line 1 column 1\r\n"), (("json.arrappend", "é", "[]"), b":1\r\n"),
    (("get",), '{"a": 5.0, "b": {"c": [-1, 2.50, "x", null, true,1,{"y": 1},2]}, "a b": 1e2, "é": [[]]}'),
    (("json.set", "a", '{"n":1}'), b"+OK\r\n"), (("json.set", "$.a.m", " [1] "), b"+OK\r\n"), (("json.set", "a.n", "2", "NX"), NIL), (("json.set", "a.n", "2", "XX"), b"+OK\r\n"), (("json.set", "a.o", "2", "xx"), NIL),
    (("json.set", "a.o", "3", "nx"), b"+OK\r\n"), (("json.set", "nope.x", "1"), NIL), (("json.set", "b.c.x", "1"), NIL), (("json.set", "b.c[20]", "1"), b"-ERR array index out of range\r\n"), (("json.set", "b.c[-1]", '"last"'), b"+OK\r\n"),
    (("json.set", "a", "1", "bad"), b"-ERR syntax error\r\n"), (("json.set", "a", "1", "nx", "xx"), b"-ERR syntax error\r\n"), (("json.set", "a", "{"), b"-ERR EOF while parsing a value at line 1 column 1\r\n"),
    (("json.set", "a", "1 2"), b"-ERR trailing characters at line 1 column 3\r\n"), (("json.set", "a", ""), b"-ERR EOF while parsing a value at line 1 column 0\r\n"),
    (("json.get", "a"), '{"n":2,"m":[1],"o":3}'), (("json.del", "a.m"), b":1\r\n"), (("json.del", "a.m"), b":0\r\n"), (("json.del", "$.b.c[0]"), b":1\r\n"), (("json.get", "$.a", "b.c"), '{"$.a":[{"n":2,"o":3}],"b.c":[[2.50,"x",null,true,1,{"y":1},"last"]]}'),
    (("json.merge", "a", '{"n":null,"p":{"q":null,"r":1}}'), b"+OK\r\n"), (("json.get", "a"), '{"o":3,"p":{"r":1}}'), (("json.merge", "$.new", '{"x":null,"y":1}'), b"+OK\r\n"), (("json.get", "new"), '{"y":1}'),
    (("json.merge", "$.new", "null"), b"+OK\r\n"), (("json.type", "new"), NIL), (("json.merge", "nope.x", "1"), NIL), (("json.merge", "a", "{"), b"-ERR EOF while parsing a value at line 1 column 1\r\n"),
    (("json.merge", "$", '{"b":7}'), b"+OK\r\n"), (("json.get", "b", "['a b']"), '{"b":7,"[\'a b\']":1e2}'),
    (("json.get", "$..a"), b"-ERR Invalid path '$..a'"), (("json.get", "$.*"), b"-ERR Invalid path '$.*'"), (("json.set", "$[0:1]", "1"), b"-ERR Invalid path '$[0:1]'"), (("json.del", "$["), b"-ERR Invalid path '$['"),
    (("json.set", "$", "[1]", "nx"), NIL), (("json.set", ".", "[1]", "xx"), b"+OK\r\n"), (("get",), "[1]"), (("json.del",), b":1\r\n"), (("json.del",), b":0\r\n"), (("exists",), b":0\r\n"),
    (("json.set", "$", "1", "xx"), NIL), (("json.set", "a", "1"), b"-ERR new objects must be created at the root\r\n"), (("json.merge", "a", "1"), b"-ERR new objects must be created at the root\r\n"), (("json.get",), NIL),
    (("json.type",), NIL), (("json.type", "$"), NIL), (("json.numincrby", "a", "1"), MISSING), (("json.arrappend", "a", "1"), MISSING), (("json.del", "a"), b":0\r\n"),
    (("json.merge", "$", '{"a":null,"b":1}'), b"+OK\r\n"), (("get",), '{"b":1}'), (("json.merge", "$", "null"), b"+OK\r\n"), (("exists",), b":0\r\n"),
    (("set", "no json"), b"+OK\r\n"), (("json.get",), b"-WRONGTYPE "), (("json.set", "a", "1"), b"-WRONGTYPE "), (("json.type", "a"), b"-WRONGTYPE "), (("json.del", "a"), b"-WRONGTYPE "), (("json.set", "$", "true"), b"+OK\r\n"), (("get",), "true"),
    (("json.set",), b"-ERR wrong number of arguments for 'json.set' command\r\n"), (("json.numincrby", "a"), b"-ERR wrong number of arguments for 'json.numincrby' command\r\n"),
]


def check(reply, expected, step):
    if isinstance(expected, str):
        expected = bulk(expected)
    assert reply == expected if expected.endswith(b"\n") else reply.startswith(expected), step


def test_documents_are_read_and_changed(client, key):
    assert client.ask("json.set", key, "$", DOCUMENT) == b"+OK\r\n"
    for words, expected in STEPS:
        check(client.ask(words[0], key, *words[1:]), expected, words)


def test_within_a_transaction_too(client, key):
    client.ask("json.set", key, "$", DOCUMENT)
    client.ask("multi")
    for words, _ in STEPS:
        if words != ("json.set",) and words != ("json.numincrby", "a"):
            assert client.ask(words[0], key, *words[1:]) == b"+QUEUED\r\n"
    client.send(b"*1\r\n$4\r\nEXEC\r\n")
    assert client.file.readline().startswith(b"*")
    for words, expected in STEPS:
        if words != ("json.set",) and words != ("json.numincrby", "a"):
            check(client.reply(), expected, words)


def test_entries_are_strings_with_all_that_belongs_to_them(server, client, key):
    client.ask("json.set", key, "$", '{"n": 1}')
    assert client.ask("type", key) == b"+string\r\n"
    response = server.get(f"/v1/cache/{key}?pointer=/n")
    assert response.content == b"1"
    assert server.get(f"/v1/cache/{key}").headers["Content-Type"] == "application/json"
    client.ask("expire", key, 100)
    client.ask("martlet.tag", key, f"t-{key}")
    etag = server.get(f"/v1/cache/{key}").headers["ETag"]
    assert client.ask("json.numincrby", key, "n", 1) == b"$1\r\n2\r\n"
    assert client.ask("ttl", key) in (b":100\r\n", b":99\r\n")
    response = server.get(f"/v1/cache/{key}")
    assert response.headers["ETag"] != etag and response.headers["Cache-Tag"] == f"t-{key}"
    server.put(f"/v1/cache/{key}", b'{"by":"http"}', headers={"Content-Type": "application/json"})
    assert client.ask("json.get", key, "by") == b'$6\r\n"http"\r\n'


def test_large_documents(client, key):
    document = {"items": [{"id": n, "text": "x" * 50} for n in range(5000)]}
    client.ask("json.set", key, "$", json.dumps(document))
    assert json.loads(client.ask("json.get", key).split(b"\r\n")[1]) == document
    assert client.ask("json.get", key, "items[4999].id") == b"$4\r\n4999\r\n"
    assert client.ask("json.get", key, "nope") == b"-ERR Path '$.nope' does not exist\r\n"
    assert client.ask("json.numincrby", key, "$.items[-1].id", 1) == b"$6\r\n[5000]\r\n"
    client.ask("multi")
    client.ask("json.get", key, "items[-1].id")
    assert client.ask("exec") == b"*1\r\n$4\r\n5000\r\n"


def test_edits_of_a_large_document_by_many_are_all_there(server, client, key):
    """Each is made on the document as it was a moment ago, and made again if somebody was quicker."""
    filler = "x" * 1_000_000
    client.ask("json.set", key, "$", json.dumps({"sum": 0, "list": [], "filler": filler}))
    client.ask("expire", key, 1000)
    failures = []

    def edit(number):
        with Resp(server.listeners["resp"]) as one:
            for count in range(10):
                if one.ask("json.numincrby", key, "$.sum", 1)[:1] != b"$" or one.ask("json.arrappend", key, "list", number)[:1] != b":":
                    failures.append(number)
                if one.ask("json.set", key, f"$.from{number}", count) != b"+OK\r\n" or one.ask("json.merge", key, "$", '{"a":null}') != b"+OK\r\n":
                    failures.append(number)

    threads = [threading.Thread(target=edit, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    document = json.loads(client.ask("get", key).split(b"\r\n", 1)[1])
    assert not failures and document["sum"] == 40 and sorted(document["list"]) == sorted([number for number in range(4)] * 10)
    assert [document[f"from{number}"] for number in range(4)] == [9] * 4 and document["filler"] == filler
    assert client.ask("ttl", key) in [b":%d\r\n" % seconds for seconds in range(900, 1001)]


def test_the_type_of_a_place_in_a_large_document_is_told(client, key):
    client.ask("json.set", key, "$", json.dumps({"a": [1], "filler": "x" * 100_000, "b": 1.5}))
    assert client.ask("json.type", key) == b"$6\r\nobject\r\n" and client.ask("json.type", key, "a") == b"$5\r\narray\r\n"
    assert client.ask("json.type", key, "$.b") == b"*1\r\n$6\r\nnumber\r\n"
    assert client.ask("json.type", key, "nope") == NIL and client.ask("json.type", key, "$.nope") == b"*0\r\n"
    client.ask("set", key, "x" * 100_000)
    assert client.ask("json.type", key, "a").startswith(b"-WRONGTYPE")


def test_edits_of_a_large_document_that_change_nothing_are_told(client, key):
    client.ask("json.set", key, "$", json.dumps({"a": 1, "filler": "x" * 100_000}))
    before = client.ask("get", key)
    client.ask("config resetstat")
    assert client.ask("json.numincrby", key, "a", "1e309") == b"-ERR result is not a number\r\n"
    assert client.ask("json.numincrby", key, "filler", "1").startswith(b"-ERR Path '$.filler' does not exist or does not contains a number")
    assert client.ask("json.set", key, "a", "2", "nx") == NIL and client.ask("json.del", key, "nope") == b":0\r\n"
    assert client.ask("json.arrappend", key, "$.nope", "1") == b"*0\r\n" and client.ask("get", key) == before
    assert b"cmdstat_json.numincrby:calls=2," in client.ask("info commandstats")
    assert b"rejected_calls=0,failed_calls=2" in client.ask("info commandstats").split(b"json.numincrby")[1].split(b"\r\n")[0]


def test_bounds(start):
    server = start("--resp", "127.0.0.1:0", "--memory", "64MiB")
    with Resp(server.listeners["resp"]) as one:
        one.ask("json.set", "deep", "$", "[" * 511 + "]" * 511)
        assert one.ask("json.arrappend", "deep", "$" + "[0]" * 510, "[]") == b"*1\r\n:1\r\n"
        assert one.ask("json.arrappend", "deep", "$" + "[0]" * 511, "[]").startswith(b"-ERR recursion limit exceeded")
        assert one.ask("json.set", "deeper", "$", "[" * 513 + "]" * 513).startswith(b"-ERR recursion limit exceeded")
        one.ask("json.set", "large", "$", json.dumps({"a": "x" * (6 << 20), "b": []}))
        assert one.ask("json.arrappend", "large", "b", json.dumps("y" * (3 << 20))) == b"-ERR string exceeds maximum allowed size (proto-max-bulk-len)\r\n"
        one.ask("json.set", "many", "$", json.dumps(list(range(100_000))))
        assert one.ask("json.get", "many", "indent", " " * 1000) == b"-ERR the reply is larger than a value may be\r\n"
        assert one.ask("json.get", "many", "indent", " " * 1025) == b"-ERR more than 1024 bytes of spacing\r\n"
        assert one.ask("json.get", "many", *["$[0]"] * 129) == b"-ERR more than 128 paths\r\n"


def test_redis_py_speaks_json(server):
    redis = pytest.importorskip("redis")
    client = redis.Redis(port=int(server.listeners["resp"].rpartition(":")[2]))
    documents = client.json()
    assert documents.set("py-json", "$", {"a": {"b": [1, 2]}}) is True
    assert documents.get("py-json") == {"a": {"b": [1, 2]}}
    assert documents.get("py-json", "$.a.b") == [[1, 2]]
    assert documents.arrappend("py-json", "$.a.b", 3, "x") == [4]
    assert documents.numincrby("py-json", "$.a.b[0]", 5) == [6]
    assert documents.type("py-json", "$.a") == [b"object"]
    assert documents.merge("py-json", "$", {"a": None, "c": 1}) is True
    assert documents.get("py-json") == {"c": 1}
    assert documents.delete("py-json") == 1
    client.close()
