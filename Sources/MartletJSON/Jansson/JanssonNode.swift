/// jansson's nodes, with its two rules kept in one place: who owns a reference, and who may look at one.
///
/// jansson counts references and documents each call as *new*, *borrowed* or *stolen*. Here a `JanssonNode` is one counted reference
/// that someone owns (it moves, and is given back when it goes), and a `JanssonCell` is a look at a node without owning it. Calls that
/// steal take a `consuming JanssonNode`; calls that borrow return a `JanssonCell`. Apart from loading and dumping
/// (`JanssonDocument.swift`), no other file calls jansson.
///
/// Threads: a tree belongs to one thread at a time. jansson's only global is the seed of its hash tables: set once, by `seeded`.
///
/// One of the four homes of unsafe code. Invariant, kept by the callers in this folder: a cell is used only while a node that holds it
/// lives. Trees have no cycles, since what is put into a container is a fresh node or was taken out of its tree before.

import CJansson
import MartletBytes

/// One owned reference.
@safe
struct JanssonNode: ~Copyable {
  private let pointer: UnsafeMutablePointer<json_t>

  /// Takes over a reference that jansson calls new. nil means that memory has run out: Swift stops for that everywhere else, too.
  init(new pointer: UnsafeMutablePointer<json_t>?) {
    guard let pointer = unsafe pointer else { preconditionFailure("jansson is out of memory") }
    unsafe self.pointer = pointer
  }

  /// Adds a reference to a node that others own as well: for what nobody will change any more.
  init(sharing cell: JanssonCell) { unsafe self.init(new: json_incref(cell.pointer)) }

  /// jansson recurses here; depth is bounded by whoever built the tree.
  deinit { unsafe json_decref(pointer) }

  /// A look at this node, for as long as it lives.
  var cell: JanssonCell { unsafe JanssonCell(pointer) }

  /// The reference, for a call that steals it.
  consuming func surrender() -> UnsafeMutablePointer<json_t> {
    let pointer = unsafe pointer
    discard self
    return unsafe pointer
  }

  // MARK: Making

  static func object() -> JanssonNode {
    JanssonNode.seeded
    return unsafe JanssonNode(new: json_object())
  }

  static func array() -> JanssonNode { unsafe JanssonNode(new: json_array()) }
  static func integer(_ value: Int64) -> JanssonNode { unsafe JanssonNode(new: json_integer(value)) }
  static func boolean(_ value: Bool) -> JanssonNode { unsafe JanssonNode(new: value ? json_true() : json_false()) }
  static func null() -> JanssonNode { unsafe JanssonNode(new: json_null()) }

  /// `value` is finite.
  static func real(_ value: Double) -> JanssonNode { unsafe JanssonNode(new: json_real(value)) }

  /// `utf8` has been checked.
  static func string(_ utf8: RawSpan) -> JanssonNode {
    unsafe utf8.withUnsafeBytes { bytes in
      // jansson copies `count` bytes; an empty span may have no address, for which jansson wants some other one.
      let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(JanssonCell.emptyText.utf8Start)
      return unsafe JanssonNode(new: json_stringn_nocheck(start.assumingMemoryBound(to: CChar.self), bytes.count))
    }
  }

  static func string(_ text: String) -> JanssonNode {
    var text = text
    // As above: jansson copies, and wants some address even for nothing.
    let made = text.withUTF8 { utf8 in
      let start = unsafe utf8.baseAddress ?? JanssonCell.emptyText.utf8Start
      return unsafe json_stringn_nocheck(UnsafeRawPointer(start).assumingMemoryBound(to: CChar.self), utf8.count)
    }
    return unsafe JanssonNode(new: made)
  }

  /// Random, from the system, before the first object: once, whichever thread is first (a global's initialisation is).
  static let seeded: Void = json_object_seed(0)
}

/// A look at a node that something else owns.
@safe
struct JanssonCell {
  let pointer: UnsafeMutablePointer<json_t>

  @unsafe
  init(_ pointer: UnsafeMutablePointer<json_t>) { unsafe self.pointer = pointer }

  static var emptyText: StaticString { "" }

  var type: json_type { unsafe pointer.pointee.type }
  var isObject: Bool { type == JSON_OBJECT }
  var isArray: Bool { type == JSON_ARRAY }
  var isNull: Bool { type == JSON_NULL }
  var isContainer: Bool { isObject || isArray }
  var isInteger: Bool { type == JSON_INTEGER }
  var isTrue: Bool { type == JSON_TRUE }

  /// Members or elements; 0 for the other kinds.
  var count: Int { unsafe isObject ? json_object_size(pointer) : json_array_size(pointer) }

  /// The value of a JSON_INTEGER, of a JSON_REAL; 0 for the other kinds.
  var integer: Int64 { unsafe json_integer_value(pointer) }
  var real: Double { unsafe json_real_value(pointer) }

  /// The bytes of a JSON_STRING, which live until the node changes or goes: lent.
  func withBytes<Result: ~Copyable, Failure: Error>(_ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    try unsafe body(RawSpan(_unsafeStart: UnsafeRawPointer(json_string_value(pointer)!), byteCount: json_string_length(pointer)))
  }

  // MARK: Borrowing what is inside

  /// The element at `index`, which is below `count`, of an array.
  func element(_ index: Int) -> JanssonCell {
    precondition(index >= 0 && index < count, "element outside of a JSON array")
    return unsafe JanssonCell(json_array_get(pointer, index)!)
  }

  func member(_ key: RawSpan) -> JanssonCell? {
    unsafe withKey(key) { start, count in
      unsafe json_object_getn(pointer, start, count).map { unsafe JanssonCell($0) }
    }
  }

  /// Each member of an object in its order. `body` does not change this object.
  func forEachMember<Failure: Error>(_ body: (RawSpan, JanssonCell) throws(Failure) -> Void) throws(Failure) {
    var iterator = unsafe json_object_iter(pointer)
    while let position = unsafe iterator {
      let key = unsafe RawSpan(
        _unsafeStart: UnsafeRawPointer(json_object_iter_key(position)!), byteCount: json_object_iter_key_len(position))
      try unsafe body(key, JanssonCell(json_object_iter_value(position)!))
      unsafe iterator = json_object_iter_next(pointer, position)
    }
  }

  // MARK: Changing what is inside: the container takes over the value

  func setMember(_ key: RawSpan, _ value: consuming JanssonNode) {
    let pointer = unsafe value.surrender()
    unsafe withKey(key) { start, count in
      unsafe done(json_object_setn_new_nocheck(self.pointer, start, count, pointer))
    }
  }

  func member(_ key: String) -> JanssonCell? {
    var key = key
    return key.withUTF8 { utf8 in unsafe member(RawSpan(_unsafeElements: utf8)) }
  }

  func setMember(_ key: String, _ value: consuming JanssonNode) {
    let value = unsafe value.surrender()
    var key = key
    key.withUTF8 { utf8 in
      unsafe withKey(RawSpan(_unsafeElements: utf8)) { start, count in
        unsafe done(json_object_setn_new_nocheck(pointer, start, count, value))
      }
    }
  }

  func removeMember(_ key: String) {
    var key = key
    key.withUTF8 { utf8 in _ = unsafe removeMember(RawSpan(_unsafeElements: utf8)) }
  }

  func append(_ value: consuming JanssonNode) { unsafe done(json_array_append_new(pointer, value.surrender())) }

  /// `index` is at most `count`.
  func insert(_ value: consuming JanssonNode, at index: Int) { unsafe done(json_array_insert_new(pointer, index, value.surrender())) }

  /// `index` is below `count`.
  func setElement(_ index: Int, _ value: consuming JanssonNode) { unsafe done(json_array_set_new(pointer, index, value.surrender())) }

  /// Takes an element out; `index` is below `count`.
  func removeElement(_ index: Int) -> JanssonNode {
    let removed = JanssonNode(sharing: element(index))
    unsafe done(json_array_remove(pointer, index))
    return removed
  }

  /// Takes a member out; nil if there is none of that name.
  func removeMember(_ key: RawSpan) -> JanssonNode? {
    guard let cell = member(key) else { return nil }
    let removed = JanssonNode(sharing: cell)
    unsafe withKey(key) { start, count in unsafe done(json_object_deln(pointer, start, count)) }
    return removed
  }

  /// Indices and kinds are checked before each call, and loops excluded: what is left to fail is memory.
  private func done(_ code: Int32) { precondition(code == 0, "jansson refused a change, or is out of memory") }

  /// Lends a name as jansson wants it: an address and a length, NUL allowed inside, no NUL needed at the end.
  @unsafe
  private func withKey<Result>(_ key: RawSpan, _ body: (UnsafePointer<CChar>, Int) -> Result) -> Result {
    unsafe key.withUnsafeBytes { bytes in
      let start = unsafe bytes.baseAddress ?? UnsafeRawPointer(Self.emptyText.utf8Start)
      return unsafe body(start.assumingMemoryBound(to: CChar.self), bytes.count)
    }
  }
}
