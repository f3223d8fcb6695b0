// Requests and replies of the three protocols: what is written, and what is made of every prefix of what comes back.

import MartletBytes
import Testing

@testable import Bench

@Suite struct LoadDialectTests {
  private func options(_ target: String, _ change: (inout LoadOptionTexts) -> Void = { _ in }) throws -> LoadOptions {
    var texts = LoadOptionTexts()
    (texts.target, texts.keys, texts.batch, texts.valueBytes) = (target, 100, 3, "12")
    change(&texts)
    return try LoadOptions(texts)
  }

  private func request(_ dialect: inout LoadDialect, _ operation: LoadOperation, key: Int = 42) -> String {
    var output = ByteBuffer()
    dialect.append(Flight(time: 0, key: key, operation: operation), to: &output)
    return output.text
  }

  private func value(_ key: Int, count: Int = 12) -> String {
    var output = ByteBuffer()
    LoadContent(keyBytes: 16, valueBytes: count...count).appendValue(of: key, count: count, to: &output)
    return output.text
  }

  /// Every prefix of the reply must be incomplete and want no more than there will be; the whole, with more behind it, must give the outcome.
  private func check(
    _ dialect: inout LoadDialect, _ operation: LoadOperation, _ reply: String, _ outcome: Verdict.Outcome, misses: Int = 0,
    key: Int = 42
  ) {
    let flight = Flight(time: 0, key: key, operation: operation)
    let bytes = Array(reply.utf8)
    for count in 0..<bytes.count {
      let verdict = dialect.check(Array(bytes[..<count]).rawSpan, flight)
      #expect(
        verdict.outcome == .incomplete && verdict.bytes > count && verdict.bytes <= bytes.count, "\(reply) cut at \(count): \(verdict)")
    }
    for rest in ["", "x", reply] {
      let verdict = dialect.check((bytes + Array(rest.utf8)).rawSpan, flight)
      #expect(verdict.outcome == outcome && verdict.bytes == bytes.count && verdict.misses == misses, "\(reply): \(verdict)")
    }
  }

  private func checkMalformed(_ dialect: inout LoadDialect, _ operation: LoadOperation, _ reply: String) {
    let verdict = dialect.check(Array(reply.utf8).rawSpan, Flight(time: 0, key: 42, operation: operation))
    #expect(verdict.outcome == .malformed, "\(reply)")
  }

  // MARK: RESP

  @Test("Redis commands are written as arrays of bulk strings")
  func respRequests() throws {
    var dialect = LoadDialect(try options("resp://h:1") { $0.token = "s" })
    #expect(request(&dialect, .get) == "*2\r\n$3\r\nGET\r\n$16\r\nkey:000000000042\r\n")
    #expect(request(&dialect, .delete) == "*2\r\n$3\r\nDEL\r\n$16\r\nkey:000000000042\r\n")
    #expect(request(&dialect, .set) == "*3\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$12\r\n\(value(42))\r\n")
    let mget = request(&dialect, .mget)
    #expect(mget.hasPrefix("*4\r\n$4\r\nMGET\r\n$16\r\nkey:") && mget.utf8.count == 14 + 3 * 23)
    #expect(dialect.greeting.request == Array("*2\r\n$4\r\nAUTH\r\n$1\r\ns\r\n".utf8))
    var expiring = LoadDialect(try options("resp://h:1") { $0.ttl = 60 })
    #expect(request(&expiring, .set) == "*5\r\n$3\r\nSET\r\n$16\r\nkey:000000000042\r\n$12\r\n\(value(42))\r\n$2\r\nEX\r\n$2\r\n60\r\n")
    var atOnce = LoadDialect(try options("resp://h:1") { $0.expireAt = 1_800_000_000 })
    #expect(request(&atOnce, .set).hasSuffix("\r\n$4\r\nEXAT\r\n$10\r\n1800000000\r\n"))
    var item = LoadDialect(try options("memcached://h:1") { $0.expireAt = 1_800_000_000 })
    #expect(request(&item, .set).hasPrefix("set key:000000000042 0 1800000000 12\r\n"))
  }

  @Test("Redis replies are judged whole, wherever they are cut")
  func respReplies() throws {
    var dialect = LoadDialect(try options("resp://h:1"))
    check(&dialect, .get, "$12\r\n\(value(42))\r\n", .right)
    check(&dialect, .get, "$-1\r\n", .right, misses: 1)
    check(&dialect, .get, "$12\r\n\(value(43))\r\n", .wrongValue)
    check(&dialect, .get, "$11\r\n\(value(42).dropLast())\r\n", .wrongValue)
    check(&dialect, .get, "$0\r\n\r\n", .wrongValue)
    check(&dialect, .get, "-WRONGTYPE no\r\n", .wrongReply)
    check(&dialect, .get, "+OK\r\n", .wrongReply)
    check(&dialect, .set, "+OK\r\n", .right)
    check(&dialect, .set, "+OKAY\r\n", .wrongReply)
    check(&dialect, .set, "-OOM\r\n", .wrongReply)
    check(&dialect, .set, "$-1\r\n", .wrongReply)
    check(&dialect, .set, "$3\r\nabc\r\n", .wrongReply)
    check(&dialect, .delete, ":1\r\n", .right)
    check(&dialect, .delete, ":0\r\n", .right, misses: 1)
    check(&dialect, .delete, ":2\r\n", .wrongReply)
    for reply in [
      "$x\r\n", "$12\rx", "$12\r\n\(value(42))xx", "$-12345678901234567890\r\n", "HTTP/1.1 400\r\n", "*1\r\n$1\r\na\r\n", "+OK\n",
    ] {
      checkMalformed(&dialect, .get, reply)
    }
  }

  @Test("The values of an MGET are those of its keys, in order, or nil")
  func respBatch() throws {
    let options = try options("resp://h:1")
    var dialect = LoadDialect(options)
    var keys = BatchKeys(42, KeyPicker(options.distribution, keys: options.keys))
    let blocks = (0..<3).map { _ in "$12\r\n\(value(keys.next()))\r\n" }
    check(&dialect, .mget, "*3\r\n" + blocks.joined(), .right)
    check(&dialect, .mget, "*3\r\n\(blocks[0])$-1\r\n\(blocks[2])", .right, misses: 1)
    check(&dialect, .mget, "*3\r\n\(blocks[1])\(blocks[0])\(blocks[2])", .wrongValue)
    check(&dialect, .mget, "-ERR no\r\n", .wrongReply)
    for reply in ["*2\r\n", "*3\r\n:1\r\n", "*x\r\n"] { checkMalformed(&dialect, .mget, reply) }
  }

  // MARK: memcached

  @Test("memcached commands are lines, and blocks behind them")
  func memcachedRequests() throws {
    var dialect = LoadDialect(
      try options("memcached://h:1") {
        $0.token = "s"
        $0.ttl = 9
      })
    #expect(request(&dialect, .get) == "get key:000000000042\r\n")
    #expect(request(&dialect, .delete) == "delete key:000000000042\r\n")
    #expect(request(&dialect, .set) == "set key:000000000042 0 9 12\r\n\(value(42))\r\n")
    let mget = request(&dialect, .mget)
    #expect(mget.hasPrefix("get key:") && mget.hasSuffix("\r\n") && mget.utf8.count == 3 + 3 * 17 + 2)
    #expect(dialect.greeting.request == Array("set auth 0 0 6\r\nload s\r\n".utf8))
  }

  @Test("memcached replies are judged whole, wherever they are cut")
  func memcachedReplies() throws {
    var dialect = LoadDialect(try options("memcached://h:1"))
    let head = "VALUE key:000000000042 0 12\r\n"
    check(&dialect, .get, "\(head)\(value(42))\r\nEND\r\n", .right)
    check(&dialect, .get, "END\r\n", .right, misses: 1)
    check(&dialect, .get, "\(head)\(value(43))\r\nEND\r\n", .wrongValue)
    check(&dialect, .get, "VALUE key:000000000042 0 1\r\nx\r\nEND\r\n", .wrongValue)
    check(&dialect, .get, "SERVER_ERROR out of memory\r\n", .wrongReply)
    check(&dialect, .set, "STORED\r\n", .right)
    check(&dialect, .set, "NOT_STORED\r\n", .wrongReply)
    check(&dialect, .delete, "DELETED\r\n", .right)
    check(&dialect, .delete, "NOT_FOUND\r\n", .right, misses: 1)
    check(&dialect, .delete, "ERROR\r\n", .wrongReply)
    for reply in [
      "VALUE key:000000000041 0 1\r\n", "\(head)\(value(42))xx", "\(head)\(value(42))\r\nENDE\r", "NONSENSE\r\n",
      "VALUE key:000000000042 0 x\r\n",
    ] {
      checkMalformed(&dialect, .get, reply)
    }
  }

  @Test("A get of several keys is answered with those that are there")
  func memcachedBatch() throws {
    let options = try options("memcached://h:1")
    var dialect = LoadDialect(options)
    var picked = BatchKeys(42, KeyPicker(options.distribution, keys: options.keys))
    let keys = (0..<3).map { _ in picked.next() }
    #expect(Set(keys).count == 3)
    let blocks = keys.map { "VALUE key:0000000000\($0 < 10 ? "0" : "")\($0) 0 12\r\n\(value($0))\r\n" }
    check(&dialect, .mget, blocks.joined() + "END\r\n", .right)
    check(&dialect, .mget, blocks[0] + blocks[2] + "END\r\n", .right, misses: 1)
    check(&dialect, .mget, "END\r\n", .right, misses: 3)
    check(&dialect, .mget, "SERVER_ERROR x\r\n", .wrongReply)
    checkMalformed(&dialect, .mget, blocks[1] + blocks[0] + "END\r\n")
  }

  // MARK: HTTP

  @Test("HTTP requests name the host, and the token if there is one")
  func httpRequests() throws {
    var dialect = LoadDialect(try options("http://h:1") { $0.ttl = 60 })
    #expect(request(&dialect, .get) == "GET /v1/cache/key:000000000042 HTTP/1.1\r\nHost: h:1\r\n\r\n")
    #expect(request(&dialect, .delete) == "DELETE /v1/cache/key:000000000042 HTTP/1.1\r\nHost: h:1\r\n\r\n")
    #expect(
      request(&dialect, .set) == "PUT /v1/cache/key:000000000042?ttl=60 HTTP/1.1\r\nHost: h:1\r\nContent-Length: 12\r\n\r\n\(value(42))")
    var path = LoadDialect(
      try options("http://unix:/s") {
        $0.path = "/json?a=1"
        $0.token = "s"
      })
    #expect(request(&path, .path) == "GET /json?a=1 HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer s\r\n\r\n")
    var post = LoadDialect(
      try options("http://h:1/orders") {
        $0.body = #"{"é":1}"#
        $0.status = 201
      })
    #expect(
      request(&post, .path)
        == "POST /orders HTTP/1.1\r\nHost: h:1\r\nContent-Type: application/json\r\nContent-Length: 8\r\n\r\n" + #"{"é":1}"#)
    check(&post, .path, "HTTP/1.1 201 Created\r\nContent-Length: 2\r\n\r\nok", .right)
    check(&post, .path, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", .wrongReply)
    #expect(post.pathReply == Array("ok".utf8))
  }

  @Test("HTTP replies are judged by status and body, wherever they are cut")
  func httpReplies() throws {
    var dialect = LoadDialect(try options("http://h:1"))
    let ok = "HTTP/1.1 200 OK\r\nDate: x\r\nCONTENT-length:  12 \r\nCache-Control: no-cache\r\n\r\n"
    check(&dialect, .get, ok + value(42), .right)
    check(&dialect, .get, ok + value(43), .wrongValue)
    check(&dialect, .get, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", .right, misses: 1)
    check(&dialect, .get, "HTTP/1.1 503 \r\nContent-Length: 0\r\n\r\n", .wrongReply)
    check(&dialect, .set, "HTTP/1.1 201 Created\r\nContent-Length: 0\r\n\r\n", .right)
    check(&dialect, .set, "HTTP/1.1 204 No Content\r\nETag: \"1\"\r\n\r\n", .right)
    check(&dialect, .set, "HTTP/1.1 507 Full\r\nContent-Length: 1\r\n\r\nx", .wrongReply)
    check(&dialect, .delete, "HTTP/1.1 204 No Content\r\n\r\n", .right)
    check(&dialect, .delete, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", .right, misses: 1)
    for reply in [
      "HTTP/1.1 200 OK\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: x\r\n\r\n", "HTTP/2 200 OK\r\n\r\n", "-ERR no\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length:\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 0\n\r\n",
      "HTTP/1.1 200 OK\r\nContent-Length:\r\n\r\n",
      "HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\n", "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
    ] { checkMalformed(&dialect, .get, reply) }
  }

  @Test("Chunked bodies are put together, trailers and extensions passed over")
  func chunked() throws {
    var dialect = LoadDialect(try options("http://h:1"))
    let head = "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
    let text = value(42)
    check(&dialect, .get, head + "5;x=1\r\n\(text.prefix(5))\r\n7\r\n\(text.dropFirst(5))\r\n0\r\nA: b\r\n\r\n", .right)
    check(&dialect, .get, head + "C\r\n\(value(43))\r\n0\r\n\r\n", .wrongValue)
    for body in ["x\r\n", "\r\n", "C\r\n\(text)xx0\r\n\r\n", "FFFFFFFF\r\n", "1\r\nx\r\n4000000\r\n", "0\r\nx\n"] {
      checkMalformed(&dialect, .get, head + body)
    }
  }

  @Test("The first body of a path is what all others must be, unless any will do")
  func reference() throws {
    func reply(_ body: String) -> String { "HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)" }
    var dialect = LoadDialect(try options("http://h:1/json"))
    check(&dialect, .path, reply("{}"), .right)
    check(&dialect, .path, reply("[]"), .wrongValue)
    check(&dialect, .path, reply("{} "), .wrongValue)
    check(&dialect, .path, "HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\n{}", .wrongReply)
    var any = LoadDialect(try options("http://h:1/json") { $0.anyBody = true })
    check(&any, .path, reply("{}"), .right)
    check(&any, .path, reply("[]"), .right)
    var moving = LoadDialect(try options("http://h:1/json") { $0.anyOrder = true })
    check(&moving, .path, reply(#"{"a":1,"b":2}"#), .right)
    check(&moving, .path, reply(#"{"b":2,"a":1}"#), .right)
    for body in [#"{"b":2,"a":2}"#, #"{"b":2}"#, #"{"b":2,"a":10}"#] { check(&moving, .path, reply(body), .wrongValue) }
  }

  @Test("A reply that ends its connection says so")
  func closes() throws {
    var dialect = LoadDialect(try options("http://h:1/") { $0.path = "/" })
    let verdict = dialect.check(
      Array("HTTP/1.1 200 OK\r\nConnection: Close\r\nContent-Length: 0\r\n\r\n".utf8).rawSpan, Flight(time: 0, key: 0, operation: .path))
    #expect(verdict.closes && verdict.outcome == .right)
  }
}
