/// Bytes that end where a page without any permission begins: a read past the end is a crash, not a guess.

import MartletBytes

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@safe
final class GuardedBytes {
  private let base: UnsafeMutableRawPointer
  private let mapped: Int
  private let start: Int
  private let count: Int

  init(_ bytes: some Collection<UInt8>) {
    let page = Int(sysconf(Int32(_SC_PAGESIZE)))
    count = bytes.count
    let usable = max((count + page - 1) / page, 1) * page
    mapped = usable + page
    unsafe base = mmap(nil, mapped, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)!
    start = usable - count
    for (offset, byte) in bytes.enumerated() { unsafe base.storeBytes(of: byte, toByteOffset: start + offset, as: UInt8.self) }
    unsafe precondition(mprotect(base + usable, page, PROT_NONE) == 0)
  }

  deinit { unsafe munmap(base, mapped) }

  func withSpan(_ body: (RawSpan) -> Void) {
    let bytes = unsafe UnsafeRawBufferPointer(start: base + start, count: count)
    let span = unsafe RawSpan(_unsafeBytes: bytes)
    body(span)
  }
}
