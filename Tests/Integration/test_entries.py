"""`/v1/cache/{key}`: PUT, GET, HEAD and DELETE with every field and parameter that they know."""

import re

import pytest

from server import ResponseReader, assert_problem, await_until, chunked, request_bytes

JSON = {"Content-Type": "application/json"}


def at(key):
    return f"/v1/cache/{key}"


# Storing


@pytest.mark.parametrize("body", [b"hello", b"", b"\x00", bytes(range(256)) * 17, b"\r\n\r\nGET / HTTP/1.1\r\n\r\n", b"x" * (1 << 20)],
                         ids=["text", "empty", "nul", "every byte", "looks like HTTP", "a mebibyte"])
def test_what_was_put_comes_back_byte_for_byte(shared, key, body):
    stored = shared.send("PUT", at(key), body)
    assert stored.status == 201
    got = shared.send("GET", at(key))
    assert got.status == 200
    assert got.body == body
    assert got.headers["content-length"] == str(len(body))
    assert got.version == stored.version


def test_a_put_creates_with_201_and_replaces_with_204_and_each_has_its_own_version(shared, key):
    first = shared.send("PUT", at(key), b"one")
    second = shared.send("PUT", at(key), b"one")
    assert (first.status, second.status) == (201, 204)
    assert first.version != second.version
    assert shared.send("GET", at(key)).version == second.version
    assert second.body == b"" and "content-length" not in second.headers  # RFC 9110 section 8.6


def test_a_version_is_never_given_twice_for_a_key(shared, key):
    versions = []
    for _ in range(20):
        versions.append(shared.send("PUT", at(key), b"x").version)
        versions.append(shared.send("PUT", at(key), b"x").version)
        assert shared.send("DELETE", at(key)).status == 204
    assert len(set(versions)) == len(versions)


def test_a_put_makes_a_new_entry_and_inherits_nothing(shared, key):
    shared.send("PUT", at(key) + "?ttl=1000&stale=10&tags=a,b", b"{}", JSON)
    assert shared.send("PUT", at(key), b"plain").status == 204
    got = shared.send("GET", at(key))
    assert got.headers["content-type"] == "application/octet-stream"
    assert got.headers["cache-control"] == "no-cache"
    assert "cache-tag" not in got.headers


def test_a_chunked_put_is_stored_as_one_body(shared, key):
    body = chunked(b"a", b"bc" * 5000, b"\x00\r\n")
    assert shared.send("PUT", at(key), body, {"Transfer-Encoding": "chunked"}).status == 201
    assert shared.send("GET", at(key)).body == b"a" + b"bc" * 5000 + b"\x00\r\n"


@pytest.mark.parametrize("text", ["text/plain", "text/plain; charset=utf-8", "image/svg+xml", 'multipart/x; boundary="a b"', "X-What/Ever"])
def test_the_content_type_is_kept_as_it_was_written(shared, key, text):
    assert shared.send("PUT", at(key), b"x", {"Content-Type": text}).status == 201
    assert shared.send("GET", at(key)).headers["content-type"] == text


@pytest.mark.parametrize("coding", ["gzip", "br", "deflate, gzip", "x-unknown"])
def test_a_content_encoding_is_refused(shared, key, coding):
    assert_problem(shared.send("PUT", at(key), b"x", {"Content-Encoding": coding}), 415)
    assert shared.send("GET", at(key)).status == 404


def test_a_content_range_is_refused(shared, key):
    assert_problem(shared.send("PUT", at(key), b"x", {"Content-Range": "bytes 0-0/10"}), 400, "Content-Range")
    assert shared.send("GET", at(key)).status == 404


# JSON is checked


@pytest.mark.parametrize("kind", ["application/json", "APPLICATION/JSON", "application/json; charset=utf-8", "application/json;charset=x",
                                  "application/vnd.api+json", "application/problem+json; a=b", "image/x+JSON"])
def test_json_is_checked_by_its_grammar_and_kept_as_it_was_written(shared, key, kind):
    text = b' {"a": [1.0, 1e2, -0, 12345678901234567890, "\\u00e9"], "a" :null}\r\n'
    assert shared.send("PUT", at(key), text, {"Content-Type": kind}).status == 201
    assert shared.send("GET", at(key)).body == text
    assert_problem(shared.send("PUT", at(key), b'{"a":}', {"Content-Type": kind}), 400, offset=5)
    assert shared.send("GET", at(key)).body == text


@pytest.mark.parametrize("kind", ["text/json", "application/jsonp", "application/x-ndjson", "application/json-seq", "text/plain", "a/json+x"])
def test_other_types_are_not_checked(shared, key, kind):
    assert shared.send("PUT", at(key), b'{"a":}', {"Content-Type": kind}).status == 201


@pytest.mark.parametrize("text, offset", [
    (b"", 0), (b"  ", 2), (b'{"a":1', 6), (b"[1,2,x]", 5), (b'{"a":1,}', 7), (b"[1]x", 3), (b"{}{}", 2), (b"nul", None), (b"01", None),
    (b'"a\nb"', 2), (b'"\\x"', None), (b'["\xff"]', 2), (b"\xef\xbb\xbf{}", 0), (b"'a'", 0), (b"NaN", 0), (b"\xed\xa0\x80", 0),
])
def test_malformed_json_is_400_with_the_offset_of_the_first_wrong_byte(shared, key, text, offset):
    problem = assert_problem(shared.send("PUT", at(key), text, JSON), 400)
    assert problem["offset"] == offset if offset is not None else 0 <= problem["offset"] <= len(text)
    assert shared.send("GET", at(key)).status == 404


def test_json_may_nest_512_levels_deep_and_no_deeper(shared, key):
    assert shared.send("PUT", at(key), b"[" * 512 + b"]" * 512, JSON).status == 201
    assert shared.send("PUT", at(key), b'{"a":' * 512 + b"1" + b"}" * 512, JSON).status == 204
    assert_problem(shared.send("PUT", at(key), b"[" * 513 + b"]" * 513, JSON), 400, offset=512)


@pytest.mark.parametrize("bomb", [b"[" * (1 << 20), b'{"a":' * (1 << 20), b'[{"a":' * (1 << 19)])
def test_a_depth_bomb_is_400_at_once(shared, key, bomb):
    problem = assert_problem(shared.send("PUT", at(key), bomb, JSON), 400)
    assert problem["offset"] <= 513 * 5
    assert shared.send("GET", "/healthz").status == 200


@pytest.mark.parametrize("number", [b"9" * 100_000, b"1e" + b"9" * 1000, b"-0." + b"0" * 100_000 + b"1", b"1E-400", b"18446744073709551616"])
def test_numbers_of_any_size_are_kept(shared, key, number):
    assert shared.send("PUT", at(key), b"[" + number + b"]", JSON).status == 201
    assert shared.send("GET", at(key)).body == b"[" + number + b"]"


# Expiry


@pytest.mark.parametrize("ttl", ["0", "-1", "0.0", "1000000001", "1000000000.1", "x", "1x", "", "nan", "inf", "-inf", "0x10", "%201", "1,5", "1.2.3", "9" * 400])
def test_a_ttl_outside_its_range_is_400_naming_it(shared, key, ttl):
    assert_problem(shared.send("PUT", f"{at(key)}?ttl={ttl}", b"x"), 400, "ttl")
    assert shared.send("GET", at(key)).status == 404


def max_age(response):
    return int(re.fullmatch(r"max-age=(\d+)(?:, *stale-while-revalidate=\d+)?", response.headers["cache-control"])[1])


@pytest.mark.parametrize("ttl, low, high", [("1000", 999, 1000), ("1000000000", 999_999_999, 10**9), ("1000.75", 999, 1001), ("60.000", 59, 60)])
def test_a_ttl_is_told_as_max_age(shared, key, ttl, low, high):
    assert shared.send("PUT", f"{at(key)}?ttl={ttl}", b"x").status == 201
    assert low <= max_age(shared.send("GET", at(key))) <= high


def test_max_age_in_a_request_is_a_ttl_and_the_parameter_wins(shared, key):
    shared.send("PUT", at(key), b"x", {"Cache-Control": "max-age=500"})
    assert 499 <= max_age(shared.send("GET", at(key))) <= 500
    shared.send("PUT", at(key), b"x", {"Cache-Control": "public, MAX-AGE=300, immutable"})
    assert 299 <= max_age(shared.send("GET", at(key))) <= 300
    shared.send("PUT", f"{at(key)}?ttl=1000", b"x", {"Cache-Control": "max-age=500"})
    assert 999 <= max_age(shared.send("GET", at(key))) <= 1000
    shared.send("PUT", at(key), b"x", {"Cache-Control": "no-transform"})
    assert shared.send("GET", at(key)).headers["cache-control"] == "no-cache"


def test_an_entry_without_expiry_says_no_cache(shared, key):
    shared.send("PUT", at(key), b"x")
    assert shared.send("GET", at(key)).headers["cache-control"] == "no-cache"


def test_stale_is_told_as_stale_while_revalidate(shared, key):
    assert shared.send("PUT", f"{at(key)}?ttl=100&stale=30", b"x").status == 201
    assert re.fullmatch(r"max-age=(99|100), ?stale-while-revalidate=30", shared.send("GET", at(key)).headers["cache-control"])


@pytest.mark.parametrize("stale", ["-1", "x", "", "nan", "1000000001"])
def test_a_stale_outside_its_range_is_400_naming_it(shared, key, stale):
    assert_problem(shared.send("PUT", f"{at(key)}?ttl=10&stale={stale}", b"x"), 400, "stale")


def gone(server, key):
    """True once absent; whoever still sees the entry sees all of it."""
    got = server.send("GET", at(key))
    assert got.status == 404 or (got.status, got.body) == (200, b"short"), got
    return got.status == 404


@pytest.mark.parametrize("query", ["ttl=0.2", "ttl=0.2&stale=1000"])
def test_an_expired_entry_is_absent_and_a_stale_one_too_for_those_who_do_not_ask_with_a_lease(shared, key, query):
    assert shared.send("PUT", f"{at(key)}?{query}", b"short").status == 201
    await_until(lambda: gone(shared, key), "expiry")
    assert_problem(shared.send("GET", at(key)), 404)
    assert shared.send("HEAD", at(key)).status == 404
    assert shared.send("PUT", at(key), b"x", {"If-Match": "*"}).status == 412
    assert shared.send("DELETE", at(key)).status == 404
    assert shared.send("PUT", at(key), b"x").status == 201


def test_age_grows_and_max_age_stays_the_whole_life(shared, key):
    shared.send("PUT", f"{at(key)}?ttl=1000", b"x")
    assert int(shared.send("GET", at(key)).headers["age"]) in (0, 1)
    aged = await_until(lambda: (r := shared.send("GET", at(key))) and int(r.headers["age"]) >= 1 and r, "a second of age")
    assert 999 <= max_age(aged) <= 1000


# Tags


def tags(response):
    return [tag.strip() for tag in response.headers["cache-tag"].split(",")] if "cache-tag" in response.headers else []


def test_tags_from_the_query_or_the_header_come_back_as_cache_tag(shared, key):
    shared.send("PUT", f"{at(key)}?tags=red,blue", b"x")
    assert sorted(tags(shared.send("GET", at(key)))) == ["blue", "red"]
    shared.send("PUT", at(key), b"x", {"Cache-Tag": "green, user:7 ,\twhite"})
    assert sorted(tags(shared.send("GET", at(key)))) == ["green", "user:7", "white"]
    shared.send("PUT", at(key), b"x", [("Cache-Tag", "one"), ("Cache-Tag", "two, three")])
    assert sorted(tags(shared.send("GET", at(key)))) == ["one", "three", "two"]
    shared.send("PUT", f"{at(key)}?tags=a%2Fb", b"x")
    assert tags(shared.send("GET", at(key))) == ["a/b"]


def test_an_entry_takes_32_tags_of_128_bytes_and_no_more(shared, key):
    many = [f"{n:0128d}" for n in range(33)]
    assert shared.send("PUT", at(key), b"x", {"Cache-Tag": ", ".join(many[:32])}).status == 201
    assert sorted(tags(shared.send("GET", at(key)))) == many[:32]
    assert_problem(shared.send("PUT", at(key), b"x", {"Cache-Tag": ", ".join(many)}), 400)
    assert_problem(shared.send("PUT", at(key), b"x", {"Cache-Tag": "x" * 129}), 400)


@pytest.mark.parametrize("tag", ["a%20b", "%00", "%7F", "%C3%A9", "a%0Ab", "x" * 129])
def test_a_tag_outside_its_alphabet_or_length_is_400(shared, key, tag):
    assert_problem(shared.send("PUT", f"{at(key)}?tags={tag}", b"x"), 400)
    assert shared.send("GET", at(key)).status == 404


# Conditions


def stale_version(response):
    return f'"{response.version - 1}"'


def test_if_none_match_star_creates_only(shared, key):
    assert shared.send("PUT", at(key), b"one", {"If-None-Match": "*"}).status == 201
    assert_problem(shared.send("PUT", at(key), b"two", {"If-None-Match": "*"}), 412)
    assert shared.send("GET", at(key)).body == b"one"


def test_if_match_replaces_only_that_version(shared, key):
    first = shared.send("PUT", at(key), b"one")
    assert_problem(shared.send("PUT", at(key), b"x", {"If-Match": stale_version(first)}), 412)
    assert_problem(shared.send("PUT", at(key), b"x", {"If-Match": "W/" + first.headers["etag"]}), 412)  # weak never matches
    assert_problem(shared.send("PUT", at(key), b"x", {"If-Match": '"abc"'}), 412)
    assert shared.send("GET", at(key)).body == b"one"
    second = shared.send("PUT", at(key), b"two", {"If-Match": first.headers["etag"]})
    assert second.status == 204
    third = shared.send("PUT", at(key), b"three", {"If-Match": f'"x", "1",{second.headers["etag"]} , "2"'})
    assert third.status == 204
    assert shared.send("PUT", at(key), b"four", {"If-Match": "*"}).status == 204
    assert_problem(shared.send("PUT", at(key), b"x", {"If-Match": third.headers["etag"]}), 412)
    assert shared.send("GET", at(key)).body == b"four"


@pytest.mark.parametrize("condition", ["*", '"1"', '"1", "2"'])
def test_if_match_fails_on_an_absent_key(shared, key, condition):
    assert_problem(shared.send("PUT", at(key), b"x", {"If-Match": condition}), 412)
    assert shared.send("GET", at(key)).status == 404


def test_if_none_match_with_a_version_stores_unless_it_is_that_one(shared, key):
    first = shared.send("PUT", at(key), b"one")
    assert_problem(shared.send("PUT", at(key), b"x", {"If-None-Match": first.headers["etag"]}), 412)
    assert shared.send("PUT", at(key), b"two", {"If-None-Match": stale_version(first)}).status == 204


def test_of_many_who_create_at_once_one_wins(shared, key):
    connections = [shared.connect() for _ in range(20)]
    try:
        for number, connection in enumerate(connections):
            connection.sendall(request_bytes("PUT", at(key), b"%d" % number, {"If-None-Match": "*"}))
        statuses = [ResponseReader(connection).response().status for connection in connections]
        assert sorted(statuses) == [201] + [412] * 19
        assert shared.send("GET", at(key)).body == b"%d" % statuses.index(201)
    finally:
        for connection in connections:
            connection.close()


def test_a_get_that_knows_the_version_is_answered_304_without_body(shared, key):
    shared.send("PUT", f"{at(key)}?ttl=1000&tags=a", b"x" * 100)
    full = shared.send("GET", at(key))
    etag = full.headers["etag"]
    for method in ("GET", "HEAD"):
        for condition in (etag, "W/" + etag, "*", f'"0", {etag}', f'"a,b" ,{etag}'):
            got = shared.send(method, at(key), headers={"If-None-Match": condition})
            assert (got.status, got.body) == (304, b""), condition
            for name in ("etag", "cache-control"):  # RFC 9110 section 15.4.5
                assert got.headers[name] == full.headers[name]
        assert shared.send(method, at(key), headers={"If-None-Match": stale_version(full)}).status == 200
    assert shared.send("GET", at(key + "-absent"), headers={"If-None-Match": "*"}).status == 404


def test_after_a_304_the_connection_stays_in_step(shared, key):
    etag = shared.send("PUT", at(key), b"x" * 100).headers["etag"]
    with shared.connect() as connection:
        connection.sendall(request_bytes("GET", at(key), headers={"If-None-Match": etag}) + request_bytes("GET", at(key)))
        reader = ResponseReader(connection)
        assert reader.response().status == 304
        assert reader.response().body == b"x" * 100


def test_if_match_on_a_get_serves_only_that_version(shared, key):
    etag = shared.send("PUT", at(key), b"x").headers["etag"]
    assert shared.send("GET", at(key), headers={"If-Match": etag}).status == 200
    assert_problem(shared.send("GET", at(key), headers={"If-Match": '"1"'}), 412)


def test_the_same_value_has_the_same_version_for_every_reader(shared, key):
    stored = shared.send("PUT", at(key), b"x")
    assert {shared.send(method, at(key)).version for method in ("GET", "HEAD", "GET")} == {stored.version}


# Reading


def test_head_answers_with_the_same_fields_as_get_and_no_body(shared, key):
    shared.send("PUT", f"{at(key)}?ttl=1000&stale=5&tags=a,b", b"{}" + b" " * 1000, JSON)
    got, head = shared.send("GET", at(key)), shared.send("HEAD", at(key))
    assert head.status == 200
    assert set(got.headers) == set(head.headers)
    for name in ("content-length", "content-type", "etag", "cache-control", "cache-tag"):
        assert head.headers[name] == got.headers[name]
    stream = shared.raw(request_bytes("HEAD", at(key)))
    assert stream.endswith(b"\r\n\r\n") and stream.count(b"\r\n\r\n") == 1


def test_a_head_of_an_absent_key_is_404_without_body(shared, key):
    got, head = shared.send("GET", at(key)), shared.send("HEAD", at(key))
    assert_problem(got, 404)
    assert head.status == 404
    assert head.headers["content-type"] == got.headers["content-type"]
    assert shared.raw(request_bytes("HEAD", at(key))).count(b"\r\n\r\n") == 1


def test_a_large_value_is_served_to_a_reader_who_takes_it_slowly(shared, key):
    body = bytes(range(256)) * (1 << 13)  # 2 MiB
    shared.send("PUT", at(key), body)
    with shared.connect(receive_buffer=4096) as connection:
        connection.sendall(request_bytes("GET", at(key), headers={"Connection": "close"}))
        assert ResponseReader(connection).response().body == body


@pytest.mark.parametrize("pointer, part", [
    ("", b'{"a":[10,{"b":1.0},[]],"":1e2,"m~n":3,"x/y":4,"e^f":5," ":"s","\xc3\xa9":true}'), ("/a", b'[10,{"b":1.0},[]]'), ("/a/0", b"10"),
    ("/a/1/b", b"1.0"), ("/a/2", b"[]"), ("/", b"1e2"), ("/m~0n", b"3"), ("/x~1y", b"4"), ("/e%5Ef", b"5"), ("/%20", b'"s"'),
    ("/%C3%A9", b"true"),
])
def test_a_pointer_gives_that_part_of_a_json_entry_as_it_stands_there(shared, key, pointer, part):
    text = '{"a":[10,{"b":1.0},[]],"":1e2,"m~n":3,"x/y":4,"e^f":5," ":"s","é":true}'.encode()
    shared.send("PUT", at(key), text, JSON)
    got = shared.send("GET", f"{at(key)}?pointer={pointer}")
    assert got.status == 200
    assert got.body == part
    assert got.headers["content-type"].startswith("application/json")


@pytest.mark.parametrize("pointer", ["/b", "/a/3", "/a/-", "/a/00", "/a/01", "/a/x", "/a/0/0", "/n/x", "/a/99999999999999999999"])
def test_a_pointer_to_nothing_is_404(shared, key, pointer):
    shared.send("PUT", at(key), b'{"a":[1,2,3],"n":null}', JSON)
    assert_problem(shared.send("GET", f"{at(key)}?pointer={pointer}"), 404)
    assert_problem(shared.send("GET", f"{at(key)}-absent?pointer={pointer}"), 404)


@pytest.mark.parametrize("pointer", ["a", "a/b", "/~", "/~2", "/a~", "/%FF"])
def test_a_malformed_pointer_is_400(shared, key, pointer):
    shared.send("PUT", at(key), b'{"a":1}', JSON)
    assert_problem(shared.send("GET", f"{at(key)}?pointer={pointer}"), 400)


def test_a_pointer_into_an_entry_that_is_not_json_is_409(shared, key):
    shared.send("PUT", at(key), b"\xff\xfenot json")
    assert_problem(shared.send("GET", f"{at(key)}?pointer=/a"), 409)
    shared.send("PUT", at(key), b"<a/>", {"Content-Type": "text/xml"})
    assert_problem(shared.send("GET", f"{at(key)}?pointer=/a"), 409)


# Deleting


def test_a_delete_makes_the_key_absent(shared, key):
    shared.send("PUT", at(key), b"x")
    gone = shared.send("DELETE", at(key))
    assert (gone.status, gone.body) == (204, b"")
    assert_problem(shared.send("GET", at(key)), 404)
    assert_problem(shared.send("DELETE", at(key)), 404)
    assert shared.send("PUT", at(key), b"x").status == 201


def test_a_delete_honours_if_match(shared, key):
    stored = shared.send("PUT", at(key), b"x")
    assert_problem(shared.send("DELETE", at(key), headers={"If-Match": stale_version(stored)}), 412)
    assert_problem(shared.send("DELETE", at(key), headers={"If-Match": "W/" + stored.headers["etag"]}), 412)
    assert shared.send("GET", at(key)).status == 200
    assert shared.send("DELETE", at(key), headers={"If-Match": stored.headers["etag"]}).status == 204
    shared.send("PUT", at(key), b"x")
    assert shared.send("DELETE", at(key), headers={"If-Match": "*"}).status == 204


@pytest.mark.parametrize("token", ["1", "abc", "0" * 40])
def test_a_lease_that_is_over_neither_fills_nor_is_given_up(shared, key, token):
    assert_problem(shared.send("PUT", at(key), b"x", {"Martlet-Lease": token}), 409)
    assert shared.send("GET", at(key)).status == 404
    shared.send("PUT", at(key), b"old")
    assert_problem(shared.send("PUT", at(key), b"x", {"Martlet-Lease": token}), 409)
    assert_problem(shared.send("DELETE", at(key), headers={"Martlet-Lease": token}), 409)
    assert shared.send("GET", at(key)).body == b"old"


# Keys


@pytest.mark.parametrize("one, other", [("a%2Fb", "a%252Fb"), ("a+b", "a%20b"), ("%00", "%01"), ("A", "a"), ("%FF", "%FE"), ("%C3%A9", "%E9"),
                                        ("x", "x%00"), ("..", "%2E"), ("a;b", "a"), ("a%3Fb", "a")])
def test_keys_are_bytes_and_different_ones_do_not_meet(shared, key, one, other):
    one, other = f"{key}{one}", f"{key}{other}"
    assert shared.send("PUT", at(one), b"one").status == 201
    assert shared.send("GET", at(other)).status == 404
    assert shared.send("PUT", at(other), b"other").status == 201
    assert shared.send("GET", at(one)).body == b"one"


@pytest.mark.parametrize("one, same", [("a+b", "a%2Bb"), ("%41", "A"), ("a%2fb", "a%2Fb"), ("%7E", "~"), ("a:b@c!$&'()*,;=", "a%3Ab%40c%21%24%26%27%28%29%2A%2C%3B%3D")])
def test_the_same_bytes_are_the_same_key_however_they_are_written(shared, key, one, same):
    assert shared.send("PUT", at(key + one), b"x").status == 201
    assert shared.send("GET", at(key + same)).body == b"x"


@pytest.mark.parametrize("name", ["%2E%2E", "%2E", "%2F", "%2F%2F", "%0D%0A", "healthz"])
def test_no_key_means_anything_but_itself(shared, name):
    assert shared.send("PUT", at(name), b"x").status == 201
    assert shared.send("GET", at(name)).body == b"x"
    assert shared.send("DELETE", at(name)).status == 204


def test_a_slash_ends_a_key(shared, key):
    shared.send("PUT", at(f"{key}%2Fb"), b"x")
    assert_problem(shared.send("GET", at(f"{key}/b")), 404)
    assert shared.send("PUT", at(f"{key}/b"), b"x").status in (404, 405)


def test_an_empty_key_is_refused(shared):
    refused = shared.send("PUT", "/v1/cache/", b"x")
    assert_problem(refused, refused.status)
    assert refused.status in (400, 404, 405)


def test_a_key_is_as_long_as_the_target_may_be(shared):
    room = 8192 - len("/v1/cache/")
    assert shared.send("PUT", at("k" * room), b"long").status == 201
    assert shared.send("GET", at("k" * room)).body == b"long"
    assert_problem(shared.send("PUT", at("k" * (room + 1)), b"x"), 414, limit=8192)


@pytest.mark.parametrize("name", ["%", "a%", "a%2", "%zz", "%2g", "%-1", "%%41", "a%0"])
def test_malformed_percent_encoding_is_400(shared, name):
    for method in ("GET", "PUT", "DELETE", "HEAD"):
        got = shared.send(method, at(name), b"x" if method == "PUT" else None)
        assert got.status == 400
    assert_problem(shared.send("GET", at(name)), 400)


# Parameters


@pytest.mark.parametrize("method, query", [
    ("PUT", "tll=10"), ("PUT", "ttl=10&x=1"), ("PUT", "pointer=/a"), ("PUT", "TTL=10"), ("GET", "ttl=10"), ("GET", "x"), ("GET", "point=/a"),
    ("HEAD", "x=1"), ("DELETE", "ttl=1"), ("DELETE", "prefix=a"), ("PATCH", "x=1"),
])
def test_an_unknown_parameter_is_400_naming_it_and_nothing_happens(shared, key, method, query):
    shared.send("PUT", at(key), b"{}", JSON)
    body = b"x" if method == "PUT" else b"{}" if method == "PATCH" else None
    headers = {"Content-Type": "application/merge-patch+json"} if method == "PATCH" else None
    refused = shared.send(method, f"{at(key)}?{query}", body, headers)
    assert refused.status == 400
    if method != "HEAD":
        assert_problem(refused, 400, re.split("[=&]", query.removeprefix("ttl=10&"))[0])
    assert shared.send("GET", at(key)).body == b"{}"


@pytest.mark.parametrize("query", ["ttl=%zz", "ttl=%", "t%tl=1"])
def test_malformed_percent_encoding_in_a_query_is_400(shared, key, query):
    assert_problem(shared.send("PUT", f"{at(key)}?{query}", b"x"), 400)


@pytest.mark.parametrize("query", ["?", "?ttl=%31000", "?%74tl=1000"])
def test_a_query_is_percent_decoded_and_an_empty_one_is_none(shared, key, query):
    assert shared.send("PUT", at(key) + query, b"x").status == 201
    assert shared.send("GET", at(key)).headers["cache-control"].startswith("max-age=" if "=" in query else "no-cache")


# Bodies beyond the limit


def test_a_body_takes_8_mebibytes_and_no_more(shared, key):
    assert shared.send("PUT", at(key), bytes(8 << 20)).status == 201
    assert_problem(shared.send("PUT", at(key), bytes((8 << 20) + 1)), 413, limit=8 << 20)
    assert_problem(shared.send("PUT", at(key), chunked(bytes(5 << 20), bytes(5 << 20)), {"Transfer-Encoding": "chunked"}), 413, limit=8 << 20)
    assert len(shared.send("GET", at(key)).body) == 8 << 20


def test_a_claimed_length_beyond_the_limit_is_refused_before_the_body_comes(shared, key):
    with shared.connect() as connection:
        connection.sendall(b"PUT /v1/cache/%s HTTP/1.1\r\nHost: localhost\r\nContent-Length: 100000000000\r\n\r\n" % key.encode())
        reader = ResponseReader(connection)
        assert_problem(reader.response(), 413)
        assert reader.at_end()


def test_a_value_beyond_an_eighth_of_the_memory_is_413(start):
    server = start("--memory", "32MiB", "--body-limit", "64MiB")
    assert server.send("PUT", at("a"), bytes(3 << 20)).status == 201
    assert_problem(server.send("PUT", at("b"), bytes(5 << 20)), 413)
    assert server.send("GET", at("b")).status == 404


def test_values_of_64_mebibytes_are_served_where_they_are_allowed(start):
    server = start("--memory", "600MiB", "--body-limit", "64MiB")
    body = bytes(range(256)) * (1 << 18)
    assert server.put("/v1/cache/large", body).status_code == 201
    assert server.get("/v1/cache/large").content == body
    assert server.request("PUT", "/v1/cache/large", data=body + b"x").status_code == 413
