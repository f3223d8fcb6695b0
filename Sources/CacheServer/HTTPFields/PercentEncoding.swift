/// Keys as they stand in a route: percent-encoded (RFC 3986 section 2.1) but for unreserved characters.

internal import MartletBytes

extension ByteBuffer {
  mutating func append(percentEncoding key: RawSpan) {
    for index in 0..<key.byteCount {
      let byte = key[index]
      if Self.isUnreserved(byte) {
        append(byte)
      } else {
        append(UInt8(ascii: "%"))
        append(ASCII.hexDigit(byte >> 4))
        append(ASCII.hexDigit(byte & 15))
      }
    }
  }

  private static func isUnreserved(_ byte: UInt8) -> Bool {
    switch byte {
    case UInt8(ascii: "a")...UInt8(ascii: "z"), UInt8(ascii: "A")...UInt8(ascii: "Z"), UInt8(ascii: "0")...UInt8(ascii: "9"): true
    case UInt8(ascii: "-"), UInt8(ascii: "."), UInt8(ascii: "_"), UInt8(ascii: "~"): true
    default: false
    }
  }
}
