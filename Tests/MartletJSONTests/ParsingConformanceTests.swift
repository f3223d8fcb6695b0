/// JSONTestSuite on every road: the scanner, the reader, the document model, and jansson's own parser.

import MartletBytes
import Testing

@testable import MartletJSON

@Suite("JSONTestSuite", .enabled(if: Shared.isPresent, "the conformance data is not beside the repository"))
struct ParsingConformanceTests {
  /// The cases that RFC 8259 leaves open, decided once.
  ///
  /// `grammar`: scanner and reader accept it. `tree`: the document model does, too. Numbers of any size are grammar, yet what a tree cannot
  /// keep exactly it refuses. Half surrogate pairs, malformed UTF-8, UTF-16 and byte order marks are refused everywhere. 500 levels are
  /// within our 512.
  static let decided: [String: (grammar: Bool, tree: Bool)] = [
    "i_number_double_huge_neg_exp": (true, false),
    "i_number_huge_exp": (true, false),
    "i_number_neg_int_huge_exp": (true, false),
    "i_number_pos_double_huge_exp": (true, false),
    "i_number_real_neg_overflow": (true, false),
    "i_number_real_pos_overflow": (true, false),
    "i_number_real_underflow": (true, false),
    "i_number_too_big_neg_int": (true, false),
    "i_number_too_big_pos_int": (true, false),
    "i_number_very_big_negative_int": (true, false),
    "i_object_key_lone_2nd_surrogate": (false, false),
    "i_string_1st_surrogate_but_2nd_missing": (false, false),
    "i_string_1st_valid_surrogate_2nd_invalid": (false, false),
    "i_string_UTF-16LE_with_BOM": (false, false),
    "i_string_UTF-8_invalid_sequence": (false, false),
    "i_string_UTF8_surrogate_U+D800": (false, false),
    "i_string_incomplete_surrogate_and_escape_valid": (false, false),
    "i_string_incomplete_surrogate_pair": (false, false),
    "i_string_incomplete_surrogates_escape_valid": (false, false),
    "i_string_invalid_lonely_surrogate": (false, false),
    "i_string_invalid_surrogate": (false, false),
    "i_string_invalid_utf-8": (false, false),
    "i_string_inverted_surrogates_U+1D11E": (false, false),
    "i_string_iso_latin_1": (false, false),
    "i_string_lone_second_surrogate": (false, false),
    "i_string_lone_utf8_continuation_byte": (false, false),
    "i_string_not_in_unicode_range": (false, false),
    "i_string_overlong_sequence_2_bytes": (false, false),
    "i_string_overlong_sequence_6_bytes": (false, false),
    "i_string_overlong_sequence_6_bytes_null": (false, false),
    "i_string_truncated-utf-8": (false, false),
    "i_string_utf16BE_no_BOM": (false, false),
    "i_string_utf16LE_no_BOM": (false, false),
    "i_structure_500_nested_arrays": (true, true),
    "i_structure_UTF-8_BOM_empty_object": (false, false),
  ]

  /// What jansson's own parser does otherwise than the suite wants.
  static let janssonRefuses: Set<String> = [
    "y_object_escaped_null_in_key"  // a NUL in a name
  ]
  static let janssonAccepts: Set<String> = [
    "n_multidigit_number_then_00"  // a NUL behind the value ends its input
  ]

  @Test("Every text is accepted, refused or decided as its name says", arguments: Shared.names(in: "parsing"))
  func parsing(file: String) throws {
    let bytes = Shared.bytes("parsing/" + file)
    let name = String(file.dropLast(5))
    let isRight = file.hasPrefix("y_")
    let decision = file.hasPrefix("i_") ? Self.decided[name] : (isRight, isRight)
    let expected = try #require(decision, "an undecided case")

    let scanned = scanError(bytes)
    #expect((scanned == nil) == expected.grammar, "scanner: \(String(describing: scanned))")
    #expect(readError(bytes) == scanned, "the reader and the scanner differ")
    #expect((scanned?.offset ?? 0) <= bytes.count)
    let protected = try withBytesBeforeProtectedPage(bytes) { text in
      do throws(JSONError) {
        try JSONScanner.validate(text)
        return true
      } catch { return false }
    }
    #expect(protected == expected.grammar)

    let (tree, printed) = scannedRoad(bytes)
    #expect((tree == nil) == expected.tree, "document: \(String(describing: tree))")
    if let tree, expected.grammar { #expect(tree.problem == .inexactNumber) }
    if let printed { #expect(scanError(printed) == nil) }

    if !file.hasPrefix("i_") {
      let loaded = loadedRoad(bytes)
      let accepted = isRight ? !Self.janssonRefuses.contains(name) : Self.janssonAccepts.contains(name)
      #expect((loaded == nil) == accepted, "jansson: \(String(describing: loaded))")
    }
  }

  /// What building a tree by our scanner says, and the text that our writer prints of it.
  private func scannedRoad(_ bytes: [UInt8]) -> (JSONError?, [UInt8]?) {
    do throws(JSONError) {
      return (
        nil,
        try withBytes(bytes) { (text) throws(JSONError) in
          let document = try JanssonDocument(scanning: text)
          var output = ByteBuffer()
          document.write(to: &output)
          return output.copied()
        }
      )
    } catch {
      return (error, nil)
    }
  }

  /// What jansson's own parser and printer say.
  private func loadedRoad(_ bytes: [UInt8]) -> JSONError? {
    do throws(JSONError) {
      try withBytes(bytes) { (text) throws(JSONError) in
        let document = try JanssonDocument(loading: text)
        var output = ByteBuffer()
        document.dump(to: &output)
      }
      return nil
    } catch {
      return error
    }
  }

  @Test("No decision is left over")
  func decisions() {
    let names = Set(Shared.names(in: "parsing").map { String($0.dropLast(5)) })
    #expect(Set(Self.decided.keys).subtracting(names).isEmpty)
    #expect(names.count == 318)
  }
}
