/// What `Encodable` types are handed: an encoder and three kinds of container, each a reference to the stream and a number in it.
///
/// All decisions are the stream's; here stand the overloads that the protocols ask for.

/// One place for one value. The single value container is the encoder itself.
struct ValueEncoder: Encoder, SingleValueEncodingContainer {
  let stream: JSONWriterStream
  let slot: UInt32

  var codingPath: [any CodingKey] { stream.path(of: slot) }
  var userInfo: [CodingUserInfoKey: Any] { stream.options.userInfo }

  func container<Key: CodingKey>(keyedBy type: Key.Type) -> KeyedEncodingContainer<Key> {
    KeyedEncodingContainer(ObjectEncoder(stream: stream.fill(slot, isObject: true), serial: slot))
  }

  func unkeyedContainer() -> any UnkeyedEncodingContainer {
    ArrayEncoder(stream: stream.fill(slot, isObject: false), serial: slot)
  }

  func singleValueContainer() -> any SingleValueEncodingContainer { self }

  func encodeNil() throws { stream.fill(slot).writeNull() }
  func encode(_ value: Bool) throws { stream.fill(slot).write(value) }
  func encode(_ value: String) throws { stream.fill(slot).write(value) }
  func encode(_ value: Int) throws { stream.fill(slot).write(Int64(value)) }
  func encode(_ value: Int8) throws { stream.fill(slot).write(Int64(value)) }
  func encode(_ value: Int16) throws { stream.fill(slot).write(Int64(value)) }
  func encode(_ value: Int32) throws { stream.fill(slot).write(Int64(value)) }
  func encode(_ value: Int64) throws { stream.fill(slot).write(value) }
  func encode(_ value: Int128) throws { stream.fill(slot).write(number: value.description) }
  func encode(_ value: UInt) throws { stream.fill(slot).write(UInt64(value)) }
  func encode(_ value: UInt8) throws { stream.fill(slot).write(UInt64(value)) }
  func encode(_ value: UInt16) throws { stream.fill(slot).write(UInt64(value)) }
  func encode(_ value: UInt32) throws { stream.fill(slot).write(UInt64(value)) }
  func encode(_ value: UInt64) throws { stream.fill(slot).write(value) }
  func encode(_ value: UInt128) throws { stream.fill(slot).write(number: value.description) }

  func encode(_ value: Double) throws {
    if value.isFinite { return stream.fill(slot).write(finite: value) }
    let text = try stream.text(ofNonFinite: value, at: codingPath)
    stream.fill(slot).write(text)
  }

  func encode(_ value: Float) throws {
    if value.isFinite { return stream.fill(slot).write(number: value.description) }
    let text = try stream.text(ofNonFinite: value, at: codingPath)
    stream.fill(slot).write(text)
  }

  func encode<Value: Encodable>(_ value: Value) throws { try stream.encode(value, in: slot) }
}

struct ObjectEncoder<Key: CodingKey>: KeyedEncodingContainerProtocol {
  let stream: JSONWriterStream
  let serial: UInt32

  var codingPath: [any CodingKey] { stream.path(of: serial) }

  /// Writes the key, then has the value written. The usual stream is used as it is lent, which spares each member a retain and a release.
  @inline(__always)
  private func member(_ key: Key, _ write: (JSONWriterStream) -> Void) {
    if stream.isTop(serial) {
      stream.writeKey(key)
      write(stream)
    } else {
      let stream = stream.open(serial)
      stream.writeKey(key)
      write(stream)
    }
  }

  func encodeNil(forKey key: Key) throws { member(key) { $0.writeNull() } }
  func encode(_ value: Bool, forKey key: Key) throws { member(key) { $0.write(value) } }
  func encode(_ value: String, forKey key: Key) throws { member(key) { $0.write(value) } }
  func encode(_ value: Int, forKey key: Key) throws { member(key) { $0.write(Int64(value)) } }
  func encode(_ value: Int8, forKey key: Key) throws { member(key) { $0.write(Int64(value)) } }
  func encode(_ value: Int16, forKey key: Key) throws { member(key) { $0.write(Int64(value)) } }
  func encode(_ value: Int32, forKey key: Key) throws { member(key) { $0.write(Int64(value)) } }
  func encode(_ value: Int64, forKey key: Key) throws { member(key) { $0.write(value) } }
  func encode(_ value: Int128, forKey key: Key) throws { member(key) { $0.write(number: value.description) } }
  func encode(_ value: UInt, forKey key: Key) throws { member(key) { $0.write(UInt64(value)) } }
  func encode(_ value: UInt8, forKey key: Key) throws { member(key) { $0.write(UInt64(value)) } }
  func encode(_ value: UInt16, forKey key: Key) throws { member(key) { $0.write(UInt64(value)) } }
  func encode(_ value: UInt32, forKey key: Key) throws { member(key) { $0.write(UInt64(value)) } }
  func encode(_ value: UInt64, forKey key: Key) throws { member(key) { $0.write(value) } }
  func encode(_ value: UInt128, forKey key: Key) throws { member(key) { $0.write(number: value.description) } }

  func encode(_ value: Double, forKey key: Key) throws {
    if value.isFinite { return member(key) { $0.write(finite: value) } }
    let text = try stream.text(ofNonFinite: value, at: codingPath + [key])
    member(key) { $0.write(text) }
  }

  func encode(_ value: Float, forKey key: Key) throws {
    if value.isFinite { return member(key) { $0.write(number: value.description) } }
    let text = try stream.text(ofNonFinite: value, at: codingPath + [key])
    member(key) { $0.write(text) }
  }

  func encode<Value: Encodable>(_ value: Value, forKey key: Key) throws {
    if stream.isTop(serial) { return try stream.encode(value, key: key) }
    try stream.open(serial).encode(value, key: key)
  }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type, forKey key: Key) -> KeyedEncodingContainer<NestedKey> {
    let (stream, serial) = nested(key, isObject: true)
    return KeyedEncodingContainer(ObjectEncoder<NestedKey>(stream: stream, serial: serial))
  }

  func nestedUnkeyedContainer(forKey key: Key) -> any UnkeyedEncodingContainer {
    let (stream, serial) = nested(key, isObject: false)
    return ArrayEncoder(stream: stream, serial: serial)
  }

  private func nested(_ key: Key, isObject: Bool) -> (JSONWriterStream, UInt32) {
    let stream = stream.open(serial)
    let keyStart = stream.writeKey(key)
    return (stream, stream.beginNested(isObject: isObject, keyStart: keyStart))
  }

  func superEncoder() -> any Encoder { superEncoder(under: PathKey.superKey) }
  func superEncoder(forKey key: Key) -> any Encoder { superEncoder(under: key) }

  private func superEncoder(under key: some CodingKey) -> any Encoder {
    let stream = stream.open(serial)
    let keyStart = stream.writeKey(key)
    return ValueEncoder(stream: stream, slot: stream.beginSlot(keyStart: keyStart, isExplicit: true))
  }
}

struct ArrayEncoder: UnkeyedEncodingContainer {
  let stream: JSONWriterStream
  let serial: UInt32

  var codingPath: [any CodingKey] { stream.path(of: serial) }
  var count: Int { stream.count(of: serial) }

  /// The stream to write the element to.
  @inline(__always)
  private func element() -> JSONWriterStream {
    let stream = stream.open(serial)
    stream.countElement()
    return stream
  }

  func encodeNil() throws { element().writeNull() }
  func encode(_ value: Bool) throws { element().write(value) }
  func encode(_ value: String) throws { element().write(value) }
  func encode(_ value: Int) throws { element().write(Int64(value)) }
  func encode(_ value: Int8) throws { element().write(Int64(value)) }
  func encode(_ value: Int16) throws { element().write(Int64(value)) }
  func encode(_ value: Int32) throws { element().write(Int64(value)) }
  func encode(_ value: Int64) throws { element().write(value) }
  func encode(_ value: Int128) throws { element().write(number: value.description) }
  func encode(_ value: UInt) throws { element().write(UInt64(value)) }
  func encode(_ value: UInt8) throws { element().write(UInt64(value)) }
  func encode(_ value: UInt16) throws { element().write(UInt64(value)) }
  func encode(_ value: UInt32) throws { element().write(UInt64(value)) }
  func encode(_ value: UInt64) throws { element().write(value) }
  func encode(_ value: UInt128) throws { element().write(number: value.description) }

  func encode(_ value: Double) throws {
    if value.isFinite { return element().write(finite: value) }
    let text = try stream.text(ofNonFinite: value, at: nextPath)
    element().write(text)
  }

  func encode(_ value: Float) throws {
    if value.isFinite { return element().write(number: value.description) }
    let text = try stream.text(ofNonFinite: value, at: nextPath)
    element().write(text)
  }

  private var nextPath: [any CodingKey] { codingPath + [PathKey(index: count)] }

  func encode<Value: Encodable>(_ value: Value) throws { try stream.open(serial).encodeElement(value) }

  func nestedContainer<NestedKey: CodingKey>(keyedBy type: NestedKey.Type) -> KeyedEncodingContainer<NestedKey> {
    let stream = element()
    return KeyedEncodingContainer(ObjectEncoder<NestedKey>(stream: stream, serial: stream.beginNested(isObject: true, keyStart: -1)))
  }

  func nestedUnkeyedContainer() -> any UnkeyedEncodingContainer {
    let stream = element()
    return ArrayEncoder(stream: stream, serial: stream.beginNested(isObject: false, keyStart: -1))
  }

  func superEncoder() -> any Encoder {
    let stream = element()
    return ValueEncoder(stream: stream, slot: stream.beginSlot(keyStart: -1, isExplicit: true))
  }
}
