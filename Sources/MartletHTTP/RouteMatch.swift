/// What a path led to: a route, its parameters, and what the resource allows. One per loop, used again for each request.

internal import MartletBytes

package struct RouteMatch: ~Copyable {
  /// Segments a pattern can have.
  package static var segmentsMax: Int { 32 }
  /// Parameters a pattern can have.
  package static var parametersMax: Int { 8 }

  /// Index of the route; `RouteTree.unmatched` if none.
  package internal(set) var route = 0
  var isFound = false
  /// Union over all routes whose pattern fits the path.
  package internal(set) var allowed = MethodSet()
  /// Whether parameters are ranges of `decoded` rather than of the head.
  package internal(set) var isDecoded = false
  package internal(set) var parameterCount = 0

  /// Where the path ends in the bytes that `segments` are ranges of.
  var textEnd = 0
  /// How many segments the path has; those beyond `segmentsMax` are not in `segments`.
  var segmentCount = 0
  var segments = FixedArray(repeating: ByteRange(), count: RouteMatch.segmentsMax)
  var ranges = FixedArray(repeating: ByteRange(), count: RouteMatch.parametersMax)

  init() {}

  /// The parameter at `index`; stops the process if the pattern has fewer.
  func parameter(_ index: Int) -> ByteRange {
    precondition(index < parameterCount, "a parameter that the pattern does not have")
    return ranges[index]
  }

  /// Finds the segments of the path that stands in `bytes` from `start`, a `/`, to `end`.
  @inline(__always)
  mutating func split(_ bytes: RawSpan, from start: Int, to end: Int) {
    segmentCount = 0
    textEnd = end
    var first = start &+ 1
    var position = first
    while true {
      let slashes = ByteClasses.slashes(bytes.paddedWord(at: position))
      position &+= slashes == 0 ? 8 : slashes.trailingZeroBitCount &>> 3
      if slashes == 0 && position < end { continue }
      let last = min(position, end)
      if segmentCount < Self.segmentsMax { segments[segmentCount] = ByteRange(first, last) }
      segmentCount &+= 1
      if last == end { return }
      position &+= 1
      first = position
    }
  }

  /// As `split`, for a path with percent-encoding: decodes it segment by segment, so that an encoded slash separates nothing.
  mutating func split(decoding path: RawSpan, into decoded: inout ByteBuffer) {
    decoded.removeAll()
    segmentCount = 0
    var start = 1
    while true {
      let end = path.firstIndex(of: UInt8(ascii: "/"), from: start) ?? path.byteCount
      let decodedStart = decoded.count
      PercentCoding.decode(path[start..<end], into: &decoded)
      if segmentCount < Self.segmentsMax { segments[segmentCount] = ByteRange(decodedStart, decoded.count) }
      segmentCount += 1
      textEnd = decoded.count
      if end == path.byteCount { return }
      decoded.append(UInt8(ascii: "/"))
      start = end + 1
    }
  }
}
