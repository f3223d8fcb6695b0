/// `LCS key1 key2 [LEN] [IDX] [MINMATCHLEN length] [WITHMATCHLEN]`: the longest common subsequence of two values.
///
/// Time and memory are the product of both lengths. So it is done on copies, once the shards are unlocked; within a transaction they
/// are not, as the result belongs to that moment.

internal import MartletBytes
internal import MartletCache
internal import MartletCacheProtocols

struct LongestCommonSubsequence {
  struct Options {
    var wantsLength = false
    var wantsRanges = false
    var wantsRangeLengths = false
    var rangeLengthMin = 0
  }

  /// A run that both strings have.
  private struct Match {
    var first: Range<Int>
    var second: Range<Int>
  }

  let first: [UInt8]
  let second: [UInt8]
  let options: Options

  func write(to writer: inout RESPWriter) {
    let width = second.count + 1
    // table[i * width + j]: of the first i bytes and the first j bytes.
    var table = [UInt32](repeating: 0, count: (first.count + 1) * width)
    for i in 1..<(first.count + 1) {
      for j in 1..<width {
        let above = table[(i &- 1) &* width &+ j]
        let before = table[i &* width &+ j &- 1]
        table[i &* width &+ j] =
          first[i &- 1] == second[j &- 1] ? table[(i &- 1) &* width &+ j &- 1] &+ 1 : max(above, before)
      }
    }
    let length = Int(table[table.count - 1])
    if options.wantsLength, !options.wantsRanges { return writer.integer(length) }
    let (text, matches) = walkBack(table, length: length)
    if !options.wantsRanges { return writer.bulk(text.rawSpan) }
    write(matches.filter { $0.first.count >= options.rangeLengthMin }, length: length, to: &writer)
  }

  /// From the end of the table to its beginning: the subsequence, and its runs, the last one first.
  private func walkBack(_ table: [UInt32], length: Int) -> ([UInt8], [Match]) {
    let width = second.count + 1
    var text = [UInt8](repeating: 0, count: length)
    var matches: [Match] = []
    var (i, j, left) = (first.count, second.count, length)
    while i > 0, j > 0, left > 0 {
      if first[i - 1] == second[j - 1] {
        (i, j, left) = (i - 1, j - 1, left - 1)
        text[left] = first[i]
        if let last = matches.last, last.first.lowerBound == i + 1, last.second.lowerBound == j + 1 {
          matches[matches.count - 1] = Match(first: i..<last.first.upperBound, second: j..<last.second.upperBound)
        } else {
          matches.append(Match(first: i..<(i + 1), second: j..<(j + 1)))
        }
      } else if table[(i - 1) * width + j] > table[i * width + j - 1] {
        i -= 1
      } else {
        j -= 1
      }
    }
    return (text, matches)
  }

  private func write(_ matches: [Match], length: Int, to writer: inout RESPWriter) {
    writer.map(2)
    writer.bulk("matches")
    writer.array(matches.count)
    for match in matches {
      writer.array(options.wantsRangeLengths ? 3 : 2)
      for range in [match.first, match.second] {
        writer.array(2)
        writer.integer(range.lowerBound)
        writer.integer(range.upperBound - 1)
      }
      if options.wantsRangeLengths { writer.integer(match.first.count) }
    }
    writer.bulk("len")
    writer.integer(length)
  }
}

extension CommandExecution {
  mutating func lcs(_ args: borrowing RESPArguments, _ shards: inout LockedShards) throws(CommandError) {
    let options = try lcsOptions(args)
    let counts = [1, 2].map { index in
      (shards.peek(args[index], database: database, at: now) { $0.value.byteCount } ?? 0) + 1
    }
    guard counts[0] * counts[1] * MemoryLayout<UInt32>.size <= store.valueBytesMax else {
      throw CommandError("ERR Insufficient memory, transient memory for LCS exceeds proto-max-bulk-len")
    }
    let first = shards.get(args[1], database: database, at: now) { $0.value.copied() } ?? []
    let second = shards.get(args[2], database: database, at: now) { $0.value.copied() } ?? []
    try leave(.subsequence(LongestCommonSubsequence(first: first, second: second, options: options)))
  }

  private func lcsOptions(_ args: borrowing RESPArguments) throws(CommandError) -> LongestCommonSubsequence.Options {
    var options = LongestCommonSubsequence.Options()
    var index = 3
    while index < args.count {
      if args[index].equalsIgnoringCase("idx") {
        options.wantsRanges = true
      } else if args[index].equalsIgnoringCase("len") {
        options.wantsLength = true
      } else if args[index].equalsIgnoringCase("withmatchlen") {
        options.wantsRangeLengths = true
      } else if args[index].equalsIgnoringCase("minmatchlen"), index + 1 < args.count {
        options.rangeLengthMin = Int(max(try Self.integer(args[index + 1]), 0))
        index += 1
      } else {
        throw .syntax
      }
      index += 1
    }
    if options.wantsRanges, options.wantsLength {
      throw CommandError("ERR If you want both the length and indexes, please just use IDX.")
    }
    return options
  }
}
