/// A number of bytes as a person writes it: `1000000`, `512KiB`, `512MiB`, `2GiB`.

public struct ByteSize: Hashable, Comparable, Sendable {
  public var bytes: Int

  public init(bytes: Int) { self.bytes = bytes }

  public static func kibibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 10) }
  public static func mebibytes(_ count: Int) -> ByteSize { ByteSize(bytes: count << 20) }

  /// nil if `text` is no whole number with one of the units (or none: bytes), or beyond the largest Int.
  public init?(_ text: String) {
    let digits = text.prefix { $0.isASCII && $0.isNumber }
    guard let count = Int(digits), let factor = Self.units[text.dropFirst(digits.count).lowercased()] else { return nil }
    let (bytes, overflow) = count.multipliedReportingOverflow(by: factor)
    guard !overflow else { return nil }
    self.bytes = bytes
  }

  private static let units = ["": 1, "b": 1, "kib": 1 << 10, "mib": 1 << 20, "gib": 1 << 30, "tib": 1 << 40]

  public static func < (left: ByteSize, right: ByteSize) -> Bool { left.bytes < right.bytes }
}

extension ByteSize: CustomStringConvertible {
  /// The largest unit that says it in a whole number: `64MiB`.
  public var description: String {
    for (unit, shift) in [("GiB", 30), ("MiB", 20), ("KiB", 10)] where bytes != 0 && bytes & ((1 << shift) - 1) == 0 {
      return "\(bytes >> shift)\(unit)"
    }
    return "\(bytes)"
  }
}
