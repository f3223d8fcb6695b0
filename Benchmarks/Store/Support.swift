// Keys, clocks, memory of the process, and numbers as text: what all parts use.

import MartletBytes
import MartletCache

#if canImport(Glibc)
  import Glibc
#else
  import Darwin
#endif

/// Has another thread give memory back and lay huge pages while `body` runs, as the server's main thread does.
func keepingMemory(in store: CacheStore, _ body: () throws -> Void) rethrows {
  let task = Task.detached {
    while !Task.isCancelled {
      _ = store.memoryStep()
      try? await Task.sleep(for: .milliseconds(5))
    }
  }
  defer { task.cancel() }
  try body()
}

/// A key of 16 bytes for a number, written over and over in one place.
@safe
struct Key: ~Copyable {
  private let words: UnsafeMutablePointer<UInt64>

  init() {
    unsafe words = .allocate(capacity: 2)
    unsafe words.initialize(repeating: 0, count: 2)
  }

  deinit { unsafe words.deallocate() }

  @inline(__always)
  func with<Result: ~Copyable, Failure: Error>(_ number: Int, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
    unsafe words[0] = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    unsafe words[1] = UInt64(number)
    return try body(unsafe RawSpan(_unsafeStart: words, byteCount: 16))
  }

  static func bytes(_ number: Int) -> [UInt8] {
    let key = Key()
    return key.with(number) { span in (0..<16).map { span[$0] } }
  }
}

/// Some keys of 16 bytes, one behind the other, as they stand in a pipeline of requests.
@safe
struct Keys: ~Copyable {
  private let words: UnsafeMutablePointer<UInt64>
  let count: Int

  init(count: Int) {
    unsafe words = .allocate(capacity: 2 * count)
    unsafe words.initialize(repeating: 0, count: 2 * count)
    self.count = count
  }

  deinit { unsafe words.deallocate() }

  @inline(__always) @_lifetime(borrow self)
  func set(_ index: Int, to number: Int) -> RawSpan {
    precondition(index < count, "no such key")
    unsafe words[2 * index] = UInt64(number) &* 0x9E37_79B9_7F4A_7C15
    unsafe words[2 * index + 1] = UInt64(number)
    return self[index]
  }

  @inline(__always)
  subscript(index: Int) -> RawSpan {
    @_lifetime(borrow self)
    get {
      precondition(index < count, "no such key")
      return unsafe _overrideLifetime(RawSpan(_unsafeStart: words + 2 * index, byteCount: 16), borrowing: self)
    }
  }
}

/// Bytes that are always the same.
@safe
struct Bytes: ~Copyable {
  private let start: UnsafeMutablePointer<UInt8>
  let count: Int

  init(count: Int) {
    unsafe start = .allocate(capacity: max(count, 1))
    unsafe start.initialize(repeating: 0x76, count: max(count, 1))
    self.count = count
  }

  deinit { unsafe start.deallocate() }

  @_lifetime(borrow self)
  func prefix(_ count: Int) -> RawSpan {
    let span = unsafe RawSpan(_unsafeStart: start, byteCount: count)
    return unsafe _overrideLifetime(span, borrowing: self)
  }
}

extension UnixTime {
  static let start = UnixTime(milliseconds: 1_750_000_000_000)
}

func makeStore(limit: Int, eviction: CacheStore.EvictionPolicy = .s3fifo) -> CacheStore {
  CacheStore(options: .init(limitBytes: limit, eviction: eviction, versionOrigin: .start, hashSeed: 7))
}

enum Process {
  /// Resident bytes.
  static var residentBytes: Int {
    guard let file = unsafe fopen("/proc/self/statm", "r") else { return 0 }
    defer { unsafe fclose(file) }
    var bytes = [UInt8](repeating: 0, count: 200)
    let count = unsafe fread(&bytes, 1, bytes.count, file)
    let fields = String(decoding: bytes[..<count], as: UTF8.self).split(separator: " ").compactMap { Int($0) }
    return fields.count > 1 ? fields[1] * Int(getpagesize()) : 0
  }

  /// CPU time of this thread, in nanoseconds.
  static var threadNanoseconds: UInt64 {
    var time = timespec()
    unsafe clock_gettime(CLOCK_THREAD_CPUTIME_ID, &time)
    return UInt64(time.tv_sec) * 1_000_000_000 + UInt64(time.tv_nsec)
  }

  static func sleep(nanoseconds: Int) {
    var time = timespec(tv_sec: nanoseconds / 1_000_000_000, tv_nsec: nanoseconds % 1_000_000_000)
    unsafe _ = nanosleep(&time, nil)
  }
}

extension Double {
  /// With `digits` behind the point.
  func text(_ digits: Int = 1) -> String {
    var scale = 1.0
    for _ in 0..<digits { scale *= 10 }
    let whole = Int((self * scale).rounded())
    let sign = whole < 0 ? "-" : ""
    let text = String(whole.magnitude)
    if digits == 0 { return sign + text }
    let padded = String(repeating: "0", count: max(0, digits + 1 - text.count)) + text
    return sign + padded.dropLast(digits) + "." + padded.suffix(digits)
  }
}

func median(_ values: [Double]) -> Double { values.sorted()[values.count / 2] }

/// Keeps a result from being computed for nothing.
@inline(never) @_optimize(none)
func keep(_: UInt64) {}

func check(_ isTrue: Bool, _ what: String) {
  if !isTrue { fatalError("a wrong answer: \(what)") }
}

func line(_ what: String, _ figures: String) {
  StandardStreams.output(what + String(repeating: " ", count: max(1, 58 - what.count)) + figures)
}
