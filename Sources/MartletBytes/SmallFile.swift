/// Reads a small file whole: a configuration, a token, a page of /proc.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum SmallFile {
  /// The largest file taken unless the caller says otherwise, in bytes.
  package static let bytesMax = 1 << 20

  /// The file's bytes; nil if it cannot be read or is larger than `bytesMax`. Blocks; for start-up and operators' routes.
  package static func read(_ path: String, bytesMax: Int = bytesMax) -> ByteBuffer? {
    let descriptor = unsafe open(path, O_RDONLY | O_CLOEXEC)
    guard descriptor >= 0 else { return nil }
    defer { close(descriptor) }
    var content = ByteBuffer()
    while content.count <= bytesMax {
      let before = content.count
      var failed = false
      unsafe content.withFreeBytes(atLeast: 4096) { space in
        let got = unsafe systemRead(descriptor, space.baseAddress, space.count)
        failed = got < 0
        return max(got, 0)
      }
      if failed { return nil }
      if content.count == before { return content }
    }
    return nil
  }

  /// The system's `read`, under a name that the method above does not hide.
  private static func systemRead(_ descriptor: Int32, _ start: UnsafeMutableRawPointer?, _ count: Int) -> Int {
    #if canImport(Glibc)
      unsafe Glibc.read(descriptor, start, count)
    #elseif canImport(Musl)
      unsafe Musl.read(descriptor, start, count)
    #else
      unsafe Darwin.read(descriptor, start, count)
    #endif
  }
}

package enum Folder {
  /// How many entries the folder at `path` has, `.` and `..` not counted; nil if it cannot be read. Blocks.
  package static func entryCount(_ path: String) -> Int? {
    guard let folder = unsafe opendir(path) else { return nil }
    defer { unsafe _ = closedir(folder) }
    var count = -2
    while unsafe readdir(folder) != nil { count += 1 }
    return max(count, 0)
  }
}
