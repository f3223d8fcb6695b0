import MartletBytes
import Testing

@testable import MartletHTTP

@Suite("Date field")
struct DateFieldTests {
  @Test("Dates are those of the calendar")
  func dates() {
    // From `date -u -d @… '+%a, %d %b %Y %H:%M:%S GMT'`.
    for (seconds, text) in [
      (0, "Thu, 01 Jan 1970 00:00:00 GMT"), (784_111_777, "Sun, 06 Nov 1994 08:49:37 GMT"), (951_782_400, "Tue, 29 Feb 2000 00:00:00 GMT"),
      (951_868_799, "Tue, 29 Feb 2000 23:59:59 GMT"), (951_868_800, "Wed, 01 Mar 2000 00:00:00 GMT"),
      (1_709_164_800, "Thu, 29 Feb 2024 00:00:00 GMT"),
      (1_735_689_599, "Tue, 31 Dec 2024 23:59:59 GMT"), (4_102_444_800, "Fri, 01 Jan 2100 00:00:00 GMT"),
      (4_107_542_400, "Mon, 01 Mar 2100 00:00:00 GMT"),
    ] {
      var buffer = ByteBuffer()
      buffer.append(httpDate: Int64(seconds))
      #expect(buffer.text == text)
    }
  }

  @Test("The date is rendered again when its second is over, and not before")
  func refresh() {
    let clock = SteadyClock()
    var date = DateField(clock: clock)
    func line(_ date: borrowing DateField) -> String {
      var output = ByteBuffer()
      date.appendLine(to: &output)
      return output.text
    }
    var now = MonotonicTime.now
    for _ in 0..<50 {
      date.refresh(at: now)
      var expected = ByteBuffer()
      expected.append("Date: ")
      expected.append(httpDate: clock.unixTime(at: now).milliseconds / 1000)
      expected.append("\r\n")
      #expect(line(date) == expected.text)
      now = now.advanced(byNanoseconds: 130_000_000)
    }
  }
}
