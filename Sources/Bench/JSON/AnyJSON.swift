/// Any JSON value, for files: their shape is not known, so a coder is asked what stands there, kind by kind.
///
/// With `Codable` that is a question that most of the time is answered by an error, on all roads alike. The fast lane can look first.

import MartletJSON

indirect enum AnyJSON: JSONBenchValue {
  case null
  case boolean(Bool)
  case integer(Int64)
  case real(Double)
  case string(String)
  case list([AnyJSON])
  case members([String: AnyJSON])

  init(from decoder: any Decoder) throws {
    let value = try decoder.singleValueContainer()
    if let string = try? value.decode(String.self) {
      self = .string(string)
    } else if let integer = try? value.decode(Int64.self) {
      self = .integer(integer)
    } else if let members = try? value.decode([String: AnyJSON].self) {
      self = .members(members)
    } else if let list = try? value.decode([AnyJSON].self) {
      self = .list(list)
    } else if let real = try? value.decode(Double.self) {
      self = .real(real)
    } else if let boolean = try? value.decode(Bool.self) {
      self = .boolean(boolean)
    } else if value.decodeNil() {
      self = .null
    } else {
      throw DecodingError.dataCorruptedError(in: value, debugDescription: "A number that no type here holds.")
    }
  }

  func encode(to encoder: any Encoder) throws {
    var value = encoder.singleValueContainer()
    switch self {
    case .null: try value.encodeNil()
    case .boolean(let boolean): try value.encode(boolean)
    case .integer(let integer): try value.encode(integer)
    case .real(let real): try value.encode(real)
    case .string(let string): try value.encode(string)
    case .list(let list): try value.encode(list)
    case .members(let members): try value.encode(members)
    }
  }
}

extension AnyJSON: JSONEncodable, JSONDecodable {
  func encode(to json: inout JSONWriter) throws {
    switch self {
    case .null: json.null()
    case .boolean(let boolean): json.bool(boolean)
    case .integer(let integer): json.integer(integer)
    case .real(let real): try json.double(real)
    case .string(let string): json.string(string)
    case .list(let list): try list.encode(to: &json)
    case .members(let members): try members.encode(to: &json)
    }
  }

  init(from json: inout JSONReader) throws {
    switch try json.peek() {
    case .object: self = .members(try json.read())
    case .array: self = .list(try json.read())
    case .string: self = .string(try json.read())
    case .number: self = try AnyJSON.number(&json)
    case .boolean: self = .boolean(try json.read())
    case .null:
      try json.readNull()
      self = .null
    }
  }

  /// As the coders read it: an integer however it is written, else the nearest double.
  private static func number(_ json: inout JSONReader) throws -> AnyJSON {
    let text = try json.readNumberText()
    if let integer = Int64(text) { return .integer(integer) }
    guard let real = Double(text), real.isFinite else { throw JSONError(offset: json.offset, problem: .outOfRange) }
    return Int64(exactly: real).map { .integer($0) } ?? .real(real)
  }
}
