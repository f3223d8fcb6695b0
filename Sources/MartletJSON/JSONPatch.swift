/// JSON Patch (RFC 6902): operations on a document, all of them or none.
///
/// The patch is read whole first, so that what is no patch is refused before anything happens; the document becomes a tree of its own, so
/// that an operation that fails leaves nothing to undo. Whatever is not touched comes out as it went in, numbers in their spelling
/// included; whitespace and needless escapes do not (the result is compact).
///
/// A small patch can ask for much: copies that double a document, insertions at the front of long arrays. Results are bounded by
/// `bytesMax`, all copies together likewise, trees by `treeBytesMax`, what is moved about by `workBytesMax`, depth by 512 levels.

public import MartletBytes

public enum JSONPatch {
  /// The longest result unless the caller says otherwise, in bytes.
  public static var bytesMaxDefault: Int { 64 << 20 }

  /// The most memory that the trees of one patch may take unless the caller says otherwise, about, in bytes. Text of many small values
  /// needs up to a hundred times its size.
  public static var treeBytesMaxDefault: Int { 1 << 30 }

  /// How many bytes a patch may move about in memory: about a quarter of a second of work.
  static var workBytesMax: Int { 1 << 30 }

  /// Appends `document` changed by `patch` to `output`. `output` is as before if it throws.
  ///
  /// `bytesMax`: what the result, and all copies together, may have in bytes. `treeBytesMax`: what the trees may take, about.
  public static func apply(
    patch: RawSpan, to document: RawSpan, into output: inout ByteBuffer, bytesMax: Int = bytesMaxDefault,
    treeBytesMax: Int = treeBytesMaxDefault
  ) throws(JSONPatchError) {
    let operations = try Operation.all(in: patch)
    var budget = Budget(copies: CopyBudget(text: bytesMax, memory: treeBytesMax), work: workBytesMax)
    var target: JanssonDocument
    do throws(JSONError) {
      target = try JanssonDocument(scanning: document, memory: &budget.copies.memory)
    } catch {
      throw JSONPatchError(document: error)
    }
    for operation in operations { try operation.apply(to: &target, from: patch, within: &budget) }
    try target.write(to: &output, bytesMax: bytesMax)
  }

  /// `document` changed by `patch`.
  public static func apply(
    patch: RawSpan, to document: RawSpan, bytesMax: Int = bytesMaxDefault,
    treeBytesMax: Int = treeBytesMaxDefault
  ) throws(JSONPatchError) -> ByteBuffer {
    var output = ByteBuffer()
    try apply(patch: patch, to: document, into: &output, bytesMax: bytesMax, treeBytesMax: treeBytesMax)
    return output
  }

  /// What is left of the bounds, in bytes.
  struct Budget {
    /// `memory` in it is for the document and the patch's values, too.
    var copies: CopyBudget
    var work: Int
  }
}

extension JSONPatch.Operation {
  /// RFC 6902 section 4, verb by verb.
  func apply(to document: inout JanssonDocument, from patch: RawSpan, within budget: inout JSONPatch.Budget) throws(JSONPatchError) {
    switch verb {
    case .add:
      guard document.add(try value(in: patch, &budget), at: path, work: &budget.work) else { throw missing(path) }
    case .remove:
      guard document.remove(at: path, work: &budget.work) != nil else { throw missing(path) }
    case .replace:
      guard document.replace(try value(in: patch, &budget), at: path) else { throw missing(path) }
    case .move:
      try move(in: &document, within: &budget)
    case .copy:
      guard let source = document.cell(at: from) else { throw missing(from) }
      let copy = source.copy(levels: levelsLeft, budget: &budget.copies)
      guard !budget.copies.isExhausted else { throw .tooLarge }
      guard let copy else { throw .tooDeep }
      guard document.add(copy, at: path, work: &budget.work) else { throw missing(path) }
    case .test:
      let expected = try value(in: patch, &budget)
      guard let found = document.cell(at: path) else { throw missing(path) }
      guard found.equals(expected.cell) else { throw .testFailed(pointer: path.description) }
    }
    guard budget.work >= 0 else { throw .tooLarge }
  }

  private func move(in document: inout JanssonDocument, within budget: inout JSONPatch.Budget) throws(JSONPatchError) {
    guard let source = document.cell(at: from) else { throw missing(from) }
    if from == path { return }
    if path.tokens.count > from.tokens.count, !source.fits(levels: levelsLeft, budget: &budget.work) {
      throw budget.work < 0 ? .tooLarge : .tooDeep
    }
    guard let value = document.remove(at: from, work: &budget.work) else { throw missing(from) }
    guard document.add(value, at: path, work: &budget.work) else { throw missing(path) }
  }

  /// The levels that a value at `path` may have.
  private var levelsLeft: Int { max(0, JSONScanner.depthMaxDefault - path.tokens.count) }

  private func missing(_ pointer: JSONPointer) -> JSONPatchError { .pathMissing(pointer: pointer.description) }

  /// Builds the operation's value from its bytes in the patch, which have been checked.
  private func value(in patch: RawSpan, _ budget: inout JSONPatch.Budget) throws(JSONPatchError) -> JanssonNode {
    var reader = JSONReader(patch[valueRange], depthMax: levelsLeft)
    do throws(JSONError) {
      return try JanssonNode.read(&reader, memory: &budget.copies.memory)
    } catch {
      if error.problem == .tooDeep { throw .tooDeep }
      throw JSONPatchError(patch: JSONError(offset: error.offset + valueRange.lowerBound, problem: error.problem))
    }
  }
}

extension JanssonDocument {
  /// Appends the document, of at most `bytesMax` bytes; `output` is as before if it has more.
  func write(to output: inout ByteBuffer, bytesMax: Int) throws(JSONPatchError) {
    let count = output.count
    write(to: &output)
    if output.count - count > bytesMax {
      output.truncate(to: count)
      throw .tooLarge
    }
  }
}
