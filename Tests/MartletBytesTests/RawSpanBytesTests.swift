import MartletBytes
import Testing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite("Borrowed bytes")
struct RawSpanBytesTests {
  func span<Result>(_ text: String, _ body: (RawSpan) -> Result) -> Result { body(Array(text.utf8).rawSpan) }

  @Test("Comparison is by content and length")
  func equality() {
    #expect(span("abc") { a in span("abc") { a.equals($0) } })
    #expect(!span("abc") { a in span("abd") { a.equals($0) } })
    #expect(!span("abc") { a in span("ab") { a.equals($0) } })
    #expect(span("Content-LENGTH") { $0.equalsIgnoringCase("content-length") })
    #expect(!span("content-lengtH ") { $0.equalsIgnoringCase("content-length") })
    #expect(!span("a[c") { $0.equalsIgnoringCase("a{c") })
  }

  @Test(
    "Secrets are equal only when every byte is",
    arguments: [
      ("", "", true), ("a", "", false), ("", "a", false), ("abc", "abc", true), ("abc", "abd", false), ("abc", "abcabc", false),
      ("abcabc", "abc", false),
    ])
  func constantTime(left: String, right: String, equal: Bool) {
    #expect(span(left) { a in span(right) { a.equalsInConstantTime($0) } } == equal)
  }

  @Test(
    "Blanks at the ends are left out, others stay", arguments: [("", ""), (" \t ", ""), ("a", "a"), (" a b\t", "a b"), ("\ra ", "\ra")])
  func trims(text: String, trimmed: String) {
    #expect(span(text) { $0.trimmed.text } == trimmed)
  }

  @Test("A byte is found from where one asks")
  func finds() {
    #expect(span("a,b,c") { $0.firstIndex(of: UInt8(ascii: ",")) } == 1)
    #expect(span("a,b,c") { $0.firstIndex(of: UInt8(ascii: ","), from: 2) } == 3)
    #expect(span("a,b,c") { $0.firstIndex(of: UInt8(ascii: ";")) } == nil)
    #expect(span("") { $0.firstIndex(of: 0) } == nil)
  }
}

@Suite("Clocks")
struct TimeTests {
  @Test("Times saturate instead of wrapping")
  func saturates() {
    #expect(MonotonicTime(nanoseconds: 5).advanced(byNanoseconds: .max) == .never)
    #expect(MonotonicTime.never.advanced(bySeconds: 1) == .never)
    #expect(MonotonicTime(nanoseconds: 5).advanced(bySeconds: -1) == MonotonicTime(nanoseconds: 5))
    #expect(UnixTime(milliseconds: 5).advanced(byMilliseconds: .max) == .never)
    #expect(MonotonicTime(nanoseconds: 5).nanoseconds(since: MonotonicTime(nanoseconds: 9)) == 0)
  }

  @Test("A steady clock advances exactly as the monotonic clock does")
  func steady() {
    let clock = SteadyClock()
    let now = MonotonicTime.now
    let start = clock.unixTime(at: now)
    #expect(clock.unixTime(at: now.advanced(bySeconds: 3600)).milliseconds - start.milliseconds == 3_600_000)
    #expect(start.milliseconds > 1_700_000_000_000)
  }
}

@Suite struct ProcessCPUTests {
  #if os(Linux)
    @Test("The CPU time of a process is told by its number: ours is what we read ourselves")
    func ours() throws {
      let before = MonotonicTime.processCPUNanoseconds
      let told = try #require(MonotonicTime.processCPUNanoseconds(of: getpid()))
      #expect(told >= before && told <= MonotonicTime.processCPUNanoseconds)
    }
  #endif

  @Test("A process that is not there uses nothing", arguments: [0, -1, Int32.max])
  func none(process: Int32) {
    #expect(MonotonicTime.processCPUNanoseconds(of: process) == nil)
  }
}

@Suite("LatencyHistogram")
struct LatencyHistogramTests {
  @Test("What was recorded since is what is left when what was there before is taken away")
  func subtraction() {
    var before = LatencyHistogram()
    before.record(nanoseconds: 10)
    var after = before
    after.record(nanoseconds: 5000, times: 3)
    after.subtract(before)
    #expect(after.count == 3 && after.nanosecondsTotal == 15_000)
    before.subtract(after)
    #expect(before.count == 1 && before.nanosecondsTotal == 0)
  }

  @Test("A duration falls into the first bucket whose bound it does not exceed")
  func buckets() throws {
    for nanoseconds: UInt64 in [0, 1, 1023, 1024, 1025, 2048, 2049, 1_000_000, 1 << 34, (1 << 34) + 1, .max] {
      let index = LatencyHistogram.bucket(nanoseconds: nanoseconds)
      let seconds = Double(nanoseconds) / 1e9
      if let bound = LatencyHistogram.boundSeconds(index) {
        #expect(seconds <= bound)
      } else {
        #expect(index == LatencyHistogram.bucketCount - 1)
      }
      if index > 0 { #expect(seconds > (try #require(LatencyHistogram.boundSeconds(index - 1)))) }
    }
  }

  @Test("Histograms add up")
  func adds() {
    var left = LatencyHistogram()
    var right = LatencyHistogram()
    left.record(nanoseconds: 2000)
    right.record(nanoseconds: 2000)
    right.record(nanoseconds: 5)
    left.add(right)
    #expect(left.count == 3)
    #expect(left.nanosecondsTotal == 4005)
  }
}

@Suite struct SmallFileTests {
  @Test("A folder is made with those above it, files in it are written, read, named, and removed with it")
  func folders() throws {
    let folder = try #require(Folder.makeTemporary())
    #expect(Folder.make(folder + "/a/b") && Folder.make(folder + "/a/b/"))
    #expect(SmallFile.write("one", to: folder + "/a/2") && SmallFile.write("two", to: folder + "/a/2"))
    #expect(SmallFile.write("", to: folder + "/a/1"))
    #expect(Folder.names(folder + "/a") == ["1", "2", "b"])
    #expect(Folder.entryCount(folder + "/a") == 3)
    #expect(SmallFile.read(folder + "/a/2")?.text == "two")
    #expect(!SmallFile.isExecutable(folder + "/a/2") && SmallFile.isExecutable("/bin/sh"))
    #expect(!SmallFile.write("x", to: folder) && !Folder.make(folder + "/a/2/c"))
    Folder.remove(folder)
    #expect(Folder.names(folder) == nil && SmallFile.read(folder + "/a/2") == nil)
  }
}
