/// What the containers of one encoding share: the writer, and which objects and arrays are open in it.
///
/// Not a container: `EncodingContainers.swift` has those, small values that hold a reference to this and a number.
///
/// The problem: `Encodable` hands out containers that may be written in any order, and bytes that are written stay where they are. The
/// answer takes the usual order for free and the unusual one at a price. Each place for one value (a *slot*) has a serial number, and so
/// has the object or array that fills it (a *frame* while it is open). A container whose number is that of the top frame writes at the
/// end of the output: one comparison. One whose frame is open further down closes what lies above it. Only one that has been closed
/// and may still be written (a nested container or a super encoder, given out by hand) gets a stream of its own, whose output is
/// put into its place at the end: `JSONWriterStream+Holes.swift`.
///
/// An error takes back what was written of its member, key included, so that a caller who catches it may go on.
///
/// The state lives behind an owned pointer: as stored properties of a class, each access would be checked for exclusivity.

import MartletBytes

@safe
final class JSONWriterStream {
  /// What its output is to be: a whole text; the value of a slot; the rest of a container.
  enum Purpose { case text, slot, rest }

  /// An open object or array.
  struct Frame {
    var serial: UInt32
    var isObject: Bool
    /// Given out by hand, so it may be written after others have been.
    var isExplicit: Bool
    /// A dictionary with keys that are data: no strategy changes them.
    var keepsKeys: Bool
    /// Elements so far, while another frame lies above (of the top one: `State.count`).
    var count = 0
    /// Where its key stands in the output, behind the quotation mark; -1 in an array, where it is the last element, and at the top.
    var keyStart: Int
  }

  struct State: ~Copyable {
    var writer: JSONWriter
    /// The container that may write without further ado; 0 if none.
    var top: UInt32 = 0
    /// The slot whose value comes next, 0 if none; and what belongs to it.
    var pending: UInt32 = 0
    var pendingKeyStart = -1
    var pendingIsExplicit = false
    var pendingKeepsKeys = false
    /// `top` as it was before the slot.
    var topBelow: UInt32 = 0
    var serials: UInt32 = 0
    /// Elements of the innermost open array.
    var count = 0
    var frames: [Frame] = []
    /// What was closed and may be written again, and what was.
    var ended: [Ended] = []
    var holes: [Hole] = []
    var isTooDeep = false
    /// Two containers wrote one object: names may stand there twice.
    var isShared = false
  }

  let options: MartletJSON.Encoder
  let purpose: Purpose
  /// Leads to where this stream begins, as keys and as levels.
  let basePath: [any CodingKey]
  let baseDepth: Int
  let convertsKeys: Bool
  private let hasStrategies: Bool
  /// Common lists may go the short way.
  private let hasShortcuts: Bool
  /// Owned from `init` to `deinit`; always initialised between them. Used by one thread, without overlap: methods hold nothing of it
  /// while they call foreign code (`encode(to:)`, keys).
  let state: UnsafeMutablePointer<State>

  init(
    _ output: consuming ByteBuffer, options: MartletJSON.Encoder, purpose: Purpose = .text, basePath: [any CodingKey] = [],
    baseDepth: Int = 0
  ) {
    self.options = options
    self.purpose = purpose
    self.basePath = basePath
    self.baseDepth = baseDepth
    if case .useDefaultKeys = options.keyEncodingStrategy { convertsKeys = false } else { convertsKeys = true }
    hasStrategies = !options.strategies.isEmpty
    hasShortcuts = !CommonTypes.areListsIn(options.strategies)
    unsafe state = .allocate(capacity: 1)
    unsafe state.initialize(to: State(writer: JSONWriter(output)))
  }

  deinit {
    unsafe state.deinitialize(count: 1)
    unsafe state.deallocate()
  }

  // MARK: The whole

  func encodeText<Value: Encodable>(_ value: Value) throws {
    let slot = beginSlot(keyStart: -1)
    try encode(value, in: slot)
    if unsafe state.pointee.pending == slot {
      throw MartletJSON.Encoder.encodedNothing(value)
    }
    closeFrames(downTo: 0)
    if unsafe !state.pointee.holes.isEmpty { fillHoles() }
    if unsafe state.pointee.isTooDeep { throw tooDeep(value) }
  }

  var isShared: Bool { unsafe state.pointee.isShared }

  func takeOutput() -> ByteBuffer {
    var output = ByteBuffer()
    unsafe swap(&output, &state.pointee.writer.output)
    return output
  }

  // MARK: Finding the place

  /// Whether the container `serial` writes next: then `open` gives this stream.
  @inline(__always)
  func isTop(_ serial: UInt32) -> Bool { unsafe state.pointee.top == serial }

  /// Makes the container `serial` the one that writes next; the stream that it writes to.
  @inline(__always)
  func open(_ serial: UInt32) -> JSONWriterStream { isTop(serial) ? self : reopen(serial) }

  @inline(never)
  private func reopen(_ serial: UInt32) -> JSONWriterStream {
    leavePendingSlot()
    if let index = unsafe state.pointee.frames.lastIndex(where: { $0.serial == serial }) {
      closeFrames(downTo: index + 1)
      return self
    }
    return continuation(of: serial).open(serial)
  }

  // MARK: Slots

  /// A place for one value begins at the end of the output, behind its key if it has one.
  ///
  /// `keyStart`: what `writeKey` returned, or -1 in an array.
  func beginSlot(keyStart: Int, isExplicit: Bool = false) -> UInt32 {
    unsafe state.pointee.serials &+= 1
    let serial = unsafe state.pointee.serials
    unsafe state.pointee.pending = serial
    unsafe state.pointee.pendingKeyStart = keyStart
    unsafe state.pointee.pendingIsExplicit = isExplicit
    unsafe state.pointee.pendingKeepsKeys = false
    unsafe state.pointee.topBelow = state.pointee.top
    unsafe state.pointee.top = 0
    return serial
  }

  /// The slot gets its value, a scalar: the stream to write it to.
  @inline(__always)
  func fill(_ slot: UInt32) -> JSONWriterStream {
    guard unsafe state.pointee.pending == slot else { return refill(slot) }
    unsafe state.pointee.pending = 0
    unsafe state.pointee.top = state.pointee.topBelow
    return self
  }

  @inline(never)
  private func refill(_ slot: UInt32) -> JSONWriterStream {
    leavePendingSlot()
    let stream = continuation(of: slot)
    precondition(stream.isWaiting(for: slot), "an encoder's place holds one value, and has it already")
    return stream.fill(slot)
  }

  /// The slot gets an object or array, or has it already: the stream that it is in.
  func fill(_ slot: UInt32, isObject: Bool) -> JSONWriterStream {
    if unsafe state.pointee.pending == slot {
      unsafe state.pointee.pending = 0
      unsafe state.pointee.top = state.pointee.topBelow
      unsafe beginFrame(
        slot, isObject: isObject, isExplicit: state.pointee.pendingIsExplicit, keepsKeys: state.pointee.pendingKeepsKeys,
        keyStart: state.pointee.pendingKeyStart)
      return self
    }
    leavePendingSlot()
    guard let frame = unsafe state.pointee.frames.last(where: { $0.serial == slot }) else {
      return continuation(of: slot).fill(slot, isObject: isObject)
    }
    precondition(frame.isObject == isObject, "an encoder's place holds one value: an object or an array, and has the other already")
    unsafe state.pointee.isShared = true
    return open(slot)
  }

  func isWaiting(for slot: UInt32) -> Bool { unsafe state.pointee.pending == slot }

  // MARK: Frames

  /// An object or array given out by hand begins at the end of the output; its number.
  func beginNested(isObject: Bool, keyStart: Int) -> UInt32 {
    unsafe state.pointee.serials &+= 1
    let serial = unsafe state.pointee.serials
    beginFrame(serial, isObject: isObject, isExplicit: true, keepsKeys: false, keyStart: keyStart)
    return serial
  }

  private func beginFrame(_ serial: UInt32, isObject: Bool, isExplicit: Bool, keepsKeys: Bool, keyStart: Int) {
    let level = unsafe state.pointee.frames.count
    if level > 0 { unsafe state.pointee.frames[level - 1].count = state.pointee.count }
    if level + baseDepth >= MartletJSON.Encoder.depthMax { unsafe state.pointee.isTooDeep = true }
    unsafe state.pointee.frames.append(
      Frame(serial: serial, isObject: isObject, isExplicit: isExplicit, keepsKeys: keepsKeys, keyStart: keyStart))
    unsafe state.pointee.count = 0
    unsafe state.pointee.top = serial
    if isObject { unsafe state.pointee.writer.beginObject() } else { unsafe state.pointee.writer.beginArray() }
  }

  /// Ends the objects and arrays above `level`.
  func closeFrames(downTo level: Int) {
    leavePendingSlot()
    while unsafe state.pointee.frames.count > level {
      let frame = unsafe state.pointee.frames.removeLast()
      let parent = unsafe state.pointee.frames.last
      if frame.isExplicit { noteEnd(of: frame, in: parent) }
      if frame.isObject { unsafe state.pointee.writer.endObject() } else { unsafe state.pointee.writer.endArray() }
      unsafe state.pointee.count = parent?.count ?? 0
      unsafe state.pointee.top = parent?.serial ?? 0
    }
  }

  // MARK: Values

  /// One member, whatever it is.
  @inline(__always)
  func encode<Value: Encodable>(_ value: Value, key: some CodingKey) throws {
    let mark = Mark(self)
    let keyStart = writeKey(key)
    if hasShortcuts, encodeCommon(value) { return }
    try encode(value, keyStart: keyStart, from: mark)
  }

  /// One element, whatever it is.
  @inline(__always)
  func encodeElement<Value: Encodable>(_ value: Value) throws {
    let mark = Mark(self)
    countElement()
    if hasShortcuts, encodeCommon(value) { return }
    try encode(value, keyStart: -1, from: mark)
  }

  private func encode<Value: Encodable>(_ value: Value, keyStart: Int, from mark: Mark) throws {
    let level = unsafe state.pointee.frames.count
    let endedCount = unsafe state.pointee.ended.count
    let holeCount = unsafe state.pointee.holes.count
    do {
      if level + baseDepth > MartletJSON.Encoder.depthMax { throw tooDeep(value) }
      let slot = beginSlot(keyStart: keyStart)
      try encode(value, in: slot)
      if unsafe state.pointee.pending == slot {
        let stream = fill(slot)
        unsafe stream.state.pointee.writer.beginObject()
        unsafe stream.state.pointee.writer.endObject()
      } else {
        closeFrames(downTo: level)
      }
    } catch {
      takeBack(to: mark, level: level)
      unsafe state.pointee.ended.removeLast(state.pointee.ended.count - endedCount)
      unsafe state.pointee.holes.removeLast(state.pointee.holes.count - holeCount)
      throw error
    }
    // What was given out by hand inside of this value is over with it.
    if unsafe state.pointee.ended.count > endedCount {
      unsafe state.pointee.ended.removeLast(state.pointee.ended.count - endedCount)
    }
  }

  /// The value of a slot that has begun, by its own `encode(to:)` or a strategy.
  func encode<Value: Encodable>(_ value: Value, in slot: UInt32) throws {
    let encoder = ValueEncoder(stream: self, slot: slot)
    if hasStrategies, let strategy = options.strategies[ObjectIdentifier(Value.self)] {
      return try strategy.encode(value, encoder)
    }
    if convertsKeys, value is any StringKeyedDictionary { unsafe state.pointee.pendingKeepsKeys = true }
    try value.encode(to: encoder)
  }

  /// Common types that reach us as generic values (elements, members of dictionaries, lists): without an encoder and a container each.
  @inline(__always)
  private func encodeCommon<Value>(_ value: Value) -> Bool {
    // Where the types are the same, the bits are.
    if Value.self == String.self {
      unsafe write(unsafeBitCast(value, to: String.self))
    } else if Value.self == Int.self {
      unsafe write(Int64(unsafeBitCast(value, to: Int.self)))
    } else if Value.self == Double.self {
      let double = unsafe unsafeBitCast(value, to: Double.self)
      if !double.isFinite { return false }
      write(finite: double)
    } else if Value.self == Bool.self {
      unsafe write(unsafeBitCast(value, to: Bool.self))
    } else if Value.self == [String].self {
      unsafe write(unsafeBitCast(value, to: [String].self))
    } else if Value.self == [Int].self {
      unsafe write(unsafeBitCast(value, to: [Int].self))
    } else {
      return false
    }
    return true
  }

  private func write(_ values: [String]) {
    unsafe state.pointee.writer.beginArray()
    for value in values { write(value) }
    unsafe state.pointee.writer.endArray()
  }

  private func write(_ values: [Int]) {
    unsafe state.pointee.writer.beginArray()
    for value in values { write(Int64(value)) }
    unsafe state.pointee.writer.endArray()
  }

  /// How far the output is, to come back to.
  private struct Mark {
    let byteCount: Int
    let count: Int
    let top: UInt32
    let needsComma: Bool

    @inline(__always)
    init(_ stream: JSONWriterStream) {
      unsafe byteCount = stream.state.pointee.writer.byteCount
      unsafe count = stream.state.pointee.count
      unsafe top = stream.state.pointee.top
      unsafe needsComma = stream.state.pointee.writer.needsComma
    }
  }

  private func takeBack(to mark: Mark, level: Int) {
    while unsafe state.pointee.frames.count > level {
      let frame = unsafe state.pointee.frames.removeLast()
      unsafe state.pointee.writer.hasKey = false
      unsafe state.pointee.writer.leave(object: frame.isObject ? 1 : 0)
    }
    unsafe state.pointee.pending = 0
    unsafe state.pointee.top = mark.top
    unsafe state.pointee.count = mark.count
    unsafe state.pointee.writer.output.truncate(to: mark.byteCount)
    unsafe state.pointee.writer.needsComma = mark.needsComma
    unsafe state.pointee.writer.hasKey = false
  }

  // MARK: Tokens

  /// Returns where the key's own bytes begin in the output.
  @inline(__always) @discardableResult
  func writeKey(_ key: some CodingKey) -> Int {
    let name = convertsKeys ? convertedName(of: key) : key.stringValue
    let start = unsafe state.pointee.writer.byteCount &+ (state.pointee.writer.needsComma ? 2 : 1)
    unsafe state.pointee.writer.key(name)
    return start
  }

  @inline(never)
  private func convertedName(of key: some CodingKey) -> String {
    if unsafe state.pointee.frames.last?.keepsKeys == true { return key.stringValue }
    return options.name(of: key, at: path)
  }

  /// One more element of the array that is open.
  @inline(__always)
  func countElement() { unsafe state.pointee.count &+= 1 }

  var count: Int { unsafe state.pointee.count }

  @inline(__always) func writeNull() { unsafe state.pointee.writer.null() }
  @inline(__always) func write(_ value: Bool) { unsafe state.pointee.writer.bool(value) }
  @inline(__always) func write(_ value: String) { unsafe state.pointee.writer.string(value) }
  @inline(__always) func write(_ value: Int64) { unsafe state.pointee.writer.integer(value) }
  @inline(__always) func write(_ value: UInt64) { unsafe state.pointee.writer.integer(value) }
  @inline(__always) func write(finite value: Double) { unsafe state.pointee.writer.finite(value) }

  /// A number whose text Swift makes, `.0` at its end left out: a `Float` has other shortest digits than the double of the same value.
  func write(number text: String) {
    let lexeme = Array((text.hasSuffix(".0") ? text.dropLast(2) : text[...]).utf8)
    unsafe state.pointee.writer.raw(lexeme.rawSpan)
  }

  /// How NaN or an infinity is written; throws unless a strategy says.
  func text(ofNonFinite value: some BinaryFloatingPoint & Sendable, at path: @autoclosure () -> [any CodingKey]) throws -> String {
    try options.text(ofNonFinite: value, offset: unsafe state.pointee.writer.byteCount, at: path())
  }

  private func tooDeep(_ value: Any) -> EncodingError {
    unsafe MartletJSON.Encoder.tooDeep(value, offset: state.pointee.writer.byteCount, at: path)
  }
}

/// Dictionaries whose keys are data, not names of properties.
protocol StringKeyedDictionary {}
extension Dictionary: StringKeyedDictionary where Key == String, Value: Encodable {}
