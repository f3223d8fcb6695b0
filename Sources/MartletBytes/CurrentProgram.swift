/// The program that this process runs, and how to run another in its place.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum CurrentProgram {
  /// The folder that the program lies in, links followed; nil where the system does not tell.
  package static var folder: String? {
    #if os(Linux)
      guard let path = unsafe realpath("/proc/self/exe", nil) else { return nil }
    #else
      // Absolute or below the working folder, which a program that has just begun has not left.
      guard let name = CommandLine.arguments.first, let path = unsafe realpath(name, nil) else { return nil }
    #endif
    defer { unsafe free(path) }
    return unsafe String(cString: path).split(separator: "/", omittingEmptySubsequences: false).dropLast().joined(separator: "/")
  }

  /// Whether a file is there that this process may run.
  package static func isProgram(_ path: String) -> Bool { unsafe access(path, X_OK) == 0 }

  /// Runs the program at `path` in place of this one, in this process. Returns only if that fails, with errno.
  package static func become(_ path: String, arguments: [String]) -> Int32 {
    var words = unsafe ([path] + arguments).map { unsafe strdup($0) } + [nil]
    unsafe execv(path, &words)
    let failure = errno
    unsafe words.forEach { word in unsafe free(word) }
    return failure
  }
}
