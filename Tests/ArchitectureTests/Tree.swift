// The repository as found on disk, read through the C library: no Foundation for the sake of a directory listing.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#elseif canImport(Darwin)
  import Darwin
#endif

enum Tree {
  /// The root of the package, from the place of this file.
  static let root: String = {
    var parts = #filePath.split(separator: "/")
    parts.removeLast(3)  // Tests/ArchitectureTests/Tree.swift
    return "/" + parts.joined(separator: "/")
  }()

  /// Names in a folder, sorted, those that begin with a dot left out; empty if there is no such folder.
  static func names(in path: String) -> [String] {
    guard let folder = unsafe opendir("\(root)/\(path)") else { return [] }
    defer { unsafe closedir(folder) }
    var names: [String] = []
    while let entry = unsafe readdir(folder) {
      // The name is a C string within the entry, which stays until the next readdir.
      let name = unsafe withUnsafeBytes(of: &entry.pointee.d_name) { bytes in
        unsafe String(decoding: bytes.prefix { $0 != 0 }, as: UTF8.self)
      }
      if !name.hasPrefix(".") { names.append(name) }
    }
    return names.sorted()
  }

  /// The text of a file, nil if there is none.
  static func text(of path: String) -> String? {
    guard let file = unsafe fopen("\(root)/\(path)", "r") else { return nil }
    defer { unsafe fclose(file) }
    var bytes: [UInt8] = []
    var piece = [UInt8](repeating: 0, count: 65536)
    while case let count = unsafe fread(&piece, 1, piece.count, file), count > 0 {
      bytes += piece[..<count]
    }
    return String(decoding: bytes, as: UTF8.self)
  }

  /// Every Swift file below a folder, as paths from the root.
  static func swiftFiles(below path: String) -> [String] {
    names(in: path).flatMap { name -> [String] in
      name.hasSuffix(".swift") ? ["\(path)/\(name)"] : swiftFiles(below: "\(path)/\(name)")
    }
  }

  static let modules = names(in: "Sources")

  static let sources: [SourceFile] = swiftFiles(below: "Sources").map { path in
    SourceFile(path: String(path.dropFirst("Sources/".count)), text(of: path) ?? "")
  }

  static let manifest = Manifest(text(of: "Package.swift") ?? "")
}
