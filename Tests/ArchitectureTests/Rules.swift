// The rules themselves, as functions from sources to complaints: the same code judges the real tree and made-up ones.

/// One source file. `path` is below `Sources/`, its first part the module.
struct SourceFile {
  let path: String
  let text: SourceText

  init(path: String, _ text: String) {
    self.path = path
    self.text = SourceText(text)
  }

  var module: String { String(path.prefix { $0 != "/" }) }
  var pathInModule: String { String(path.drop { $0 != "/" }.dropFirst()) }
}

/// What is wrong with the imports of one file, one sentence each. `declared` is what the manifest lets the module depend on.
func importComplaints(_ file: SourceFile, declared: Set<String>) -> [String] {
  guard let ownRow = row(of: file.module) else { return ["\(file.path): module \(file.module) is not in the drawing"] }
  return file.text.imports.compactMap { imported, line in
    let place = "\(file.path):\(line)"
    if let owner = ownerOfC[imported] {
      return owner == file.module ? nil : "\(place): \(imported) belongs to \(owner) alone"
    }
    if let importedRow = row(of: imported) {
      if importedRow == ownRow { return "\(place): imports \(imported) sideways" }
      if importedRow > ownRow { return "\(place): imports \(imported) upwards" }
      return declared.contains(imported) ? nil : "\(place): imports \(imported), which Package.swift does not give to \(file.module)"
    }
    if systemModules.contains(imported) { return nil }
    if edgeModules.contains(imported), edgeRows.contains(drawing[ownRow].row) { return nil }
    if foundationModules[file.module]?.contains(imported) == true { return nil }
    return "\(place): imports \(imported), which the drawing does not have here"
  }
}

/// What is wrong with the dependencies of the manifest: the same rule as for imports.
func manifestComplaints(_ manifest: Manifest) -> [String] {
  manifest.modules.flatMap { module, dependencies -> [String] in
    guard let ownRow = row(of: module) else { return ["Package.swift: \(module) is not in the drawing"] }
    return dependencies.compactMap { dependency in
      if let owner = ownerOfC[dependency] {
        return owner == module ? nil : "Package.swift: \(module) depends on \(dependency), which belongs to \(owner) alone"
      }
      if let row = row(of: dependency) {
        return row < ownRow ? nil : "Package.swift: \(module) depends on \(dependency), which is not below it"
      }
      if edgeModules.contains(dependency), edgeRows.contains(drawing[ownRow].row) { return nil }
      return "Package.swift: \(module) depends on \(dependency), which the drawing does not have"
    }
  }
}

/// `unsafe` outside its homes.
func unsafeComplaints(_ file: SourceFile) -> [String] {
  guard !mayHoldUnsafe(module: file.module, file: file.pathInModule) else { return [] }
  return file.text.lines(withCode: "unsafe").map { "\(file.path):\($0): `unsafe` outside its four homes" }
}

/// Notes to self.
func markerComplaints(_ file: SourceFile) -> [String] {
  file.text.lines(withMarkers: ["TODO", "FIXME", "XXX", "HACK"]).map { "\(file.path):\($0): a marker where work should be" }
}
