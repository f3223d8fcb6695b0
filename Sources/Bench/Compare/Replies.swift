/// Whether two servers have answered the same: as JSON values, for members may stand in any order and numbers be written in several ways.

import MartletBytes
import MartletJSON

enum Replies {
  /// Throws what differs, in the words of a report.
  static func requireSame(_ reply: [UInt8], as other: [UInt8], of name: String) throws(BenchError) {
    if reply == other { return }
    guard let (one, two) = values(reply, other), one == two else {
      throw .failure("it answers otherwise than \(name): \(excerpt(reply)) instead of \(excerpt(other))")
    }
  }

  private static func values(_ one: [UInt8], _ two: [UInt8]) -> (AnyJSON, AnyJSON)? {
    do { return (try AnyJSON(json: one.rawSpan), try AnyJSON(json: two.rawSpan)) } catch { return nil }
  }

  private static func excerpt(_ bytes: [UInt8]) -> String {
    String(decoding: bytes.prefix(100), as: UTF8.self) + (bytes.count > 100 ? "…" : "")
  }
}
