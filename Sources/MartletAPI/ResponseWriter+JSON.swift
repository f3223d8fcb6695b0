/// JSON replies: where MartletHTTP and MartletJSON, which do not know each other, meet.

public import MartletHTTP
public import MartletJSON

extension ResponseWriter {
  /// The body as JSON, written straight into the output, with its Content-Type. After `head` and other fields; if `build` throws,
  /// the reply becomes that error.
  @inlinable
  public mutating func json(_ build: (inout JSONWriter) throws -> Void) throws {
    field("Content-Type", "application/json" as StaticString)
    try body { output in try JSONWriter.append(to: &output, build) }
  }
}
