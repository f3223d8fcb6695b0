/// The values of a text as a flat list, made in one pass while the text is checked.
///
/// Sixteen bytes a value, in the order of the text, names before their values; an object or array says where it ends, so that a value is
/// stepped over in one move. No strings, no numbers, no tree: those are read from the text when somebody asks.
///
///     {"a":[1,true],"b":"x"}      object → 8, name a, array (2) → 6, number, true, name b, string

import MartletBytes

/// What a scanner tells of what it steps over: offsets in the text; of names and strings, those between the quotation marks.
protocol JSONTokenSink: ~Copyable {
  mutating func name(_ start: Int, _ end: Int, hasEscapes: Bool)
  mutating func string(_ start: Int, _ end: Int, hasEscapes: Bool)
  mutating func number(_ start: Int, _ end: Int)
  mutating func literal(_ kind: JSONToken.Kind, _ start: Int)
  mutating func begin(_ kind: JSONToken.Kind, _ start: Int)
  mutating func end()
}

/// For those who want to know only whether a text is right.
///
/// Of a struct without a field nobody knows the address: passed `inout`, all of them stand at the same one, and the thread sanitizer takes two
/// threads that scan, each with its own, for a race. So it has a field, which nobody reads and no optimised build keeps.
struct NoTokens: JSONTokenSink {
  private var place: UInt8 = 0

  @inline(__always) mutating func name(_ start: Int, _ end: Int, hasEscapes: Bool) {}
  @inline(__always) mutating func string(_ start: Int, _ end: Int, hasEscapes: Bool) {}
  @inline(__always) mutating func number(_ start: Int, _ end: Int) {}
  @inline(__always) mutating func literal(_ kind: JSONToken.Kind, _ start: Int) {}
  @inline(__always) mutating func begin(_ kind: JSONToken.Kind, _ start: Int) {}
  @inline(__always) mutating func end() {}
}

struct JSONToken: BitwiseCopyable {
  enum Kind: UInt8 { case object, array, name, string, number, isTrue, isFalse, null }

  /// The first byte of the text that belongs to it; of names and strings, the first between the quotation marks.
  var start: UInt32
  /// Bytes, of names, strings and numbers. Of an array: its elements. Of an object: the token where the next lookup begins.
  var length: UInt32
  /// The token after this value. Of a name: its hash. Of what is still open: the container around it.
  var next: UInt32
  var kind: Kind
  var hasEscapes = false
  /// A name that the same object has again further down: seen by nobody, the last one counts.
  var isShadowed = false
}

/// Takes down the tokens of one text. The token at 0 is a container around the text, so that there always is one.
@safe
struct TokenScan: ~Copyable, JSONTokenSink {
  /// `capacity` of them, the first `count` initialised; grows by doubling. Whoever takes them frees them: this has no deinit.
  private(set) var tokens: UnsafeMutablePointer<JSONToken>
  private(set) var count = 0
  private var capacity: Int
  /// The innermost container that has not ended.
  private(set) var open = 0
  /// For the hashes of names: the bytes of the text that is scanned, lent for the time of `run`.
  private var text: UnsafeRawPointer
  private static let hash = SeededHash()
  private let hash = Self.hash

  init(_ text: RawSpan) {
    capacity = text.byteCount / 8 + 16
    unsafe tokens = .allocate(capacity: capacity)
    let start = unsafe text.withUnsafeBytes { $0.baseAddress }
    unsafe self.text = start ?? UnsafeRawPointer(tokens)
    add(JSONToken(start: 0, length: 0, next: 0, kind: .array))
  }

  /// Takes down all of `text`, the one from `init`; what is wrong with it.
  mutating func run(_ text: RawSpan) -> JSONError? {
    // Offsets are of 32 bits.
    if text.byteCount > Int(UInt32.max) { return JSONError(offset: Int(UInt32.max), problem: .tooLarge) }
    do throws(JSONError) {
      let start = JSONScanner.whitespaceEnd(in: text, from: 0)
      let end = try JSONScanner.skipValue(in: text, from: start, depthMax: JSONScanner.depthMaxDefault, telling: &self)
      let rest = JSONScanner.whitespaceEnd(in: text, from: end)
      return rest == text.byteCount ? nil : JSONError(offset: rest, problem: .trailingContent)
    } catch {
      return error
    }
  }

  @inline(__always)
  private mutating func add(_ token: JSONToken) {
    if count == capacity { grow() }
    unsafe (tokens + count).initialize(to: token)
    count &+= 1
  }

  @inline(never)
  private mutating func grow() {
    let larger = UnsafeMutablePointer<JSONToken>.allocate(capacity: capacity * 2)
    unsafe larger.moveInitialize(from: tokens, count: count)
    unsafe tokens.deallocate()
    unsafe tokens = larger
    capacity *= 2
  }

  // MARK: Sink

  @inline(__always)
  mutating func name(_ start: Int, _ end: Int, hasEscapes: Bool) {
    let bytes = unsafe RawSpan(_unsafeStart: text + start, byteCount: end &- start)
    let hashed = UInt32(truncatingIfNeeded: hasEscapes ? hashUnescaped(bytes) : hash.hash(bytes))
    add(
      JSONToken(
        start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: end &- start), next: hashed, kind: .name,
        hasEscapes: hasEscapes))
  }

  @inline(__always)
  mutating func string(_ start: Int, _ end: Int, hasEscapes: Bool) {
    addValue(.string, start, end &- start, hasEscapes: hasEscapes)
  }

  @inline(__always)
  mutating func number(_ start: Int, _ end: Int) { addValue(.number, start, end &- start) }

  @inline(__always)
  mutating func literal(_ kind: JSONToken.Kind, _ start: Int) { addValue(kind, start, 0) }

  @inline(__always)
  mutating func begin(_ kind: JSONToken.Kind, _ start: Int) {
    let around = open
    let index = count
    addValue(kind, start, 0)
    unsafe tokens[index].next = UInt32(truncatingIfNeeded: around)
    open = index
  }

  @inline(__always)
  mutating func end() {
    let container = open
    open = unsafe Int(tokens[container].next)
    unsafe tokens[container].next = UInt32(truncatingIfNeeded: count)
    if unsafe tokens[container].kind == .object { endObject(container) }
  }

  @inline(__always)
  private mutating func addValue(_ kind: JSONToken.Kind, _ start: Int, _ length: Int, hasEscapes: Bool = false) {
    unsafe tokens[open].length &+= 1
    add(
      JSONToken(
        start: UInt32(truncatingIfNeeded: start), length: UInt32(truncatingIfNeeded: length),
        next: UInt32(truncatingIfNeeded: count &+ 1), kind: kind, hasEscapes: hasEscapes))
  }

  // MARK: Names that stand twice

  @inline(never)
  private func hashUnescaped(_ content: RawSpan) -> UInt64 {
    var unescaped = ByteBuffer(capacity: content.byteCount)
    JSONScanner.appendUnescaped(content, to: &unescaped)
    return hash.hash(unescaped.bytes)
  }

  private mutating func endObject(_ object: Int) {
    let members = unsafe Int(tokens[object].length)
    unsafe tokens[object].length = UInt32(truncatingIfNeeded: object &+ 1)
    if members > 128 { return shadowOfMany(object, members: members) }
    // A filter of 1024 bits: with the 46 names of a large record, one pair has the same bit by chance.
    var filter = InlineArray<16, UInt64>(repeating: 0)
    var index = object &+ 1
    while index < count {
      let hashed = unsafe tokens[index].next
      let bit = UInt64(1) &<< UInt64(truncatingIfNeeded: hashed & 63)
      let word = Int(truncatingIfNeeded: hashed &>> 6 & 15)
      if filter[word] & bit != 0 { shadow(before: index, in: object) }
      filter[word] |= bit
      index = unsafe Int(tokens[index &+ 1].next)
    }
  }

  /// Marks the names of `object` before the one at `last` that are the same.
  @inline(never)
  private mutating func shadow(before last: Int, in object: Int) {
    var index = object &+ 1
    while index < last {
      if unsafe tokens[index].next == tokens[last].next, areEqual(index, last) { unsafe tokens[index].isShadowed = true }
      index = unsafe Int(tokens[index &+ 1].next)
    }
  }

  /// Sorted by hash, which nobody outside can foresee: no more than n log n steps for any names.
  private mutating func shadowOfMany(_ object: Int, members: Int) {
    var names: [UInt64] = []
    names.reserveCapacity(members)
    var index = object + 1
    while index < count {
      unsafe names.append(UInt64(tokens[index].next) << 32 | UInt64(index))
      index = unsafe Int(tokens[index + 1].next)
    }
    names.sort()
    // Of the names with one hash so far (almost always one name), the last token of each.
    var group: [Int] = []
    for place in names.indices {
      let index = Int(names[place] & 0xFFFF_FFFF)
      if place > 0, names[place] >> 32 != names[place - 1] >> 32 { group.removeAll(keepingCapacity: true) }
      if let same = group.firstIndex(where: { areEqual($0, index) }) {
        unsafe tokens[group[same]].isShadowed = true
        group[same] = index
      } else {
        group.append(index)
      }
    }
  }

  private func areEqual(_ left: Int, _ right: Int) -> Bool {
    let (left, right) = unsafe (tokens[left], tokens[right])
    let leftBytes = unsafe RawSpan(_unsafeStart: text + Int(left.start), byteCount: Int(left.length))
    let rightBytes = unsafe RawSpan(_unsafeStart: text + Int(right.start), byteCount: Int(right.length))
    if !left.hasEscapes, !right.hasEscapes { return leftBytes.equals(rightBytes) }
    var unescaped = ByteBuffer()
    JSONScanner.appendUnescaped(leftBytes, to: &unescaped)
    let leftCount = unescaped.count
    JSONScanner.appendUnescaped(rightBytes, to: &unescaped)
    return unescaped.bytes[0..<leftCount].equals(unescaped.bytes[leftCount..<unescaped.count])
  }
}
