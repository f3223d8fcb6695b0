"""Data that no one here wrote, over real sockets: llhttp's requests, JSONTestSuite, json-patch-tests, RFC 7396's examples.

The data lies outside of the repository, in MARTLET_SHARED or ../shared; absent, these tests are skipped and say so."""

import base64
import concurrent.futures
import json
import os
import pathlib

import pytest

from server import ROOT, ResponseReader, assert_problem, read_to_end, request_bytes, responses_in, send_all

DATA = pathlib.Path(os.environ.get("MARTLET_SHARED") or ROOT.parent / "shared") / "conformance"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason=f"no conformance data at {DATA} (name its parent in MARTLET_SHARED)")


def load(path):
    return json.loads((DATA / path).read_text()) if DATA.is_dir() else []


# Requests

VECTORS = load("http/requests.json")

# Where we differ, with the section that lets us.
DIFFERENT = {
    # A URI with a user in it is an error (RFC 9110 section 4.2.4).
    "uri: `host:port` and basic auth": "reject",
    # Targets with a `#` in them, by the way: a fragment is no part of a request target (RFC 9112 section 3.2).
    "transfer-encoding: POST with `chunked` as last transfer-encoding": "reject",
    "transfer-encoding: POST with `chunked` as last transfer-encoding (multiple headers)": "reject",
}


def final_statuses(stream):
    """Statuses of the final responses in a stream, the last one possibly cut short."""
    try:
        return [reply.status for reply in responses_in(stream)]
    except EOFError:
        return [int(line.split()[1]) for line in stream.split(b"\r\n") if line.startswith(b"HTTP/1.1 ") and not line.startswith(b"HTTP/1.1 1")]


def met(expect, stream):
    statuses = final_statuses(stream)
    if expect == "accept":
        return bool(statuses) and statuses[0] not in (400, 505)
    if expect == "partial":
        return 400 not in statuses
    return not statuses or statuses[-1] >= 400


def await_first(server, vector):
    """Sends and leaves our side open: what an impatient server would do, it does here. Until the first final reply, or, where only
    the whole counts, until the server closes: unfinished requests end by its own timeouts."""
    with server.connect() as connection:
        send_all(connection, base64.b64decode(vector["base64"]))
        if vector["expect"] != "accept":
            return read_to_end(connection)
        reader = ResponseReader(connection)
        while reader.fill():
            if final_statuses(bytes(reader.buffer)):
                break
        return bytes(reader.buffer)


def test_all_request_vectors_are_there():
    assert len(VECTORS) == 106


@pytest.mark.slow
def test_every_request_vector_is_met_by_a_peer_that_stays(shared):
    with concurrent.futures.ThreadPoolExecutor(len(VECTORS)) as pool:
        streams = list(pool.map(lambda vector: await_first(shared, vector), VECTORS))
    differing = [(vector["name"], vector["expect"], vector["reason"], stream[:60]) for vector, stream in zip(VECTORS, streams)
                 if not met(DIFFERENT.get(vector["name"], vector["expect"]), stream)]
    assert not differing


@pytest.mark.parametrize("vector", [v for v in VECTORS if v["expect"] == "reject"], ids=lambda vector: vector["name"])
def test_a_request_vector_to_reject_is_rejected_when_its_peer_has_ended_too(shared, vector):
    stream = shared.raw(base64.b64decode(vector["base64"]))
    assert met(DIFFERENT.get(vector["name"], vector["expect"]), stream), (vector["reason"], stream)


# JSON texts

TEXTS = sorted((DATA / "json/parsing").glob("*.json")) if DATA.is_dir() else []


def accepted(name):
    """What the suite leaves open: numbers of any size are grammar, and 500 levels are below our 512; text that is no UTF-8, half
    surrogate pairs and byte order marks are refused."""
    return name.startswith(("y_", "i_number_", "i_structure_500_"))


def test_all_json_texts_are_there():
    assert len(TEXTS) == 318


@pytest.mark.parametrize("prefix", ["y_", "n_", "i_"])
def test_json_texts_are_stored_or_refused_with_an_offset(shared, prefix):
    wrong = []
    for path in TEXTS:
        if not path.name.startswith(prefix):
            continue
        text, target = path.read_bytes(), f"/v1/cache/suite-{path.stem.replace('%', '')}"
        reply = shared.send("PUT", target.replace("#", ""), text, {"Content-Type": "application/json"})
        if accepted(path.name):
            fine = reply.status in (201, 204) and shared.send("GET", target.replace("#", "")).body == text
        else:
            fine = reply.status == 400 and 0 <= assert_problem(reply, 400)["offset"] <= len(text)
        if not fine:
            wrong.append((path.name, reply))
    assert not wrong


def test_json_texts_are_judged_the_same_in_a_batch_and_in_a_put(shared):
    """One grammar: a text that a PUT takes is a value that a batch takes, and no other is."""
    wrong = []
    for path in TEXTS:
        text = path.read_bytes().strip(b" \t\r\n")
        if path.name in ("n_structure_open_array_object.json", "n_structure_100000_opening_arrays.json"):
            continue  # depth bombs have tests of their own
        body = b'[{"op":"put","key":"suite","value":' + text + b"}]"
        reply = shared.send("POST", "/v1/batch", body, {"Content-Type": "application/json"})
        stored = reply.status == 200 and reply.json()[0]["status"] in (201, 204) and len(reply.json()) == 1
        if stored and not accepted(path.name) and shared.send("GET", "/v1/cache/suite").body == text:
            wrong.append((path.name, reply))
        if accepted(path.name) and not stored:
            wrong.append((path.name, reply))
    assert not wrong


# Patches


def same(one, other):
    """Equal as JSON: true is not 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and one == other


def patched(server, document, patch, kind):
    server.send("PUT", "/v1/cache/patched", json.dumps(document).encode(), {"Content-Type": "application/json"})
    return server.send("PATCH", "/v1/cache/patched", json.dumps(patch).encode(), {"Content-Type": kind})


PATCHES = [case for name in ("spec_tests", "tests") for case in load(f"json/patch/{name}.json") if "patch" in case and not case.get("disabled")]


def test_every_json_patch_case_has_its_outcome(shared):
    assert len(PATCHES) >= 100
    wrong = []
    for case in PATCHES:
        reply = patched(shared, case["doc"], case["patch"], "application/json-patch+json")
        if "error" in case:
            fine = reply.status in (409, 422) and same(shared.send("GET", "/v1/cache/patched").json(), case["doc"])
        else:
            fine = reply.status == 200 and same(reply.json(), case.get("expected", reply.json()))
        if not fine:
            wrong.append((case.get("comment"), case, reply))
    assert not wrong


def test_every_merge_patch_case_has_its_outcome(shared):
    cases = load("json/merge-patch.json")
    assert len(cases) >= 15
    wrong = [(case, reply) for case in cases
             if (reply := patched(shared, case[0], case[1], "application/merge-patch+json")).status != 200 or not same(reply.json(), case[2])]
    assert not wrong


def test_a_pipeline_of_all_accepted_texts_stays_in_step(shared):
    texts = [path.read_bytes() for path in TEXTS if path.name.startswith("y_")]
    with shared.connect() as connection:
        reader = ResponseReader(connection)
        connection.sendall(b"".join(request_bytes("PUT", f"/v1/cache/pipe-{n}", text, {"Content-Type": "application/json"}) for n, text in enumerate(texts)))
        assert all(reader.response().status == 201 for _ in texts)
        connection.sendall(b"".join(request_bytes("GET", f"/v1/cache/pipe-{n}") for n, _ in enumerate(texts)))
        assert [reader.response().body for _ in texts] == texts
