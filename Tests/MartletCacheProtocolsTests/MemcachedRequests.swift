// What the memcached parser makes of bytes given in pieces, as a connection gives them, told in words.

import MartletBytes
import MartletCacheProtocols

let memcachedLimits = MemcachedLimits(dataBytesMax: 1000)

/// Feeds `pieces` one after another, keeping what was not consumed, and asking again only where that was said to make sense. A request is
/// told as its command, what it has, and its error.
func readMemcached(_ pieces: [[UInt8]], isAuthenticated: Bool = true, limits: MemcachedLimits = memcachedLimits) -> [String] {
  var parser = MemcachedParser()
  var told: [String] = []
  var waiting: [UInt8] = []
  var wanted = 1
  for piece in pieces {
    waiting += piece
    if waiting.count < wanted { continue }
    let input = waiting
    var start = 0
    var words: [ArgumentSlice] = []
    loop: while true {
      words.removeAll()
      switch parser.parse(input.rawSpan, from: start, isAuthenticated: isAuthenticated, limits: limits, into: &words) {
      case .request(let request):
        precondition(request.end > start && request.end <= input.count, "a request that takes nothing, or what is not there")
        told.append(describe(request, words, input))
        start = request.end
      case .skipped(let end):
        precondition(end >= start && end <= input.count, "skips what is not there")
        start = end
      case .incomplete(let bytesWanted):
        precondition(bytesWanted > input.count - start, "wants what it has")
        wanted = bytesWanted
        break loop
      }
    }
    waiting.removeFirst(start)
  }
  return told
}

func readMemcached(_ text: String, isAuthenticated: Bool = true) -> [String] {
  readMemcached([Array(text.utf8)], isAuthenticated: isAuthenticated)
}

private func describe(_ request: MemcachedRequest, _ words: [ArgumentSlice], _ input: [UInt8]) -> String {
  let text: (ArgumentSlice) -> String = { $0.of(input.rawSpan).text }
  var parts = [request.command.name]
  if let error = request.error { return (parts + ["!\(error)"] + (request.isQuiet ? ["quiet"] : [])).joined(separator: " ") }
  if request.words.isEmpty {
    if request.key.count > 0 { parts.append(text(request.key)) }
  } else {
    if request.command.isMeta { parts.append(text(request.key)) }
    parts += words[request.words].map(text)
  }
  if request.flags != 0 { parts.append("flags=\(request.flags)") }
  if request.time != 0 { parts.append("time=\(request.time)") }
  if request.number != 0 { parts.append("number=\(request.number)") }
  if request.data.start != 0 { parts.append("[\(text(request.data))]") }
  if request.isQuiet { parts.append("quiet") }
  return parts.joined(separator: " ")
}
