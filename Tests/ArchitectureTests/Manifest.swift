// Package.swift as this repository writes it: `module("Name", ["Dependency", …])` and the one executable target.
//
// Not a reader of manifests in general: it knows the two shapes used here, and tests that it found every folder of Sources.

struct Manifest {
  /// Each module of Sources with what it may depend on: targets, C modules and products by name.
  let modules: [(name: String, dependencies: Set<String>)]

  init(_ text: String) {
    modules = text.split(separator: "\n").reduce(into: []) { modules, line in
      let code = line.drop { $0 == " " }
      // Outside comments the strings of such a line are its own name, then its dependencies (and the packages of products).
      if code.hasPrefix("module(\"") {
        let names = quoted(in: code)
        modules.append((names[0], Set(names.dropFirst())))
      } else if code.hasPrefix(".executableTarget(") {
        modules.append(("", []))
      } else if modules.last?.name == "", code.hasPrefix("name:") {
        modules[modules.count - 1].name = quoted(in: code)[0]
      } else if let last = modules.indices.last, modules[last].dependencies.isEmpty, code.hasPrefix("dependencies:") {
        modules[last].dependencies = Set(quoted(in: code))
      }
    }
  }

  func dependencies(of module: String) -> Set<String> {
    modules.first { $0.name == module }?.dependencies ?? []
  }
}

/// The string literals of a line up to a comment, packages of products left out.
private func quoted(in line: Substring) -> [String] {
  let parts = line.split(separator: "\"", omittingEmptySubsequences: false)
  return parts.indices.filter { $0 % 2 == 1 && !parts[$0 - 1].hasSuffix("package: ") && !parts[$0 - 1].contains("//") }.map {
    String(parts[$0])
  }
}
