/// The configuration file: one JSON object whose keys are the long option names.

internal import MartletBytes
internal import MartletJSON

extension RawSettings {
  /// Offers what the file at `path` says. Values are strings, or numbers and booleans where that is what they mean.
  mutating func offer(file path: String, namedBy place: String) throws(UsageError) {
    guard let content = SmallFile.read(path) else {
      throw UsageError("\(place): cannot read '\(path)' (at most \(SmallFile.bytesMax) bytes); name a readable file")
    }
    let source = SettingSource.file(path: path)
    let members: [(key: String, text: String?)]
    do { members = try Self.members(of: content.bytes) } catch {
      throw UsageError("\(path): \(error.problem) at byte \(error.offset); write one JSON object, {\"http\": \"127.0.0.1:8080\"}")
    }
    var given: Set<Setting> = []
    for (key, text) in members {
      guard let setting = Setting(rawValue: key), setting != .config else { throw unknown(key, in: path) }
      guard given.insert(setting).inserted else { throw UsageError("\(path): \"\(key)\" is given twice; keep one") }
      guard let text else { throw UsageError("\(path): \"\(key)\" is neither text nor a number nor true or false; write one of these") }
      offer(text, for: setting, from: source)
    }
  }

  /// The members of the object in order, numbers and booleans as they are written; nil for a value of another kind.
  private static func members(of content: RawSpan) throws(JSONError) -> [(key: String, text: String?)] {
    var reader = JSONReader(content)
    var members: [(key: String, text: String?)] = []
    try reader.beginObject()
    while let key = try reader.nextKey() {
      switch try reader.peek() {
      case .string: members.append((key, try reader.readString()))
      case .number, .boolean: members.append((key, content[try reader.skipValue()].text))
      case .null, .array, .object:
        members.append((key, nil))
        _ = try reader.skipValue()
      }
    }
    try reader.end()
    return members
  }

  private func unknown(_ key: String, in path: String) -> UsageError {
    let names = Setting.allCases.filter { $0 != .config }.map(\.rawValue).joined(separator: ", ")
    return UsageError("\(path): \"\(key)\" is not a setting; the settings are \(names)")
  }
}
