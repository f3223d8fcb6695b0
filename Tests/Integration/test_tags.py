"""Tags over HTTP: given, given back, invalidated hard and softly; what was invalidated is freed."""

import pytest

from server import await_until
from test_metrics import Metrics


def at(key, query=""):
    return f"/v1/cache/{key}{query}"


def test_tags_come_from_the_field_and_the_query_and_are_given_back(shared, key):
    shared.put(at(key, "?tags=blue,red"), b"x", headers={"Cache-Tag": "red, round"})
    assert set(shared.get(at(key)).headers["cache-tag"].split(",")) == {"red", "blue", "round"}


def test_a_hard_invalidation_makes_entries_absent_until_they_are_written_again(shared, key):
    for name in ("a", "b"):
        shared.put(at(key + name, f"?tags=t-{key},other-{key}"), b"x")
    shared.put(at(key + "c", f"?tags=other-{key}"), b"x")
    assert shared.delete(f"/v1/tags/t-{key}").status_code == 204
    assert [shared.get(at(key + name)).status_code for name in "abc"] == [404, 404, 200]
    assert "martlet-lease" in shared.get(at(key + "a", "?lease=5")).headers
    assert shared.put(at(key + "b", f"?tags=t-{key}"), b"new").status_code == 201
    assert shared.get(at(key + "b")).content == b"new"


def test_a_soft_invalidation_makes_entries_stale_for_readers_with_a_lease(shared, key):
    shared.put(at(key, f"?ttl=600&tags=t-{key}"), b"old")
    assert shared.delete(f"/v1/tags/t-{key}?soft=true").status_code == 204
    assert shared.get(at(key)).status_code == 404
    assert shared.head(at(key)).status_code == 404
    first, second = shared.get(at(key, "?lease=60")), shared.get(at(key, "?lease=60"))
    assert (first.content, second.content) == (b"old", b"old")
    assert first.headers["cache-control"] in ("max-age=0", "max-age=1")  # its age and no more: not what is left of its time
    assert "martlet-lease" in first.headers and "martlet-lease" not in second.headers
    fill = shared.put(at(key, f"?tags=t-{key}"), b"new", headers={"Martlet-Lease": first.headers["martlet-lease"]})
    assert fill.status_code in (201, 204)
    assert shared.get(at(key)).content == b"new"


@pytest.mark.parametrize("path", ["/v1/tags/a?soft=1", "/v1/tags/a?soft=", "/v1/tags/a?hard=true", "/v1/tags/a%20b", "/v1/tags/a,b", "/v1/tags/" + "t" * 129])
def test_a_malformed_invalidation_is_refused(shared, path):
    reply = shared.delete(path)
    assert reply.status_code == 400
    assert reply.headers["content-type"] == "application/problem+json"


def test_an_invalidation_of_a_tag_that_nobody_has_is_fine(shared):
    assert shared.delete("/v1/tags/nobody?soft=false").status_code == 204
    assert shared.get("/v1/tags/nobody").status_code == 405


def test_batches_put_tags_and_stale_times(shared, key):
    body = b'[{"op":"put","key":"%s","value":1,"ttl":0.001,"stale":600,"tags":["t-%s"]}]' % (key.encode(), key.encode())
    assert shared.post("/v1/batch", body, headers={"Content-Type": "application/json"}).json()[0]["status"] == 201
    stale = await_until(lambda: (reply := shared.get(at(key, "?lease=60"))).headers.get("martlet-lease") and reply, "the entry is stale")
    assert stale.content == b"1"
    assert stale.headers["cache-tag"] == f"t-{key}"
    shared.delete(f"/v1/tags/t-{key}")
    assert shared.get(at(key, "?lease=60")).status_code == 404


def test_what_was_invalidated_is_freed_and_its_tag_forgotten(server):
    for start in range(0, 5000, 1000):
        batch = ",".join('{"op":"put","key":"k%d","value":"%s","tags":["%s"]}' % (index, "v" * 100, "ab"[index % 2]) for index in range(start, start + 1000))
        assert server.post("/v1/batch", f"[{batch}]".encode(), headers={"Content-Type": "application/json"}).status_code == 200
    assert Metrics(server).get("martlet_cache_entries") == 5000
    assert server.delete("/v1/tags/a").status_code == 204
    after = await_until(lambda: (now := Metrics(server)).get("martlet_tag_records") == 0 and now, "the tag is forgotten")
    assert after.get("martlet_cache_entries") == 2500
    assert after.get("martlet_cache_invalidations_total") == 2500
    assert after.get("martlet_tag_invalidations_total", kind="hard") == 1
    assert server.get("/v1/cache/k1").status_code == 200
