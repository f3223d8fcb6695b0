// The tree held to its drawing. Each complaint names file and line; the list of complaints must be empty.

import Testing

@Suite("The tree as drawn")
struct ArchitectureTests {
  @Test("Sources were found, each folder is a module of the manifest, and the other way round")
  func foundEverything() {
    #expect(Tree.modules.contains("MartletBytes"))
    #expect(Tree.sources.count > 15)
    #expect(Set(Tree.modules) == Set(Tree.manifest.modules.map(\.name)))
    for module in Tree.modules {
      #expect(row(of: module) != nil, "\(module) is not in the drawing (Tests/ArchitectureTests/Drawing.swift)")
    }
  }

  @Test("Dependencies in the manifest point down")
  func manifestPointsDown() {
    #expect(manifestComplaints(Tree.manifest) == [])
  }

  @Test("Imports point down, never sideways or up; each C library has one owner; Foundation stays outside")
  func importsPointDown() {
    #expect(Tree.sources.flatMap { importComplaints($0, declared: Tree.manifest.dependencies(of: $0.module)) } == [])
  }

  @Test("`unsafe` has four homes")
  func unsafeStaysHome() {
    #expect(Tree.sources.flatMap(unsafeComplaints) == [])
  }

  @Test("No unsafe flags in the manifest: they would bar packages that depend on this one")
  func noUnsafeFlags() {
    #expect(Tree.text(of: "Package.swift")?.contains("unsafeFlags") == false)
  }

  @Test("No markers in sources or tests")
  func noMarkers() {
    let tests = Tree.swiftFiles(below: "Tests").filter { !$0.hasPrefix("Tests/ArchitectureTests/") }.map {
      SourceFile(path: $0, Tree.text(of: $0) ?? "")
    }
    #expect((Tree.sources + tests).flatMap(markerComplaints) == [])
  }

  @Test("Every module has a DocC landing page", arguments: Tree.modules.filter { !drawing.last!.modules.contains($0) })
  func landingPage(module: String) {
    let text = Tree.text(of: "Sources/\(module)/\(module).docc/\(module).md")
    #expect(text?.hasPrefix("# ``\(module)``") == true)
  }
}
