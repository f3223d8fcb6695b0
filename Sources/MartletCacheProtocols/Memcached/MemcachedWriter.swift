/// Replies of memcached's text and meta protocols, appended to the output.

public import MartletBytes

@usableFromInline
package struct MemcachedWriter: ~Copyable {
  @usableFromInline package var output: ByteBuffer

  package init(output: consuming ByteBuffer = ByteBuffer()) { self.output = output }

  // MARK: Lines

  @inlinable @inline(__always)
  package mutating func line(_ text: StaticString) { output.append(text) }

  package mutating func error(_ error: MemcachedError) { output.append(error.text.rawSpan) }

  /// A number by itself: what `incr` answers.
  package mutating func number(_ value: UInt64) {
    output.append(decimal: value)
    output.append("\r\n")
  }

  /// A line of `stats`.
  package mutating func statistic(_ name: String, _ value: String) {
    output.append("STAT ")
    output.append(name)
    output.append(ASCII.space)
    output.append(value)
    output.append("\r\n")
  }

  // MARK: Values

  /// An item that was found, up to its data, which the caller appends, and `\r\n`. `version`: of `gets`.
  @inlinable @inline(__always)
  package mutating func valueHead(_ key: RawSpan, flags: UInt32, count: Int, version: UInt64?) {
    output.reserve(64 &+ key.byteCount)
    output.append("VALUE ")
    output.append(key)
    if flags == 0 {
      output.append(" 0 ")
    } else {
      output.append(ASCII.space)
      output.append(decimal: UInt64(flags))
      output.append(ASCII.space)
    }
    output.append(decimal: UInt64(count))
    if let version {
      output.append(ASCII.space)
      output.append(decimal: version)
    }
    output.append("\r\n")
  }

  @inlinable @inline(__always)
  package mutating func value(_ key: RawSpan, flags: UInt32, _ data: RawSpan, version: UInt64?) {
    valueHead(key, flags: flags, count: data.byteCount, version: version)
    output.append(data)
    output.append("\r\n")
  }

  // MARK: Meta

  /// `VA <count>`, or another return code. Flags follow, then `endLine`.
  package mutating func metaValueHead(_ count: Int) {
    output.append("VA ")
    output.append(decimal: count)
  }

  /// A flag without a token.
  package mutating func flag(_ letter: UInt8) {
    output.append(ASCII.space)
    output.append(letter)
  }

  package mutating func flag(_ letter: UInt8, _ value: UInt64) {
    flag(letter)
    output.append(decimal: value)
  }

  package mutating func flag(_ letter: UInt8, signed value: Int64) {
    flag(letter)
    output.append(decimal: value)
  }

  package mutating func flag(_ letter: UInt8, _ token: RawSpan) {
    flag(letter)
    output.append(token)
  }

  /// A flag as it came, its letter included.
  package mutating func flag(word: RawSpan) {
    output.append(ASCII.space)
    output.append(word)
  }

  package mutating func endLine() { output.append("\r\n") }
}
