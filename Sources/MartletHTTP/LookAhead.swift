/// What pipelined requests behind the first one will read, told before they are handled.
///
/// A lookup in a large store waits for memory, 200 ns and more; sixteen lookups that are announced together wait for it once. So
/// before a pipeline is served, the paths of the GETs in it are found (only found: nothing here decides anything, every request is
/// parsed in full when its turn comes) and handed to whoever knows what they mean. Costs nothing at depth 1, and for pipelines that
/// do not begin with `prefix` one comparison.

internal import MartletBytes

package struct LookAhead: ~Copyable, Sendable {
  /// What the path of the first request must begin with.
  let prefix: [UInt8]
  let announce: @Sendable (borrowing UpcomingPaths, RawSpan) -> Void

  /// `announce` is called on the loop's thread, before the requests are handled, with the parts of the paths behind `prefix`.
  package init(prefix: String, announce: @escaping @Sendable (borrowing UpcomingPaths, RawSpan) -> Void) {
    self.prefix = Array(prefix.utf8)
    self.announce = announce
  }

  /// Looks over the requests in `input`. `last` is the request before: another field section than that one's ends the look.
  @inline(__always)
  func scout(_ input: RawSpan, after last: borrowing UniqueBox<RequestScratch>, _ paths: inout UpcomingPaths) {
    let pathStart = 4
    guard input.byteCount > 2 * (pathStart + prefix.count + 12), isGet(input, at: 0),
      input[pathStart..<pathStart + prefix.count].equals(prefix.rawSpan)
    else { return }
    collect(input, section: last.value.head.section, &paths)
    if paths.count > 1 { announce(paths, input) }
  }

  private func collect(_ input: RawSpan, section: borrowing FieldSection, _ paths: inout UpcomingPaths) {
    paths.removeAll()
    var start = 0
    while !paths.isFull, input.byteCount - start > 4 + prefix.count, isGet(input, at: start) {
      let key = start + 4 + prefix.count
      let end = targetEnd(input, from: key)
      let fields = end + " HTTP/1.1\r\n".utf8.count
      guard fields <= input.byteCount, input[start + 4..<key].equals(prefix.rawSpan) else { return }
      guard let count = section.match(input[fields..<input.byteCount]) else { return }
      paths.append(key..<end)
      start = fields + count
    }
  }

  /// Where a target ends: at a blank or a control byte. A query or an encoded key leads to a key that is not asked for; no harm done.
  @inline(__always)
  private func targetEnd(_ input: RawSpan, from start: Int) -> Int {
    var position = start
    while true {
      let stops = ByteClasses.blanks(input.paddedWord(at: position))
      if stops != 0 { return min(position &+ stops.trailingZeroBitCount &>> 3, input.byteCount) }
      position &+= 8
    }
  }

  @inline(__always)
  private func isGet(_ input: RawSpan, at offset: Int) -> Bool { input.paddedWord(at: offset) & 0xFFFF_FFFF == 0x2054_4547 }
}

/// Where paths stand in a pipeline's bytes.
package struct UpcomingPaths: ~Copyable {
  /// Paths looked for in one go.
  package static var countMax: Int { 32 }

  package private(set) var count = 0
  private var starts = FixedArray(repeating: Int32(0), count: UpcomingPaths.countMax)
  private var ends = FixedArray(repeating: Int32(0), count: UpcomingPaths.countMax)

  init() {}

  var isFull: Bool { count == Self.countMax }

  package subscript(index: Int) -> Range<Int> { Int(starts[index])..<Int(ends[index]) }

  mutating func removeAll() { count = 0 }

  mutating func append(_ path: Range<Int>) {
    starts[count] = Int32(path.lowerBound)
    ends[count] = Int32(path.upperBound)
    count += 1
  }
}
