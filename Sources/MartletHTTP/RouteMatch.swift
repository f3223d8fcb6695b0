/// What a path led to: a route, its parameters, and what the resource allows. One per loop, used again for each request.

internal import MartletBytes

package struct RouteMatch: ~Copyable {
  /// Segments a pattern can have.
  package static var segmentsMax: Int { 32 }
  /// Parameters a pattern can have.
  package static var parametersMax: Int { 8 }

  /// Index of the route; `RouteTree.unmatched` if none.
  package internal(set) var route = 0
  /// Union over all routes whose pattern fits the path.
  package internal(set) var allowed = MethodSet()
  /// Whether parameters are ranges of `decoded` rather than of the path.
  package internal(set) var isDecoded = false
  /// Whether the path's percent-encoding is malformed; there is no route then.
  package internal(set) var isMalformed = false
  package internal(set) var parameterCount = 0

  /// How many segments the path has; those beyond `segmentsMax` are not in `segments`.
  var segmentCount = 0
  var segments: InlineArray<32, ByteRange> = InlineArray(repeating: ByteRange())
  var ranges: InlineArray<8, ByteRange> = InlineArray(repeating: ByteRange())

  init() {}

  var parameters: Span<ByteRange> {
    @_lifetime(borrow self)
    get { ranges.span.extracting(first: parameterCount) }
  }

  /// Finds the segments of `path`, which begins with `/`.
  @inline(__always)
  mutating func split(_ path: RawSpan) {
    segmentCount = 0
    var start = 1
    var position = 1
    while true {
      let stops = ByteClasses.slashStops(path.paddedWord(at: position))
      if stops == 0 {
        position &+= 8
        continue
      }
      position &+= stops.trailingZeroBitCount &>> 3
      if position < path.byteCount && path[position] != UInt8(ascii: "/") {  // a NUL that was percent-encoded
        position &+= 1
        continue
      }
      let end = min(position, path.byteCount)
      if segmentCount < Self.segmentsMax { segments[segmentCount] = ByteRange(start, end) }
      segmentCount &+= 1
      if end == path.byteCount { return }
      position &+= 1
      start = position
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
      if end == path.byteCount { return }
      decoded.append(UInt8(ascii: "/"))
      start = end + 1
    }
  }
}
