/// Containers written out of order: what was closed gets a stream of its own, and its output is put into its place at the end. And the
/// coding path, which is read from the output only when somebody asks: keys as they are written, after any strategy.

import MartletBytes

extension JSONWriterStream {
  /// A container, or an empty slot, that was left and may be written again until the value around it is over.
  struct Ended {
    var serial: UInt32
    /// nil: a slot without a value.
    var isObject: Bool?
    /// Where it goes on, in bytes of the output, and how.
    var offset: Int
    var needsComma: Bool
    var count: Int
    /// Levels of objects and arrays around that place.
    var level: Int
    /// The container around it, and its key there or, in an array, its place.
    var parent: UInt32
    var keyStart: Int
    var index: Int
  }

  /// Where the output of another stream belongs.
  struct Hole {
    var serial: UInt32
    var offset: Int
    var level: Int
    var stream: JSONWriterStream
  }

  func noteEnd(of frame: Frame, in parent: Frame?) {
    unsafe state.pointee.ended.append(
      Ended(
        serial: frame.serial, isObject: frame.isObject, offset: state.pointee.writer.byteCount,
        needsComma: state.pointee.writer.needsComma, count: state.pointee.count, level: state.pointee.frames.count + 1,
        parent: parent?.serial ?? 0, keyStart: frame.keyStart, index: (parent?.count ?? 0) - 1))
  }

  /// Something else is written before the value of the pending slot: it gets a hole, whether or not a value comes.
  func leavePendingSlot() {
    let slot = unsafe state.pointee.pending
    if slot == 0 { return }
    unsafe state.pointee.pending = 0
    unsafe state.pointee.top = state.pointee.topBelow
    unsafe state.pointee.ended.append(
      Ended(
        serial: slot, isObject: nil, offset: state.pointee.writer.byteCount, needsComma: false, count: 0,
        level: state.pointee.frames.count, parent: state.pointee.top, keyStart: state.pointee.pendingKeyStart,
        index: state.pointee.count - 1))
    _ = continuation(of: slot)
    // As after a value. In an array its comma comes before the hole; behind a key there is none to come.
    if unsafe !state.pointee.writer.hasKey, unsafe state.pointee.writer.needsComma {
      unsafe state.pointee.writer.output.append(UInt8(ascii: ","))
      unsafe moveLastHole(behindComma: state.pointee.writer.byteCount)
    }
    unsafe state.pointee.writer.hasKey = false
    unsafe state.pointee.writer.needsComma = true
  }

  private func moveLastHole(behindComma offset: Int) {
    unsafe state.pointee.holes[state.pointee.holes.count - 1].offset = offset
  }

  /// The stream of what was closed, made when it is needed for the first time.
  func continuation(of serial: UInt32) -> JSONWriterStream {
    if let hole = unsafe state.pointee.holes.last(where: { $0.serial == serial }) { return hole.stream }
    guard let ended = unsafe state.pointee.ended.last(where: { $0.serial == serial }) else {
      preconditionFailure("an encoder or container is used after the value that it was for has been encoded")
    }
    let stream = JSONWriterStream(
      ByteBuffer(), options: options, purpose: ended.isObject == nil ? .slot : .rest, basePath: path(of: ended),
      baseDepth: baseDepth + ended.level - (ended.isObject == nil ? 0 : 1))
    stream.takeUp(ended)
    unsafe state.pointee.holes.append(Hole(serial: serial, offset: ended.offset, level: ended.level, stream: stream))
    return stream
  }

  private func takeUp(_ ended: Ended) {
    unsafe state.pointee.serials = ended.serial
    guard let isObject = ended.isObject else {
      unsafe state.pointee.pending = ended.serial
      unsafe state.pointee.pendingIsExplicit = true
      return
    }
    unsafe state.pointee.writer.enter(object: isObject ? 1 : 0)
    unsafe state.pointee.writer.needsComma = ended.needsComma
    unsafe state.pointee.frames.append(
      Frame(serial: ended.serial, isObject: isObject, isExplicit: true, keepsKeys: false, count: ended.count, keyStart: -1))
    unsafe state.pointee.count = ended.count
    unsafe state.pointee.top = ended.serial
  }

  /// Puts what came late into its place: one pass over the output.
  func fillHoles() {
    // At the same place an inner container's rest comes before that of the one around it.
    let holes = unsafe state.pointee.holes.sorted { ($0.offset, -$0.level) < ($1.offset, -$1.level) }
    let source = takeOutput()
    var output = ByteBuffer(capacity: source.count)
    var start = 0
    for hole in holes {
      output.append(source.bytes[start..<hole.offset])
      hole.stream.finish(into: &output)
      if unsafe hole.stream.state.pointee.isTooDeep { unsafe state.pointee.isTooDeep = true }
      if unsafe hole.stream.state.pointee.isShared { unsafe state.pointee.isShared = true }
      start = hole.offset
    }
    output.append(source.bytes[start..<source.count])
    unsafe swap(&output, &state.pointee.writer.output)
  }

  private func finish(into output: inout ByteBuffer) {
    if purpose == .slot, unsafe state.pointee.pending != 0, unsafe state.pointee.frames.isEmpty {
      // A super encoder that encoded nothing.
      return output.append("{}")
    }
    closeFrames(downTo: purpose == .rest ? 1 : 0)
    if unsafe !state.pointee.holes.isEmpty { fillHoles() }
    let part = takeOutput()
    output.append(part)
  }

  // MARK: Coding path

  /// Of the value that is being encoded, or else of the innermost open container.
  var path: [any CodingKey] {
    let frames = unsafe state.pointee.frames
    let inside = path(through: frames.count)
    guard unsafe state.pointee.pending != 0, !frames.isEmpty else { return inside }
    return unsafe inside + [key(at: state.pointee.pendingKeyStart, or: state.pointee.count - 1)]
  }

  /// Of a container or the place of an encoder.
  func path(of serial: UInt32) -> [any CodingKey] {
    if unsafe state.pointee.pending == serial { return path }
    if let index = unsafe state.pointee.frames.lastIndex(where: { $0.serial == serial }) { return path(through: index + 1) }
    if let hole = unsafe state.pointee.holes.last(where: { $0.serial == serial }) { return hole.stream.basePath }
    if let ended = unsafe state.pointee.ended.last(where: { $0.serial == serial }) { return path(of: ended) }
    return basePath
  }

  private func path(of ended: Ended) -> [any CodingKey] {
    // A slot or container at the top has no key.
    if ended.parent == 0 { return basePath }
    return path(of: ended.parent) + [key(at: ended.keyStart, or: ended.index)]
  }

  private func path(through level: Int) -> [any CodingKey] {
    let frames = unsafe state.pointee.frames
    var path = basePath
    for index in 0..<max(level, 1) where index > 0 { path.append(key(at: frames[index].keyStart, or: frames[index - 1].count - 1)) }
    return path
  }

  /// The key that was written to `start`, or else the place in an array.
  private func key(at start: Int, or index: Int) -> PathKey {
    if start < 0 { return PathKey(index: index) }
    let output = unsafe state.pointee.writer.output.bytes
    var reader = JSONReader(output[start - 1..<output.byteCount])
    // What the writer has written is a string; a member that was taken back has no value whose path anybody asks for.
    return PathKey((try? reader.readString()) ?? "")
  }

  /// Elements so far of the array `serial`.
  func count(of serial: UInt32) -> Int {
    if unsafe state.pointee.top == serial { return count }
    if let frame = unsafe state.pointee.frames.last(where: { $0.serial == serial }) {
      return unsafe state.pointee.frames.last?.serial == serial ? count : frame.count
    }
    if let hole = unsafe state.pointee.holes.last(where: { $0.serial == serial }) { return hole.stream.count(of: serial) }
    return unsafe state.pointee.ended.last { $0.serial == serial }?.count ?? 0
  }
}
