// The repository's own data, for tests that hold it to what the code expects.

enum Repository {
  /// The folder Benchmarks, from the place of this file.
  static let benchmarks = "/" + #filePath.split(separator: "/").dropLast(3).joined(separator: "/") + "/Benchmarks"
}
