import MartletBytes
import MartletCacheProtocols
import Testing

@Suite("memcached meta flags, numbers, replies")
struct MemcachedMetaFlagsTests {
  private func flags(_ command: MemcachedCommand, _ text: String) throws(MemcachedError) -> MemcachedMetaFlags {
    let bytes = Array(text.utf8)
    var words: [ArgumentSlice] = []
    var start = 0
    for end in 0...bytes.count where end == bytes.count || bytes[end] == ASCII.space {
      if end > start { words.append(ArgumentSlice(start: start, count: end - start)) }
      start = end + 1
    }
    return try MemcachedMetaFlags(command, ArgumentList(words.span, of: bytes.rawSpan))
  }

  @Test("Letters and their tokens are understood")
  func tokens() throws {
    let read = try flags(.mg, "v k N30 R60 T-1 O123 q")
    #expect(read.has("v") && read.has("k") && read.has("q") && !read.has("c"))
    #expect(read.vivifyTime == 30 && read.recacheTime == 60 && read.time == -1)
    let counted = try flags(.ma, "D5 J18446744073709551615 MD N0 C77")
    #expect(counted.delta == 5 && counted.initial == .max && counted.mode == UInt8(ascii: "D") && counted.version == 77)
    #expect(try flags(.ms, "F4294967295 I").clientFlags == .max)
    #expect(try flags(.ma, "").delta == 1)
  }

  @Test(
    "What is not understood is told in memcached's words",
    arguments: [
      (MemcachedCommand.mg, "v v", MemcachedError.duplicateFlag), (.mg, "z", .invalidFlag), (.mg, "1", .invalidFlag),
      (.mg, "Tx", .badToken),
      (.mg, "T", .badToken), (.mg, "N", .badToken), (.ms, "F-1", .badLine), (.ms, "F4294967296", .badLine), (.ms, "M", .modeLength),
      (.ms, "Mset", .modeLength), (.mg, "O\(String(repeating: "x", count: 32))", .opaqueTooLong), (.md, "z", .invalidOrDuplicateFlag),
      (.ma, "Dx", .invalidOrDuplicateFlag), (.ma, "D-1", .invalidOrDuplicateFlag), (.mg, "{", .invalidFlag), (.mg, "é", .duplicateFlag),
    ])
  func errors(command: MemcachedCommand, text: String, error: MemcachedError) {
    #expect(throws: error) { try flags(command, text) }
  }

  @Test("Numbers are read as memcached reads them")
  func numbers() {
    func value(_ text: String) -> UInt64? { MemcachedNumber.value(Array(text.utf8).rawSpan) }
    #expect(value("7") == 7 && value("007") == 7 && value(" 7 ") == 7 && value("+7") == 7 && value("18446744073709551615") == .max)
    #expect(
      value("") == nil && value("-1") == nil && value("x") == nil && value("18446744073709551616") == nil
        && value("184467440737095516150") == nil)
    func length(_ text: String) -> Int? { MemcachedNumber.length(Array(text.utf8).rawSpan) }
    #expect(length("0") == 0 && length("2147483645") == 2_147_483_645 && length("2147483646") == nil && length("-1") == nil)
  }

  @Test("Replies are lines; values follow theirs")
  func replies() {
    var writer = MemcachedWriter()
    writer.value(Array("k".utf8).rawSpan, flags: 7, Array("ab".utf8).rawSpan, version: nil)
    writer.value(Array("k".utf8).rawSpan, flags: 0, Array("".utf8).rawSpan, version: 9)
    writer.number(12)
    writer.statistic("pid", "1")
    writer.metaValueHead(2)
    writer.flag(UInt8(ascii: "t"), signed: -1)
    writer.flag(UInt8(ascii: "c"), 5)
    writer.flag(UInt8(ascii: "W"))
    writer.endLine()
    writer.error(.badData)
    #expect(
      writer.output.text
        == "VALUE k 7 2\r\nab\r\nVALUE k 0 0 9\r\n\r\n12\r\nSTAT pid 1\r\nVA 2 t-1 c5 W\r\nCLIENT_ERROR bad data chunk\r\n")
  }
}
