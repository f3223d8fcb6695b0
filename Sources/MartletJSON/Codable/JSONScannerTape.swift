/// The text that is being decoded, with its tokens: what containers look things up in.
///
/// Lookups are by name, mostly in the order in which the members stand. So each object remembers where the last one was found and
/// looks on from there: one comparison for a member in order. A name that is not there costs a comparison of lengths for each member.
///
/// The bytes are borrowed from the caller of `decode`, while decoders and containers may be kept by anybody. So `close` takes the text away,
/// and each look at it asks whether it is still there.

import MartletBytes

@safe
final class JSONTape {
  let options: MartletJSON.Decoder
  /// Why the text is not right; nil if it is.
  let failure: JSONError?
  let hasStrategies: Bool
  /// Common lists may go the short way.
  let hasShortcuts: Bool
  let convertsKeys: Bool
  /// Invariant, kept by this file: of `textCount` bytes, or not looked at, after `close`. Tokens lie inside, for they were made from it.
  private var text: UnsafeRawPointer
  private var textCount: Int
  /// Owned from `init` to `deinit`: `count` of them, all initialised.
  private let tokens: UnsafeMutablePointer<JSONToken>
  private let count: Int
  /// The innermost container that was open when the text failed.
  private let open: Int
  /// With a key strategy: the members of objects by their converted names, made when an object is first asked.
  private var converted: [Int: [String: Int]] = [:]

  init(_ text: RawSpan, options: MartletJSON.Decoder) {
    self.options = options
    hasStrategies = !options.strategies.isEmpty
    hasShortcuts = !CommonTypes.areListsIn(options.strategies)
    if case .useDefaultKeys = options.keyDecodingStrategy { convertsKeys = false } else { convertsKeys = true }
    var scan = TokenScan(text)
    failure = scan.run(text)
    open = scan.open
    scan.literal(.null, text.byteCount)
    unsafe tokens = scan.tokens
    count = scan.count
    let start = unsafe text.withUnsafeBytes { $0.baseAddress }
    unsafe self.text = start ?? UnsafeRawPointer(scan.tokens)
    textCount = text.byteCount
  }

  deinit { unsafe tokens.deallocate() }

  /// From now on the text is not lent any more.
  func close() { textCount = 0 }

  /// The value of the whole text.
  static var root: Int { 1 }
  /// A null that stands nowhere: for a super decoder without a value.
  var absent: Int { count - 1 }

  // MARK: Tokens

  @inline(__always)
  func token(_ index: Int) -> JSONToken {
    precondition(index >= 0 && index < count, "index outside of a JSON tape")
    return unsafe tokens[index]
  }

  @inline(__always) func kind(_ index: Int) -> JSONToken.Kind { token(index).kind }

  /// The token behind a value.
  @inline(__always) func next(_ index: Int) -> Int { Int(token(index).next) }

  /// Lends the bytes of a name, a string (as written) or a number.
  @inline(__always)
  func withBytes<Result>(_ token: JSONToken, _ body: (RawSpan) throws -> Result) rethrows -> Result {
    precondition(textCount > 0, "a decoder or container is used after the decode that it was for has returned")
    return try unsafe body(RawSpan(_unsafeStart: text + Int(token.start), byteCount: Int(token.length)))
  }

  /// What a name or string says.
  @inline(__always)
  func string(_ token: JSONToken) -> String {
    // Checked by the scanner.
    withBytes(token) { bytes in unsafe token.hasEscapes ? Self.unescaped(bytes) : bytes.checkedText() }
  }

  @inline(never)
  private static func unescaped(_ content: RawSpan) -> String {
    var unescaped = ByteBuffer(capacity: content.byteCount)
    JSONScanner.appendUnescaped(content, to: &unescaped)
    return unescaped.text
  }

  // MARK: Members

  /// The value of the member `name` of `object`; nil if there is none.
  @inline(__always)
  func member(_ name: String, of object: Int, keepsKeys: Bool) -> Int? {
    if convertsKeys, !keepsKeys { return convertedMembers(of: object)[name] }
    precondition(textCount > 0, "a decoder or container is used after the decode that it was for has returned")
    var name = name
    return name.withUTF8 { wanted in
      let wanted = unsafe RawSpan(_unsafeElements: wanted)
      return find(wanted, in: object)
    }
  }

  private func find(_ wanted: RawSpan, in object: Int) -> Int? {
    let cursor = unsafe Int(tokens[object].length)
    let end = unsafe Int(tokens[object].next)
    var index = cursor
    while index < end {
      if matches(index, wanted) { return found(index, in: object) }
      index = unsafe Int(tokens[index &+ 1].next)
    }
    index = object &+ 1
    while index < cursor {
      if matches(index, wanted) { return found(index, in: object) }
      index = unsafe Int(tokens[index &+ 1].next)
    }
    return nil
  }

  @inline(__always)
  private func found(_ name: Int, in object: Int) -> Int {
    unsafe tokens[object].length = tokens[name &+ 1].next
    return name &+ 1
  }

  @inline(__always)
  private func matches(_ name: Int, _ wanted: RawSpan) -> Bool {
    let token = unsafe tokens[name]
    if token.hasEscapes || token.isShadowed { return !token.isShadowed && matchesUnescaped(token, wanted) }
    guard Int(token.length) == wanted.byteCount else { return false }
    return unsafe RawSpan(_unsafeStart: text + Int(token.start), byteCount: Int(token.length)).equals(wanted)
  }

  @inline(never)
  private func matchesUnescaped(_ token: JSONToken, _ wanted: RawSpan) -> Bool {
    Array(string(token).utf8).rawSpan.equals(wanted)
  }

  /// Calls `body` with each name that counts and the place of its value.
  func forEachMember(of object: Int, _ body: (JSONToken, Int) throws -> Void) rethrows {
    let end = next(object)
    var index = object + 1
    while index < end {
      let name = token(index)
      if !name.isShadowed { try body(name, index + 1) }
      index = next(index + 1)
    }
  }

  /// Members by the names that the key strategy gives them. Of several with the same, the last counts.
  func convertedMembers(of object: Int) -> [String: Int] {
    if let members = converted[object] { return members }
    var members: [String: Int] = [:]
    forEachMember(of: object) { name, value in
      members[convertedKey(string(name), in: object).stringValue] = value
    }
    converted[object] = members
    return members
  }

  func convertedKey(_ name: String, in object: Int) -> any CodingKey {
    options.key(of: name, at: path(to: object))
  }

  // MARK: Coding path

  /// The keys that lead to a value: put together from the tokens, when somebody asks.
  func path(to index: Int) -> [any CodingKey] {
    guard index != absent else { return [] }
    var path: [any CodingKey] = []
    var current = Self.root
    while current < index {
      if kind(current) == .object {
        var name = current + 1
        while next(name + 1) <= index { name = next(name + 1) }
        path.append(convertsKeys ? convertedKey(string(token(name)), in: current) : PathKey(string(token(name))))
        current = name + 1
      } else {
        var element = current + 1
        var place = 0
        while next(element) <= index {
          element = next(element)
          place += 1
        }
        path.append(PathKey(index: place))
        current = element
      }
    }
    return path
  }

  /// The keys that lead to where the text failed, as far as it was read.
  var pathOfFailure: [any CodingKey] {
    var path: [any CodingKey] = []
    // Open containers know the one around them. The null at the end stands where the text failed, an element like others.
    var inner = absent
    var container = open
    while container > 0 {
      let token = token(container)
      if token.kind == .array {
        path.append(PathKey(index: Int(token.length) - 1))
      } else if inner > container + 1, kind(inner - 1) == .name {
        path.append(PathKey(string(self.token(inner - 1))))
      }
      inner = container
      container = Int(token.next)
    }
    return path.reversed()
  }
}
