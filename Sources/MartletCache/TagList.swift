/// Tags in the one form in which entries keep them: joined by commas, nothing between, each once.

package import MartletBytes

package enum TagList {
  /// What the tags of one entry take at most.
  static var bytesMax: Int { CacheLimits.tagsPerEntryMax * (CacheLimits.tagBytesMax + 1) - 1 }

  /// Appends the tags of a `Cache-Tag` header or a `tags` parameter to `list`, which holds such a list already or is empty. Spaces
  /// and tabs around a tag, empty places between commas (RFC 9110 section 5.6.1) and repetitions are dropped.
  /// False if a tag is malformed or too long, or they are too many; `list` is to be thrown away then.
  package static func normalize(_ text: RawSpan, into list: inout ByteBuffer) -> Bool {
    var start = 0
    while start <= text.byteCount {
      let end = text.firstIndex(of: UInt8(ascii: ","), from: start) ?? text.byteCount
      let tag = text[start..<end].trimmed
      start = end + 1
      if tag.byteCount == 0 { continue }
      guard isValid(tag) else { return false }
      if !contains(list.bytes, tag) { append(tag, to: &list) }
    }
    return count(list.bytes) <= CacheLimits.tagsPerEntryMax
  }

  /// Appends one tag, which the caller has checked.
  package static func append(_ tag: RawSpan, to list: inout ByteBuffer) {
    if !list.isEmpty { list.append(UInt8(ascii: ",")) }
    list.append(tag)
  }

  /// Whether `tag` is 1 to 128 bytes of 0x21–0x7E without a comma.
  package static func isValid(_ tag: RawSpan) -> Bool {
    guard tag.byteCount > 0, tag.byteCount <= CacheLimits.tagBytesMax else { return false }
    for index in 0..<tag.byteCount {
      let byte = tag[index]
      if byte < 0x21 || byte > 0x7E || byte == UInt8(ascii: ",") { return false }
    }
    return true
  }

  /// Calls `body` with each tag of a list.
  static func forEach(of list: RawSpan, _ body: (RawSpan) -> Void) {
    var start = 0
    while start < list.byteCount {
      let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.byteCount
      body(list[start..<end])
      start = end + 1
    }
  }

  /// How many tags a list holds.
  package static func count(_ list: RawSpan) -> Int {
    if list.byteCount == 0 { return 0 }
    var count = 1
    for index in 0..<list.byteCount where list[index] == UInt8(ascii: ",") { count += 1 }
    return count
  }

  /// Whether `tag` is in the list.
  package static func contains(_ list: RawSpan, _ tag: RawSpan) -> Bool {
    var start = 0
    while start < list.byteCount {
      let end = list.firstIndex(of: UInt8(ascii: ","), from: start) ?? list.byteCount
      if list[start..<end].equals(tag) { return true }
      start = end + 1
    }
    return false
  }
}
