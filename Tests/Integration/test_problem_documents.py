"""Whatever goes wrong is told in one shape: `application/problem+json` with type, title, status and detail (RFC 9457)."""

import pytest

from server import ResponseReader, assert_problem, request_bytes, responses_in

JSON = {"Content-Type": "application/json"}

ROUTES = ["/healthz", "/readyz", "/metrics", "/v1/stats", "/json", "/json/5", "/v1/cache", "/v1/cache/some-key"]


@pytest.mark.parametrize("path", ["/", "/nope", "/v1", "/v1/", "/v1/cachex", "/json/", "/json/5/", "/healthz/", "/V1/cache/a", "/v1/cache/a/b/c", "//json", "/./json"])
def test_an_unknown_route_is_404(shared, path):
    assert_problem(shared.send("GET", path), 404)


@pytest.mark.parametrize("method", ["POST", "DELETE", "PUT", "PATCH"])
@pytest.mark.parametrize("path", ["/healthz", "/readyz", "/metrics", "/v1/stats", "/json", "/json/5"])
def test_a_method_that_a_route_does_not_have_is_405_with_those_that_it_has(shared, method, path):
    refused = shared.send(method, path, b"{}" if method != "DELETE" else None, JSON)
    assert_problem(refused, 405)
    allowed = {name.strip() for name in refused.headers["allow"].split(",")}
    assert {"GET", "HEAD"} <= allowed and method not in allowed


@pytest.mark.parametrize("path, method, allowed", [
    ("/v1/cache/a", "POST", {"GET", "HEAD", "PUT", "DELETE", "PATCH"}), ("/v1/cache", "PUT", {"GET", "HEAD", "DELETE"}),
    ("/v1/batch", "GET", {"POST"}), ("/v1/cache/a/increment", "GET", {"POST"}), ("/v1/cache/a/increment", "DELETE", {"POST"}),
])
def test_allow_lists_every_method_of_the_route(shared, path, method, allowed):
    refused = shared.send(method, path, b"x" if method in ("POST", "PUT") else None, JSON)
    assert_problem(refused, 405)
    listed = {name.strip() for name in refused.headers["allow"].split(",")}
    assert listed - {"OPTIONS"} == allowed
    options = shared.send("OPTIONS", path)
    assert options.status in (200, 204)
    assert {name.strip() for name in options.headers["allow"].split(",")} == listed | {"OPTIONS"}


@pytest.mark.parametrize("path", ROUTES)
def test_options_tells_the_methods(shared, path):
    reply = shared.send("OPTIONS", path)
    assert reply.status in (200, 204)
    assert {"GET", "HEAD", "OPTIONS"} <= {name.strip() for name in reply.headers["allow"].split(",")}


@pytest.mark.parametrize("path", [*ROUTES[:6], "/v1/cache?limit=5"])
def test_a_parameter_that_no_route_knows_is_400_naming_it(shared, path):
    assert_problem(shared.send("GET", path + ("&" if "?" in path else "?") + "verbosity=1"), 400, "verbosity")


@pytest.mark.parametrize("path", ["/v1/batch", "/v1/cache/a/increment"])
def test_a_parameter_that_a_post_does_not_know_is_400_naming_it(shared, path):
    assert_problem(shared.send("POST", path + "?ttl=1", b"[]", JSON), 400, "ttl")


ERRORS = [
    ("malformed head", b"GET / HTTP/1.1\r\nHost: a\r\nno colon\r\n\r\n", 400, {}),
    ("no host", b"GET /json HTTP/1.1\r\n\r\n", 400, {}),
    ("unknown method", b"BREW /json HTTP/1.1\r\nHost: localhost\r\n\r\n", 501, {}),
    ("unknown coding", b"PUT /v1/cache/a HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501, {}),
    ("unknown version", b"GET /json HTTP/3.0\r\nHost: localhost\r\n\r\n", 505, {}),
    ("long target", b"GET /" + b"a" * 8192 + b" HTTP/1.1\r\nHost: localhost\r\n\r\n", 414, {"limit": 8192}),
    ("large head", b"GET /json HTTP/1.1\r\nHost: localhost\r\nX: " + b"a" * 16384 + b"\r\n\r\n", 431, {"limit": 16384}),
    ("many fields", b"GET /json HTTP/1.1\r\nHost: localhost\r\n" + b"X: 1\r\n" * 100 + b"\r\n", 431, {"limit": 100}),
    ("large body", b"PUT /v1/cache/a HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9000000\r\n\r\n", 413, {"limit": 8 << 20}),
    ("bad expectation", b"PUT /v1/cache/a HTTP/1.1\r\nHost: localhost\r\nExpect: miracles\r\nContent-Length: 1\r\n\r\nx", 417, {}),
]


@pytest.mark.parametrize("name, request_, status, members", ERRORS, ids=[error[0] for error in ERRORS])
def test_errors_of_the_protocol_itself_have_the_same_shape_and_close(shared, name, request_, status, members):
    stream = shared.raw(request_)
    (reply,) = responses_in(stream)
    assert_problem(reply, status, **members)
    assert reply.headers["connection"].lower() == "close"


def test_an_error_of_a_handler_keeps_the_connection(shared, key):
    with shared.connect() as connection:
        reader = ResponseReader(connection)
        for request, status in [
            (request_bytes("GET", f"/v1/cache/{key}"), 404), (request_bytes("GET", "/nope"), 404), (request_bytes("DELETE", "/json"), 405),
            (request_bytes("PUT", f"/v1/cache/{key}?x=1", b"abc"), 400), (request_bytes("PUT", f"/v1/cache/{key}", b"{", JSON), 400),
            (request_bytes("POST", "/nope", b"abc" * 1000), 404), (request_bytes("PUT", f"/v1/cache/{key}", b"x", {"If-Match": "*"}), 412),
            (request_bytes("GET", "/json"), 200),
        ]:
            connection.sendall(request)
            reply = reader.response()
            assert reply.status == status
            assert reply.headers.get("connection", "keep-alive").lower() != "close"
            if status >= 400:
                assert_problem(reply, status)


def test_a_refused_body_is_passed_over_whole(shared):
    """The reply may come before the body has: what follows the body must still be read as the next request."""
    with shared.connect() as connection:
        connection.sendall(request_bytes("POST", "/nope", b"GET /smuggled HTTP/1.1\r\nHost: localhost\r\n\r\n" * 100) + request_bytes("GET", "/json"))
        reader = ResponseReader(connection)
        assert reader.response().status == 404
        assert reader.response().body == b'{"message":"Hello, World!"}'


def test_what_a_client_sent_is_escaped_where_it_is_quoted(shared):
    reply = shared.send("GET", "/json?%22%5C%00%0A%FF=1")
    assert_problem(reply, 400)  # valid JSON, and valid UTF-8
    reply.body.decode("utf-8")
