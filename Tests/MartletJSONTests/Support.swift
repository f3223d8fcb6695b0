/// What several suites of this folder share: bytes from text, seeded randomness, the conformance data.

import MartletBytes
import MartletJSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

/// Lends the UTF-8 bytes of `text`.
func withBytes<Result, Failure: Error>(_ text: String, _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
  try withBytes(Array(text.utf8), body)
}

/// Lends `bytes` from memory of exactly their size, so that the address sanitizer sees any read beyond.
func withBytes<Result, Failure: Error>(_ bytes: [UInt8], _ body: (RawSpan) throws(Failure) -> Result) throws(Failure) -> Result {
  let copy = UnsafeMutableRawBufferPointer.allocate(byteCount: bytes.count, alignment: 1)
  defer { unsafe copy.deallocate() }
  unsafe copy.copyBytes(from: bytes)
  return try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(copy)))
}

/// Lends `bytes` from memory that ends where a page begins that may not be read.
func withBytesBeforeProtectedPage<Result>(_ bytes: [UInt8], _ body: (RawSpan) throws -> Result) throws -> Result {
  let page = Int(getpagesize())
  let size = (bytes.count + page - 1) / page * page
  let memory = unsafe mmap(nil, size + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
  precondition(unsafe memory != MAP_FAILED && mprotect(memory + size, page, PROT_NONE) == 0)
  defer { unsafe _ = munmap(memory, size + page) }
  let region = unsafe UnsafeMutableRawBufferPointer(start: memory + size - bytes.count, count: bytes.count)
  unsafe region.copyBytes(from: bytes)
  return try unsafe body(RawSpan(_unsafeBytes: UnsafeRawBufferPointer(region)))
}

/// Repeatable randomness (SplitMix64); tests name the seed in what they expect.
struct SeededRandom: RandomNumberGenerator {
  var state: UInt64
  init(seed: UInt64) { state = seed }
  mutating func next() -> UInt64 {
    state &+= 0x9E37_79B9_7F4A_7C15
    var z = state
    z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
    z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
    return z ^ (z >> 31)
  }
}

/// A new seed for each run, or the one in MARTLET_SEED to repeat a failure.
let runSeed: UInt64 = environment("MARTLET_SEED").flatMap { UInt64($0) } ?? UInt64.random(in: 0...UInt64.max)

func environment(_ name: String) -> String? {
  unsafe getenv(name).map { unsafe String(cString: $0) }
}

/// The conformance data beside the repository: `MARTLET_SHARED`, else `../shared`. Suites that need it are skipped without it.
enum Shared {
  static let json: String = {
    let root = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(3).joined(separator: "/")
    return (environment("MARTLET_SHARED") ?? root + "/../shared") + "/conformance/json"
  }()

  static var isPresent: Bool { unsafe access(json + "/parsing", R_OK) == 0 }

  static func names(in folder: String) -> [String] {
    guard let directory = unsafe opendir(json + "/" + folder) else { return [] }
    defer { unsafe _ = closedir(directory) }
    var names: [String] = []
    while let entry = unsafe readdir(directory) {
      let name = unsafe withUnsafePointer(to: &entry.pointee.d_name) {
        unsafe String(cString: UnsafeRawPointer($0).assumingMemoryBound(to: CChar.self))
      }
      if name.hasSuffix(".json") { names.append(name) }
    }
    return names.sorted()
  }

  static func bytes(_ path: String) -> [UInt8] {
    readFile(json + "/" + path) ?? []
  }
}

func readFile(_ path: String) -> [UInt8]? {
  guard let file = unsafe fopen(path, "rb") else { return nil }
  defer { unsafe _ = fclose(file) }
  var bytes: [UInt8] = []
  var chunk = [UInt8](repeating: 0, count: 1 << 16)
  while true {
    let count = unsafe fread(&chunk, 1, chunk.count, file)
    if count == 0 { return bytes }
    bytes += chunk[..<count]
  }
}

/// The scanner's verdict: nil if it accepts.
func scanError(_ bytes: [UInt8], depthMax: Int = JSONScanner.depthMaxDefault) -> JSONError? {
  withBytes(bytes) { (text) -> JSONError? in
    do throws(JSONError) {
      try JSONScanner.validate(text, depthMax: depthMax)
      return nil
    } catch {
      return error
    }
  }
}

func scanError(_ text: String, depthMax: Int = JSONScanner.depthMaxDefault) -> JSONError? {
  scanError(Array(text.utf8), depthMax: depthMax)
}
