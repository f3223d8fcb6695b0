"""Clients that people use, as they use them: curl, requests, Python's http.client, Node. Those that are not installed are skipped."""

import http.client
import json
import shutil
import subprocess
import threading

import pytest
import requests

from server import PATIENCE, clean_environment

curl_needed = pytest.mark.skipif(not shutil.which("curl"), reason="curl is not installed")
node_needed = pytest.mark.skipif(not shutil.which("node"), reason="node is not installed")


def curl(*arguments, stdin=b""):
    done = subprocess.run(["curl", "-sS", "--noproxy", "*", "-q", *arguments], input=stdin, capture_output=True, timeout=PATIENCE,
                          env=clean_environment())
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


# curl


@curl_needed
def test_curl_puts_gets_patches_and_deletes(shared, key):
    url = shared.url(f"/v1/cache/{key}")
    status = ["-o", "/dev/null", "-w", "%{http_code}"]
    assert curl(*status, "-X", "PUT", "--data-binary", '{"a":1}', "-H", "Content-Type: application/json", url + "?ttl=60") == b"201"
    assert curl(url) == b'{"a":1}'
    assert curl("-X", "PATCH", "-d", '{"b":2}', "-H", "Content-Type: application/merge-patch+json", url) == b'{"a":1,"b":2}'
    assert curl("-G", "--data-urlencode", "pointer=/b", url) == b"2"
    assert curl("--json", '{"by":5}', shared.url(f"/v1/cache/{key}-n/increment")) == b'{"value":5}'
    assert b"200 OK" in curl("-I", url)
    assert curl(*status, "-X", "DELETE", url) == b"204"
    assert curl(*status, url) == b"404"


@curl_needed
def test_curl_uploads_a_large_file_with_expect_100_continue(shared, key, tmp_path):
    file = tmp_path / "large"
    file.write_bytes(bytes(range(256)) * 20_000)
    url = shared.url(f"/v1/cache/{key}")
    said = subprocess.run(["curl", "-sSv", "--noproxy", "*", "-q", "-T", file, "-H", "Expect: 100-continue", url], capture_output=True, timeout=PATIENCE).stderr.decode()
    assert "100 Continue" in said and "201 Created" in said
    assert curl(url) == file.read_bytes()
    assert curl("-T", "-", "-o", "/dev/null", "-w", "%{http_code}", url, stdin=file.read_bytes()) == b"204"  # chunked
    assert curl("-0", url) == file.read_bytes()


@curl_needed
def test_curl_keeps_its_connection(shared):
    out = curl("-w", "%{num_connects} ", "-o", "/dev/null", "-o", "/dev/null", "-o", "/dev/null", *[shared.url("/json")] * 3).split()
    assert out == [b"1", b"0", b"0"]


@curl_needed
def test_curl_revalidates_by_etag(shared, key, tmp_path):
    url, saved = shared.url(f"/v1/cache/{key}"), str(tmp_path / "etag")
    curl("-X", "PUT", "-d", "x", url)
    assert curl("--etag-save", saved, url) == b"x"
    assert curl("--etag-compare", saved, "-w", "%{http_code}", url) == b"304"


@curl_needed
def test_curl_over_a_unix_socket(start, tmp_path):
    start(http=f"unix:{tmp_path}/m.sock")
    assert curl("--unix-socket", f"{tmp_path}/m.sock", "http://localhost/json") == b'{"message":"Hello, World!"}'


# requests


def test_a_requests_session_lives_through_every_kind_of_reply(shared, key):
    with requests.Session() as session:
        session.trust_env = False
        url = shared.url(f"/v1/cache/{key}")
        for round_ in range(50):
            stored = session.put(url, data=b"x" * round_ * 100, params={"ttl": 60})
            assert stored.status_code in (201, 204)
            got = session.get(url)
            assert got.content == b"x" * round_ * 100
            assert session.head(url).headers["Content-Length"] == str(round_ * 100)
            assert session.get(url, headers={"If-None-Match": got.headers["ETag"]}).status_code == 304
            assert session.get(url, params={"nope": 1}).status_code == 400
            assert session.post(shared.url("/v1/batch"), json=[{"op": "get", "key": key}]).json()[0]["status"] == 200
            assert session.get(shared.url("/metrics")).status_code == 200
            assert session.options(url).status_code in (200, 204)
        assert session.put(url, data=(piece for piece in (b"a", b"b", b"c"))).status_code == 204  # a generator goes out in chunks
        assert session.get(url).content == b"abc"
        pools = session.get_adapter(url).poolmanager.pools
        assert sum(pools[which].num_connections for which in pools.keys()) == 1  # kept through all of it


def test_sessions_of_many_threads_do_not_disturb_each_other(start):
    server = start("--threads", 2)
    failures = []

    def work(number):
        try:
            with requests.Session() as session:
                session.trust_env = False
                for step in range(60):
                    text = f"{number}-{step}" * 50
                    session.put(server.url(f"/v1/cache/{number}"), data=text)
                    assert session.get(server.url(f"/v1/cache/{number}")).text == text
        except Exception as failure:  # told below, in the test's own thread
            failures.append(failure)

    threads = [threading.Thread(target=work, args=(n,)) for n in range(10)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not failures


# http.client


def test_http_client_speaks_with_it(shared, key):
    connection = http.client.HTTPConnection("127.0.0.1", shared.port, timeout=PATIENCE)
    path = f"/v1/cache/{key}"
    for method, body, status in [("PUT", b"one", 201), ("GET", None, 200), ("HEAD", None, 200), ("DELETE", None, 204), ("GET", None, 404), ("OPTIONS", None, None)]:
        connection.request(method, path, body)
        reply = connection.getresponse()
        assert status in (None, reply.status)
        reply.read()
    connection.request("PUT", path, iter([b"a", b"bc"]), encode_chunked=True, headers={"Transfer-Encoding": "chunked"})
    assert connection.getresponse().read() == b""
    connection.request("GET", path)
    assert connection.getresponse().read() == b"abc"
    connection.close()


# Node


def node(program, *arguments):
    done = subprocess.run(["node", "--input-type=module", "-e", program, *arguments], capture_output=True, text=True, timeout=PATIENCE, env=clean_environment())
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@node_needed
def test_fetch_of_node_speaks_with_it(shared, key):
    assert node("""
        const url = process.argv[1], out = []
        const bytes = Uint8Array.from({ length: 100000 }, (_, n) => n % 256)
        let reply = await fetch(url + '?ttl=60&tags=a,b', { method: 'PUT', body: bytes, headers: { 'content-type': 'image/x' } })
        out.push(reply.status)
        reply = await fetch(url)
        const got = new Uint8Array(await reply.arrayBuffer())
        out.push(reply.status, got.length === bytes.length && got.every((byte, n) => byte === bytes[n]), reply.headers.get('content-type'))
        out.push((await fetch(url, { headers: { 'if-none-match': reply.headers.get('etag') } })).status)
        out.push((await fetch(url, { method: 'HEAD' })).headers.get('content-length'))
        await fetch(url, { method: 'PUT', body: '{"a":1}', headers: { 'content-type': 'application/json' } })
        reply = await fetch(url, { method: 'PATCH', body: '[{"op":"add","path":"/b","value":[2]}]', headers: { 'content-type': 'application/json-patch+json' } })
        out.push(await reply.json())
        out.push((await Promise.all(Array.from({ length: 200 }, () => fetch(url).then(reply => reply.json())))).length)
        out.push((await fetch(url, { method: 'DELETE' })).status, (await fetch(url)).headers.get('content-type'))
        const stream = new ReadableStream({ start(to) { to.enqueue(new TextEncoder().encode('streamed')); to.close() } })
        out.push((await fetch(url, { method: 'PUT', body: stream, duplex: 'half' })).status, await (await fetch(url)).text())
        console.log(JSON.stringify(out))
    """, shared.url(f"/v1/cache/{key}")) == [201, 200, True, "image/x", 304, "100000", {"a": 1, "b": [2]}, 200, 204, "application/problem+json", 201, "streamed"]


@node_needed
def test_http_of_node_keeps_its_connection_and_waits_for_100_continue(shared, key):
    assert node("""
        import http from 'node:http'
        const url = process.argv[1], agent = new http.Agent({ keepAlive: true, maxSockets: 1 }), ports = new Set()
        const ask = (method, body, headers = {}) => new Promise((resolve, reject) => {
            const request = http.request(url, { method, agent, headers }, reply => {
                ports.add(request.socket.localPort)
                const pieces = []
                reply.on('data', piece => pieces.push(piece)).on('end', () => resolve([reply.statusCode, Buffer.concat(pieces).toString()]))
            })
            request.on('error', reject)
            if (headers.expect) request.on('continue', () => request.end(body)).flushHeaders()
            else request.end(body)
        })
        const out = [await ask('PUT', 'waited', { expect: '100-continue', 'content-length': 6 }), await ask('GET'), await ask('DELETE'), (await ask('GET'))[0]]
        for (let n = 0; n < 100; n++) await ask('GET')
        console.log(JSON.stringify([...out, ports.size]))
        agent.destroy()
    """, shared.url(f"/v1/cache/{key}")) == [[201, ""], [200, "waited"], [204, ""], 404, 1]
