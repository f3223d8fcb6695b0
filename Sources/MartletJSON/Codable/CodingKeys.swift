/// Keys that the coders themselves need: a name, a number, `super`; and Foundation's snake case.

/// A key by its name, or by its place in an array.
struct PathKey: CodingKey, Equatable {
  let stringValue: String
  let intValue: Int?

  init(_ name: String) {
    stringValue = name
    intValue = nil
  }

  init(index: Int) {
    stringValue = "Index \(index)"
    intValue = index
  }

  init(stringValue: String) { self.init(stringValue) }

  init(intValue: Int) {
    stringValue = String(intValue)
    self.intValue = intValue
  }

  static let superKey = PathKey("super")
}

enum SnakeCase {
  /// `myURLProperty` becomes `my_url_property`: a new word begins where a capital follows a small letter, and before the last of
  /// several capitals if a small letter follows. Leading and trailing underscores stay, as does all of a name without capitals.
  static func from(camelCase name: String) -> String {
    let characters = Array(name)
    guard !characters.isEmpty else { return name }
    var words: [ArraySlice<Character>] = []
    var wordStart = 0
    var search = 1
    while let upper = characters[search...].firstIndex(where: isUppercase) {
      words.append(characters[wordStart..<upper])
      guard let lower = characters[upper...].firstIndex(where: isLowercase) else {
        wordStart = upper
        search = characters.count
        break
      }
      if lower == upper + 1 {
        wordStart = upper
      } else {
        // Several capitals in a row: the last of them begins the next word.
        words.append(characters[upper..<lower - 1])
        wordStart = lower - 1
      }
      search = lower
    }
    words.append(characters[wordStart...])
    return words.map { String($0).lowercased() }.joined(separator: "_")
  }

  /// `one_two_three` becomes `oneTwoThree`; underscores at both ends stay.
  static func toCamelCase(_ name: String) -> String {
    guard let first = name.firstIndex(where: { $0 != "_" }), let last = name.lastIndex(where: { $0 != "_" }) else { return name }
    let words = name[first...last].split(separator: "_")
    let joined = words.count == 1 ? String(name[first...last]) : words[0].lowercased() + words.dropFirst().map(capitalized).joined()
    return name[..<first] + joined + name[name.index(after: last)...]
  }

  private static func capitalized(_ word: Substring) -> String {
    word.prefix(1).uppercased() + word.dropFirst().lowercased()
  }

  private static func isUppercase(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy {
      $0.properties.generalCategory == .uppercaseLetter || $0.properties.generalCategory == .titlecaseLetter
    }
  }

  private static func isLowercase(_ character: Character) -> Bool {
    character.unicodeScalars.allSatisfy { $0.properties.generalCategory == .lowercaseLetter }
  }
}
