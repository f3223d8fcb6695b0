/// The one place where an error becomes a reply: `application/problem+json` (RFC 9457). Nothing of an unknown error's inside is
/// told to the client.

internal import MartletBytes

extension ResponseWriter {
  /// Drops what was written of this reply and answers with the error instead. Fields set before `head` stay (those of
  /// middleware, CORS for one).
  mutating func problem(_ error: HTTPError) {
    output.truncate(to: start)
    state = .fresh
    isFaulty = false
    if isLater { later = nil }
    if error.closesConnection { persistence = .close }
    head(error.status)
    for line in error.fields { field(line) }
    field("Content-Type", "application/problem+json")
    body { output in
      output.append(#"{"type":"about:blank","title":"#)
      output.append("\"")
      output.append(error.status.reasonPhrase)
      output.append(#"","status":"#)
      output.append(decimal: error.status.rawValue)
      output.append(#","detail":"#)
      output.append(jsonString: error.detail)
      if let offset = error.offset {
        output.append(#","offset":"#)
        output.append(decimal: offset)
      }
      if let pointer = error.pointer {
        output.append(#","pointer":"#)
        output.append(jsonString: pointer)
      }
      if let limit = error.limit {
        output.append(#","limit":"#)
        output.append(decimal: limit)
      }
      output.append("}")
    }
  }

  /// Ends the reply of a handler that has returned.
  @inline(__always)
  mutating func finish() throws {
    if state == .finished && !isFaulty || isLater { return }
    try finishUnfinished()
  }

  private mutating func finishUnfinished() throws {
    if isFaulty { throw HTTPError.unsendable }
    switch state {
    case .fresh: throw HTTPError(.internalServerError, "The server made no reply.")
    case .fields: empty()
    case .chunks: endChunks()
    case .finished: break
    }
  }

  /// A field whose name is not known to the compiler. One that cannot be sent, or that belongs to the session, turns the reply
  /// into a 500.
  mutating func field(_ line: HTTPField) {
    let name = Array(line.name.utf8)
    let value = Array(line.value.utf8)
    let reserved: [StaticString] = ["content-length", "transfer-encoding", "connection", "date"]
    guard !name.isEmpty, name.allSatisfy(ByteClasses.isToken), ResponseWriter.isValidValue(value.rawSpan),
      !reserved.contains(where: { name.rawSpan.equalsIgnoringCase($0) })
    else {
      isFaulty = true
      return
    }
    output.append(name)
    output.append(": ")
    output.append(value)
    output.append("\r\n")
  }
}

extension HTTPError {
  /// A handler set a field that cannot be sent.
  static var unsendable: HTTPError { HTTPError(.internalServerError, "The server made a reply that cannot be sent.") }
}
