/// A value inside of a `JanssonDocument`, borrowed: it cannot outlive the document, and nobody changes the document meanwhile.

import MartletBytes

package struct JanssonValue: ~Escapable {
  private let cell: JanssonCell

  /// For `JanssonDocument`, which binds the lifetime to itself.
  @_lifetime(immortal)
  init(_ cell: JanssonCell) { self.cell = cell }

  package var kind: JSONKind { cell.kind }

  /// Members or elements; 0 for scalars.
  package var count: Int { cell.count }

  /// nil for the other kinds.
  package var boolean: Bool? { kind == .boolean ? cell.isTrue : nil }

  /// The value of a number written as an integer; nil for the other kinds, and for numbers with fraction or exponent.
  package var integer: Int64? { cell.isInteger ? cell.integer : nil }

  /// The value of any number, rounded if it is an integer beyond 2^53; nil for the other kinds.
  package var double: Double? { cell.isInteger ? Double(cell.integer) : cell.double }

  /// What a string says; nil for the other kinds.
  package var string: String? { kind == .string ? cell.withBytes { $0.text } : nil }

  /// Lends the UTF-8 bytes of a string; nil for the other kinds.
  package func withUTF8<Result>(_ body: (RawSpan) -> Result) -> Result? {
    kind == .string ? cell.withBytes { body($0) } : nil
  }

  /// The element of an array; `index` is below `count`.
  package subscript(index: Int) -> JanssonValue {
    @_lifetime(copy self)
    get {
      precondition(kind == .array, "an index into a JSON value that is no array")
      let value = JanssonValue(cell.element(index))
      return unsafe _overrideLifetime(value, copying: self)
    }
  }

  /// The member of an object by its name in UTF-8; nil if there is none, or for the other kinds.
  package subscript(utf8 key: RawSpan) -> JanssonValue? {
    @_lifetime(copy self)
    get {
      guard let member = cell.isObject ? cell.member(key) : nil else { return nil }
      let value = JanssonValue(member)
      return unsafe _overrideLifetime(value, copying: self)
    }
  }

  /// The member of an object by its name; nil if there is none, or for the other kinds.
  package subscript(key: String) -> JanssonValue? {
    @_lifetime(copy self)
    get {
      var bytes = ByteBuffer()
      bytes.append(key)
      guard let member = cell.isObject ? cell.member(bytes.bytes) : nil else { return nil }
      let value = JanssonValue(member)
      return unsafe _overrideLifetime(value, copying: self)
    }
  }

  /// Each member of an object, in the order of the text; nothing for the other kinds.
  package func forEachMember<Failure: Error>(_ body: (_ key: RawSpan, JanssonValue) throws(Failure) -> Void) throws(Failure) {
    guard cell.isObject else { return }
    try cell.forEachMember { (key, member) throws(Failure) in try body(key, JanssonValue(member)) }
  }

  /// Equal as RFC 6902 section 4.6 says: numbers by value, objects whatever their order.
  package func equals(_ other: JanssonValue) -> Bool { cell.equals(other.cell) }

  /// Writes the value as our writer prints it.
  package func write(to writer: inout JSONWriter) { cell.write(to: &writer) }
}
