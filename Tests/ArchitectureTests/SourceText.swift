// Swift source with comments and string literals blanked, cut into lines and words: enough to see imports and keywords.
//
// Not a Swift parser. It knows nested block comments, single-line, multi-line and raw strings, and treats what is interpolated in a
// string as part of the string: a keyword hidden in an interpolation is missed.

struct SourceText {
  /// The code of each line, comments and literals replaced by a space.
  let codeLines: [String]
  /// The comments of each line, for markers that stand in them.
  let commentLines: [String]

  init(_ text: String) {
    var code = [""]
    var comments = [""]
    var rest = Array(text.unicodeScalars)[...]

    func starts(_ prefix: String, at start: ArraySlice<Unicode.Scalar>) -> Bool {
      start.starts(with: prefix.unicodeScalars)
    }
    /// Moves `count` scalars away, keeping line breaks in step; `into` says where the others go.
    func take(_ count: Int, comment: Bool? = nil) {
      for scalar in rest.prefix(count) {
        if scalar == "\n" {
          code.append("")
          comments.append("")
        } else if comment == true {
          comments[comments.count - 1].unicodeScalars.append(scalar)
        } else if comment == false {
          code[code.count - 1].unicodeScalars.append(scalar)
        }
      }
      rest = rest.dropFirst(count)
    }

    while let next = rest.first {
      if starts("//", at: rest) {
        take(rest.firstIndex(of: "\n").map { $0 - rest.startIndex } ?? rest.count, comment: true)
      } else if starts("/*", at: rest) {
        var depth = 0
        repeat {
          if starts("/*", at: rest) {
            depth += 1
            take(2)
          } else if starts("*/", at: rest) {
            depth -= 1
            take(2)
          } else {
            take(1, comment: true)
          }
        } while depth > 0 && !rest.isEmpty
        code[code.count - 1] += " "
      } else if next == "\"" || (next == "#" && starts("\"", at: rest.drop { $0 == "#" })) {
        let pounds = String(repeating: "#", count: rest.prefix { $0 == "#" }.count)
        take(pounds.count)
        let quote = starts("\"\"\"", at: rest) ? "\"\"\"" : "\""
        take(quote.count)
        while !rest.isEmpty, !starts(quote + pounds, at: rest) {
          if quote == "\"", rest.first == "\n" { break }  // not closed on its line: not a string of Swift
          take(starts("\\" + pounds, at: rest) ? pounds.count + 2 : 1)
        }
        take(quote.count + pounds.count)
        code[code.count - 1] += " "
      } else {
        take(1, comment: false)
      }
    }
    codeLines = code
    commentLines = comments
  }

  /// Modules imported, with the line (from 1) of each: `package import X`, `import struct X.Y`, `@testable import X`.
  var imports: [(module: String, line: Int)] {
    codeLines.enumerated().flatMap { index, line in
      line.split(separator: ";").compactMap { statement -> (module: String, line: Int)? in
        let words = statement.split { $0 == " " || $0 == "\t" }.map(String.init)
        guard let at = words.firstIndex(of: "import"), at + 1 < words.count else { return nil }
        let modifiers = words[..<at]
        guard modifiers.allSatisfy({ importModifiers.contains($0) || $0.hasPrefix("@") }) else { return nil }
        let kinds: Set<String> = ["struct", "class", "enum", "protocol", "typealias", "func", "let", "var", "actor"]
        let name = words[(at + 1)...].first { !kinds.contains($0) } ?? ""
        return (String(name.split(separator: ".").first ?? ""), index + 1)
      }
    }
  }

  /// Lines (from 1) whose code holds `word` as a whole word.
  func lines(withCode word: String) -> [Int] {
    codeLines.indices.filter { words(of: codeLines[$0]).contains(word) }.map { $0 + 1 }
  }

  /// Lines (from 1) with one of the words in code or comment.
  func lines(withMarkers markers: Set<String>) -> [Int] {
    codeLines.indices.filter { index in
      !markers.isDisjoint(with: words(of: codeLines[index]) + words(of: commentLines[index]))
    }.map { $0 + 1 }
  }
}

private let importModifiers: Set<String> = ["public", "package", "internal", "fileprivate", "private"]

private func words(of line: String) -> [String] {
  line.split { !($0.isLetter || $0.isNumber || $0 == "_") }.map(String.init)
}
