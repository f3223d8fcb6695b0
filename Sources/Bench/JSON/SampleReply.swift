/// The small reply: `{"message":"Hello, World!"}`. What is measured here is what a coder costs before it has done anything.

public import MartletJSON

public struct SampleReply: JSONBenchValue {
  var message = "Hello, World!"

  init() {}
}

extension SampleReply: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) {
    json.beginObject()
    json.member("message", message)
    json.endObject()
  }

  public init(from json: inout JSONReader) throws {
    var message: String?
    try json.beginObject()
    while let member = try json.nextName() {
      switch member {
      case "message": message = try json.read()
      default: try json.skip()
      }
    }
    self.message = try json.require(message, "message")
  }
}
