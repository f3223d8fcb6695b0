// libFuzzer target for requests of memcached's protocols; run by scripts/fuzz, which compiles it together with the sources of
// MartletBytes and MartletCacheProtocols. Not part of the package.
//
// What must hold for any input: no crash, no read out of bounds (the input is copied to memory of its exact size), parts of requests within
// the input, more wanted than there is where a request is incomplete, and the same requests however the input is cut and whether or not
// the fast reader is asked first.

/// The first byte of the input decides where the rest is cut a second time; its lowest bit, whether a token was shown.
@_cdecl("LLVMFuzzerTestOneInput")
public func fuzzMemcachedParser(_ start: UnsafePointer<UInt8>?, _ count: Int) -> CInt {
  guard count > 1, let start = unsafe start else { return 0 }
  let input = unsafe Array(UnsafeBufferPointer(start: start, count: count))
  let bytes = Array(input[1...])
  let cut = Int(input[0]) * bytes.count / 256
  let isAuthenticated = input[0] & 1 == 0
  let whole = read([bytes], isAuthenticated)
  precondition(whole == read([Array(bytes[..<cut]), Array(bytes[cut...])], isAuthenticated), "what is read depends on where the input is cut")
  // Byte by byte the line of a request is never complete with its block: the fast reader is never the one that reads a `set`.
  if bytes.count < 300 { precondition(whole == read(bytes.map { [$0] }, isAuthenticated), "the fast reader says otherwise") }
  return 0
}

private struct Told: Equatable {
  var command: MemcachedCommand
  var error: MemcachedError?
  var isQuiet: Bool
  var numbers: [UInt64]
  var parts: [[UInt8]]
}

private func read(_ pieces: [[UInt8]], _ isAuthenticated: Bool) -> [Told] {
  var limits = MemcachedLimits(dataBytesMax: 512)
  limits.lineBytesMax = 4096  // beyond what the fuzzer gives: when a line is found too long depends on the cut
  var parser = MemcachedParser()
  var told: [Told] = []
  var waiting: [UInt8] = []
  for piece in pieces {
    waiting += piece
    let input = waiting
    var start = 0
    var words: [ArgumentSlice] = []
    var isComplete = true
    while isComplete {
      words.removeAll()
      switch parser.parse(input.rawSpan, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &words) {
      case .request(let request):
        precondition(request.end > start && request.end <= input.count)
        if let error = request.error, error.closes { return told }
        told.append(tell(request, words, input))
        start = request.end
      case .skipped(let end):
        precondition(end >= start && end <= input.count)
        start = end
      case .incomplete(let bytesWanted):
        precondition(bytesWanted > input.count - start)
        isComplete = false
      }
    }
    waiting.removeFirst(start)
  }
  return told
}

private func tell(_ request: MemcachedRequest, _ words: [ArgumentSlice], _ input: [UInt8]) -> Told {
  let list = ArgumentList(words.span.extracting(request.words), of: input.rawSpan)
  var parts = [request.key.of(input.rawSpan).copied(), request.data.of(input.rawSpan).copied()]
  for index in 0..<list.count { parts.append(list[index].copied()) }
  if request.error != nil { parts = [] }
  if request.command.isMeta, request.error == nil, let flags = try? MemcachedMetaFlags(request.command, list) {
    parts.append(Array("\(flags)".utf8))
  }
  return Told(
    command: request.command, error: request.error, isQuiet: request.isQuiet,
    numbers: request.error == nil ? [UInt64(request.flags), UInt64(bitPattern: request.time), request.number] : [], parts: parts)
}
