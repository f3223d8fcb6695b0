// libFuzzer target for the HTTP session; run by scripts/fuzz, which compiles it together with the sources of MartletBytes and
// MartletHTTP. Not part of the package.
//
// What must hold for any input: no crash, no read out of bounds (the input is copied to memory of its exact size), consumed bytes
// within the input, progress on every call, and the same replies however the input is cut.

/// The first byte of the input decides where the rest is cut a second time.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzHTTPSession(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 1, let start = unsafe start else { return 0 }
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let bytes = Array(input[1...])
  let cut = Int(input[0]) * bytes.count / 256
  let whole = converse([bytes])
  let parts = converse([Array(bytes[..<cut]), Array(bytes[cut...])])
  // An error in a line that never ends may be told only where more bytes make it worth a parse.
  if whole.isClosed == parts.isClosed { precondition(whole.replies == parts.replies, "the replies depend on where the input is cut") }
  return 0
}

private let service: HTTPService = {
  var router = Router()
  router.get("/a") { _, response in response.body("a") }
  router.put("/a/{key}") { request, response in
    response.head(.created)
    if let value = request.field("x") { response.field("X", value) }
    response.body(request.body)
  }
  router.get("/a/{key}/b/{rest...}") { request, response in
    response.body { output in
      output.append(request.parameter(0))
      output.append(request.parameter(1))
    }
  }
  router.post("/q") { request, response in
    var total = 0
    try request.forEachQueryItem { total += $0.byteCount + $1.byteCount }
    request.forEachElement(ofField: "if-match") { total += $0.byteCount }
    response.head(.ok)
    response.field("Total", total)
    response.empty()
  }
  var limits = HTTPLimits()
  limits.bodyBytesMax = 64
  limits.headBytesMax = 512
  limits.targetBytesMax = 64
  limits.fieldCountMax = 8
  limits.chunkLineBytesMax = 32
  limits.chunkExtensionBytesMax = 64
  limits.flushBytesMark = 256
  return HTTPService(routes: RouteTree(router), limits: limits, startAsync: { _, _ in })
}()

private func converse(_ pieces: [[UInt8]]) -> (replies: [UInt8], isClosed: Bool) {
  let now = MonotonicTime(nanoseconds: 1_000_000_000)
  var session = HTTPSession(id: ConnectionID(loop: 0, slot: 0, generation: 0), service: service)
  var replies: [UInt8] = []
  var waiting: [UInt8] = []
  for piece in pieces {
    waiting += piece
    var isNew = true
    while true {
      let input = waiting
      var output = ByteBuffer()
      let progress = session.receive(input.rawSpan, into: &output, at: now)
      precondition(progress.consumed >= 0 && progress.consumed <= input.count, "consumed more than there was")
      waiting.removeFirst(progress.consumed)
      replies += output.copied()
      switch progress.next {
      case .close: return (replies, true)
      case .blocked: preconditionFailure("nothing here answers later")
      case .full: precondition(isNew || progress.consumed > 0 || output.count > 0, "full of nothing")
      case .read(let atLeast):
        precondition(atLeast > 0)
        if progress.consumed == 0 || waiting.isEmpty { break }
        isNew = false
        continue
      }
      if case .full = progress.next {
        isNew = false
        continue
      }
      break
    }
  }
  return (replies, false)
}
