"""Who may ask: tokens, Host checks, content types of POST, and what `--insecure` lifts."""

import pytest

from server import assert_problem, request_bytes, responses_in

JSON = {"Content-Type": "application/json"}


@pytest.fixture(scope="module")
def guarded():
    from server import Server

    with Server(["--token", "s3cr3t-Token_~+/="]) as running:
        yield running


def bearer(token):
    return {"Authorization": f"Bearer {token}"}


# Tokens

EVERYTHING = [("GET", "/json"), ("GET", "/json/5"), ("GET", "/metrics"), ("GET", "/v1/stats"), ("GET", "/v1/cache"), ("GET", "/v1/cache/a"), ("HEAD", "/v1/cache/a"),
              ("PUT", "/v1/cache/a"), ("PATCH", "/v1/cache/a"), ("DELETE", "/v1/cache/a"), ("DELETE", "/v1/cache"), ("POST", "/v1/batch"),
              ("POST", "/v1/cache/a/increment"), ("GET", "/nope"), ("DELETE", "/json")]


@pytest.mark.parametrize("method, path", EVERYTHING)
def test_nothing_is_answered_without_the_token(guarded, method, path):
    refused = guarded.send(method, path, b"[]" if method in ("PUT", "PATCH", "POST") else None, JSON)
    assert refused.status == 401
    assert refused.headers["www-authenticate"] == "Bearer"
    if method != "HEAD":
        assert_problem(refused, 401)
        assert "s3cr3t" not in refused.body.decode()


@pytest.mark.parametrize("value", [
    "Bearer", "Bearer ", "Bearer x", "Bearer s3cr3t-Token_~+/", "Bearer s3cr3t-Token_~+/==", "Bearer S3CR3T-TOKEN_~+/=", "Basic s3cr3t-Token_~+/=",
    "s3cr3t-Token_~+/=", "Token s3cr3t-Token_~+/=", "Bearers3cr3t-Token_~+/=", "Bearer s3cr3t-Token_~+/=,x", "Bearer s3cr3t-Token_~+/= x",
    "Bearer \"s3cr3t-Token_~+/=\"", "Bearer Bearer s3cr3t-Token_~+/=", "Bearer " + "x" * 8000, "",
])
def test_a_wrong_token_or_scheme_is_401(guarded, value):
    refused = guarded.send("GET", "/json", headers={"Authorization": value})
    assert_problem(refused, 401)
    assert refused.headers["www-authenticate"].startswith("Bearer")


@pytest.mark.parametrize("scheme", ["Bearer", "bearer", "BEARER"])
def test_the_right_token_is_let_in_whatever_the_case_of_the_scheme(guarded, scheme):  # RFC 9110 section 11.1
    assert guarded.send("GET", "/json", headers={"Authorization": f"{scheme} s3cr3t-Token_~+/="}).status == 200


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("headers", [{}, {"Authorization": "Bearer wrong"}], ids=["no token", "wrong token"])
def test_the_probes_stay_open(guarded, path, headers):
    for method in ("GET", "HEAD"):
        assert guarded.send(method, path, headers=headers).status == 200


def test_a_token_in_the_query_does_not_count(guarded):
    assert guarded.send("GET", "/json?token=s3cr3t-Token_~+/=").status == 401
    assert guarded.send("GET", "/json?access_token=s3cr3t-Token_~+/=").status == 401


def test_every_request_of_a_connection_is_checked(guarded):
    stream = guarded.raw(request_bytes("GET", "/json", headers=bearer("s3cr3t-Token_~+/=")) + request_bytes("GET", "/json") + request_bytes("GET", "/healthz"))
    assert [reply.status for reply in responses_in(stream)] == [200, 401, 200]


def test_with_a_token_host_and_content_type_are_the_callers_business(guarded):
    headers = {**bearer("s3cr3t-Token_~+/="), "Content-Type": "text/plain"}
    assert guarded.send("GET", "/json", headers=headers, host="cache.example.com").status == 200
    assert guarded.send("POST", "/v1/batch", b"[]", headers).status == 200


def test_a_token_given_with_insecure_is_enforced(start):
    server = start("--insecure", "--token", "sesame")
    assert server.send("GET", "/json").status == 401
    assert server.send("GET", "/json", headers=bearer("sesame"), host="example.com").status == 200


# Host, without a token

OURS = ["localhost", "LocalHost", "localhost:1", "localhost:65535", "127.0.0.1", "127.0.0.1:99", "[::1]", "[::1]:8080", "127.1.2.3", "localhost:"]
FOREIGN = ["example.com", "evil.example:80", "localhost.example.com", "127.0.0.1.example.com", "10.0.0.1", "192.168.1.1:8080", "[::2]", "[fe80::1]",
           "notlocalhost", "localhostx", "128.0.0.1", "1270.0.0.1", "127.0.0.1x"]


@pytest.mark.parametrize("host", OURS)
def test_loopback_in_every_spelling_and_on_every_port_is_let_in(shared, host):
    assert shared.send("GET", "/json", host=host).status == 200


@pytest.mark.parametrize("host", FOREIGN)
@pytest.mark.parametrize("method, path", [("GET", "/json"), ("PUT", "/v1/cache/rebound"), ("DELETE", "/v1/cache"), ("GET", "/nope")])
def test_a_foreign_host_is_403_and_nothing_happens(shared, host, method, path):
    assert_problem(shared.send(method, path, b"x" if method == "PUT" else None, host=host), 403)
    assert shared.send("GET", "/v1/cache/rebound").status == 404


def test_the_authority_of_an_absolute_target_counts_and_not_the_host_field(shared):  # RFC 9112 section 3.2.2
    assert shared.send("GET", "http://localhost/json", host="localhost").status == 200
    assert_problem(shared.send("GET", "http://evil.example/json", host="localhost"), 403)


def test_the_address_that_it_listens_on_is_let_in(start):
    server = start(http="127.0.0.2:0")
    for host in (server.host, "127.0.0.2", "localhost"):
        assert server.send("GET", "/json", host=host).status == 200
    assert server.send("GET", "/json", host="example.com").status == 403


def test_insecure_lifts_the_check_of_host_and_content_type(start):
    server = start("--insecure")
    assert server.send("GET", "/json", host="example.com").status == 200
    assert server.send("POST", "/v1/batch", b"[]", {"Content-Type": "text/plain"}).status == 200
    assert server.send("POST", "/v1/batch", b"[]").status == 200


# Content types of POST, without a token


@pytest.mark.parametrize("kind", ["text/plain", "text/plain;application/json", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "text/json",
                                  "application/jsonx", "", None])
@pytest.mark.parametrize("path", ["/v1/batch", "/v1/cache/posted/increment"])
def test_a_post_that_any_web_page_could_send_is_415(shared, path, kind):
    body = b'[{"op":"put","key":"posted","value":1}]' if path == "/v1/batch" else b'{"by":1}'
    assert_problem(shared.send("POST", path, body, {"Content-Type": kind} if kind is not None else {}), 415)
    assert shared.send("GET", "/v1/cache/posted").status == 404


@pytest.mark.parametrize("kind", ["application/json", "application/json; charset=utf-8", "Application/JSON;charset=UTF-8"])
def test_a_post_of_json_is_taken(shared, kind):
    assert shared.send("POST", "/v1/batch", b"[]", {"Content-Type": kind}).status == 200
