/// The Date field (RFC 9110 section 5.6.7), rendered once a second per loop, and with it the start of every 200 reply.

package import MartletBytes

package struct DateField: ~Copyable, Sendable {
  /// `HTTP/1.1 200 OK\r\nDate: …\r\n`, ready to be copied.
  private var okHead = ByteBuffer()
  private var validUntil = MonotonicTime(nanoseconds: 0)
  private let clock: SteadyClock

  package init(clock: SteadyClock) {
    self.clock = clock
    render(at: MonotonicTime(nanoseconds: 0))
    validUntil = MonotonicTime(nanoseconds: 0)
  }

  /// Appends the start of a 200 reply.
  @inline(__always)
  func appendOK(to output: inout ByteBuffer) { output.append(okHead, first: Self.okHeadBytes) }

  /// Appends `Date: …\r\n`.
  func appendLine(to output: inout ByteBuffer) { output.append(okHead.bytes[Self.statusLineBytes..<okHead.count]) }

  /// `HTTP/1.1 200 OK\r\n`
  private static var statusLineBytes: Int { 17 }
  /// With the date, which has one length until the year 10000.
  private static var okHeadBytes: Int { statusLineBytes + 37 }

  /// Renders again if the second has changed.
  @inline(__always)
  mutating func refresh(at now: MonotonicTime) {
    if now >= validUntil { render(at: now) }
  }

  private mutating func render(at now: MonotonicTime) {
    let milliseconds = clock.unixTime(at: now).milliseconds
    let seconds = max(milliseconds, 0) / 1000
    let rest = 1000 - max(milliseconds, 0) % 1000
    validUntil = now.advanced(byNanoseconds: UInt64(rest) * 1_000_000)
    okHead.removeAll()
    okHead.append("HTTP/1.1 200 OK\r\nDate: ")
    okHead.append(httpDate: seconds)
    okHead.append("\r\n")
    precondition(okHead.count == Self.okHeadBytes, "a date of another length")
  }
}

extension ByteBuffer {
  /// Appends a point in Unix time (seconds, from 0) as an HTTP date: `Sun, 06 Nov 1994 08:49:37 GMT`.
  package mutating func append(httpDate seconds: Int64) {
    let days = seconds / 86400
    let (year, month, day) = Self.civilDate(daysSince1970: days)
    append(Self.name(Int((days + 4) % 7), of: "SunMonTueWedThuFriSat"))
    append(", ")
    append(twoDigits: day)
    append(UInt8(ascii: " "))
    append(Self.name(month - 1, of: "JanFebMarAprMayJunJulAugSepOctNovDec"))
    append(UInt8(ascii: " "))
    append(twoDigits: year / 100)
    append(twoDigits: year % 100)
    append(UInt8(ascii: " "))
    append(twoDigits: Int(seconds % 86400 / 3600))
    append(UInt8(ascii: ":"))
    append(twoDigits: Int(seconds % 3600 / 60))
    append(UInt8(ascii: ":"))
    append(twoDigits: Int(seconds % 60))
    append(" GMT")
  }

  private mutating func append(twoDigits value: Int) {
    append(UInt8(ascii: "0") + UInt8(value / 10 % 10))
    append(UInt8(ascii: "0") + UInt8(value % 10))
  }

  private static func name(_ index: Int, of names: String) -> [UInt8] { Array(names.utf8.dropFirst(index * 3).prefix(3)) }

  /// Proleptic Gregorian calendar, from March so that the leap day comes last in its year.
  private static func civilDate(daysSince1970: Int64) -> (year: Int, month: Int, day: Int) {
    let shifted = daysSince1970 + 719_468
    let era = shifted / 146_097
    let dayOfEra = shifted % 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    return (Int(year), Int(month), Int(dayOfYear - (153 * marchMonth + 2) / 5 + 1))
  }
}
