/// `Encodable` values through a jansson tree: the C-backed road, to be compared with `MartletJSON.Encoder`.
///
///     let bytes = try JanssonEncoder().encode(order)
///
/// The same types, the same options, the same errors; a tree is built and then printed. By jansson itself (`.jansson`), whose limits are:
/// - integers beyond Int64, and decimals that no double keeps, are refused (`.inexactNumber`);
/// - reals have 17 digits and always a fraction: 0.1 is `0.10000000000000001`, 1.0 is `1.0`, 1e100 is `1e100`; a `Float` is the double that it is.
///
/// Or by our writer (`.writer`): then numbers are exact and the text is, byte for byte, the one of `MartletJSON.Encoder`. One difference stays on both: of a
/// key that a container encodes twice, the last value stands in the place of the first. Names with NUL are written, though jansson's own
/// parser does not read them.

public import MartletBytes

public struct JanssonEncoder: Sendable {
  public enum Printer: Sendable {
    /// `json_dump_callback`, compact.
    case jansson
    /// `JSONWriter`, over the same tree.
    case writer
  }

  /// Formatting (a pass behind either printer), strategies, user information.
  public var options: MartletJSON.Encoder
  public var printer: Printer

  public init(_ options: MartletJSON.Encoder = MartletJSON.Encoder(), printer: Printer = .jansson) {
    self.options = options
    self.printer = printer
  }

  /// The JSON text of `value`.
  public func encode(_ value: some Encodable) throws -> [UInt8] {
    var output = ByteBuffer()
    try encode(value, into: &output)
    return output.copied()
  }

  /// Appends the JSON text of `value`; if it throws, the buffer is as before.
  public func encode<Value: Encodable>(_ value: Value, into output: inout ByteBuffer) throws {
    let start = output.count
    let tree = JanssonTreeEncoding(self)
    try tree.encodeRoot(value)
    switch printer {
    case .jansson: tree.root.cell.dump(to: &output)
    case .writer: JSONWriter.append(to: &output) { writer in tree.root.cell.write(to: &writer) }
    }
    options.layOut(&output, from: start)
  }
}
