/// Pointers to what an error is about: from a coding path, or from a byte offset.

import MartletBytes

extension JSONPointer {
  /// The text of the pointer that follows `path`: names, and places in arrays.
  public static func text(of path: [any CodingKey]) -> String {
    path.map { key in
      // As containers name places in arrays; an enumeration of keys may have numbers of its own.
      if let index = key.intValue, key.stringValue == "Index \(index)" { return "/\(index)" }
      var token = "/"
      for character in key.stringValue.unicodeScalars {
        switch character {
        case "~": token += "~0"
        case "/": token += "~1"
        default: token.unicodeScalars.append(character)
        }
      }
      return token
    }.joined()
  }

  /// The text of the pointer to the innermost value of `json` that the byte at `offset` belongs to; of a text that is not JSON, as far as
  /// it was read. A pass over the text: for errors.
  public static func text(ofByteAt offset: Int, in json: RawSpan) -> String {
    let tape = JSONTape(json, options: MartletJSON.Decoder())
    defer { tape.close() }
    if tape.failure != nil { return text(of: tape.pathOfFailure) }
    return text(of: tape.path(ofByteAt: offset, in: json))
  }
}

extension JSONTape {
  /// The keys that lead to the innermost value that the byte at `offset` of `text`, the one of this tape, belongs to.
  func path(ofByteAt offset: Int, in text: RawSpan) -> [any CodingKey] {
    var last = JSONTape.root
    while last + 1 < absent, Int(token(last + 1).start) <= offset { last += 1 }
    let token = token(last)
    // A name belongs to its value.
    var path = path(to: token.kind == .name ? last + 1 : last)
    // Closing brackets behind that value lead out of it, the one at the offset belongs to what it closes.
    var isInside = token.kind == .object || token.kind == .array
    var place = isInside ? Int(token.start) + 1 : Int(token.start) + Int(token.length)
    while place <= offset, place < text.byteCount {
      if text[place] == UInt8(ascii: "}") || text[place] == UInt8(ascii: "]") {
        if isInside { isInside = false } else { _ = path.popLast() }
      }
      place += 1
    }
    return path
  }
}
