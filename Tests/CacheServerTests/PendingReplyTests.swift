import MartletBytes
import MartletCache
import Testing

@testable import CacheServer

@Suite("Replies with large values")
struct PendingReplyTests {
  private let store = CacheStore(options: .init(limitBytes: 64 << 20, shardCount: 1, versionOrigin: UnixTime(milliseconds: 1)))
  private let now = UnixTime(milliseconds: 1)

  private func value(_ text: String) throws -> SharedValue {
    let key: StaticString = "key"
    _ = try store.put(key.rawSpan, Array(text.utf8).rawSpan, at: now)
    return try #require(
      store.withLockedShards(of: store.shards(of: key.rawSpan)) { shards in shards.share(key.rawSpan, database: 0, of: store, at: now) })
  }

  /// The reply as it comes, for an output of so many bytes.
  private func portions(_ text: String, _ pieces: [LargePiece], of bytesMax: Int) -> [String] {
    var output = ByteBuffer()
    output.append(text)
    var portions: [String] = []
    var reply = PendingReply(takingFrom: &output, pieces)
    while true {
      let isDone = reply.pour(into: &output, upTo: bytesMax)
      portions.append(output.text)
      output.removeAll()
      if isDone { return portions }
    }
  }

  @Test("Values come in their places, whatever the portions")
  func portions() throws {
    let pieces = [
      LargePiece(offset: 3, value: try value("ABCDEF"), range: 0..<6, tail: []),
      LargePiece(offset: 3, value: try value("GHIJ"), range: 1..<3, tail: [0x2B, 0x2B]),
      LargePiece(offset: 6, value: try value("KL"), range: 0..<2, tail: []),
    ]
    for bytesMax in 1..<30 {
      let portions = portions("abcdefghi", pieces, of: bytesMax)
      #expect(portions.joined() == "abcABCDEFHI++defKLghi")
      // What stood in the output before is not taken back; a tail is not cut.
      #expect(portions.dropFirst().allSatisfy { $0.utf8.count <= bytesMax + 2 })
    }
  }
}
