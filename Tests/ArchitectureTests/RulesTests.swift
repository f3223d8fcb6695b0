// The rules judged on made-up sources: each must fail where it is broken, and only there.

import Testing

@Suite("The rules of the architecture")
struct RulesTests {
  private func imports(_ path: String, _ text: String, declared: Set<String> = ["MartletBytes"]) -> [String] {
    importComplaints(SourceFile(path: path, text), declared: declared)
  }

  @Test("An import that points down and is declared is fine, whatever its access or kind")
  func down() {
    let text = """
      package import MartletBytes
      public import struct MartletBytes.ByteBuffer
      @preconcurrency import Glibc; import Synchronization
      """
    #expect(imports("MartletHTTP/A.swift", text) == [])
  }

  @Test(
    "An import that points sideways or up is told with its line",
    arguments: [
      ("MartletHTTP/A.swift", "import MartletJSON", "sideways"),
      ("MartletLoop/A.swift", "\n@testable import MartletCache", "sideways"),
      ("MartletBytes/A.swift", "package import MartletHTTP", "upwards"),
      ("MartletCache/A.swift", "public import class MartletServer.Server", "upwards"),
      ("MartletServer/A.swift", "#if os(Linux)\nimport CacheServer\n#endif", "upwards"),
    ])
  func wrongWay(path: String, text: String, word: String) {
    let complaints = imports(path, text, declared: ["MartletJSON", "MartletCache", "MartletHTTP", "MartletServer", "CacheServer"])
    #expect(complaints.count == 1)
    #expect(complaints.first?.contains(word) == true)
    #expect(complaints.first?.hasPrefix(path) == true)
  }

  @Test("An import that the manifest does not declare is told")
  func undeclared() {
    #expect(imports("MartletServer/A.swift", "import MartletHTTP").count == 1)
  }

  @Test("A C library is seen by its owner alone")
  func ownersOfC() {
    #expect(imports("MartletLoop/A.swift", "import CLibuv") == [])
    #expect(imports("MartletJSON/A.swift", "internal import CJansson") == [])
    #expect(imports("MartletServer/A.swift", "import CLibuv").count == 1)
    #expect(imports("MartletLoop/A.swift", "import CJansson").count == 1)
  }

  @Test("Foundation is nowhere; its essentials are in applications and in the module that is there for them; the edge's packages in applications")
  func foundation() {
    #expect(imports("CacheServer/A.swift", "import Foundation").count == 1)
    #expect(imports("MartletBytes/A.swift", "import Foundation").count == 1)
    #expect(imports("MartletHTTP/A.swift", "import FoundationEssentials").count == 1)
    #expect(imports("MartletServer/A.swift", "import Logging").count == 1)
    #expect(imports("CacheServer/A.swift", "import FoundationEssentials\nimport Logging") == [])
    #expect(imports("MartletJSONFoundation/A.swift", "import FoundationEssentials") == [])
    #expect(imports("MartletAPI/A.swift", "import FoundationEssentials").count == 1)
    #expect(imports("martlet-cli/main.swift", "import ArgumentParser") == [])
  }

  @Test("A module that nobody drew is told")
  func unknownModule() {
    #expect(imports("MartletUtils/A.swift", "").count == 1)
  }

  @Test("`unsafe` is told outside its homes, in every form, and not in comments or strings")
  func unsafeKeyword() {
    let text = """
      // unsafe in a comment /* unsafe */
      let words = "unsafe", raw = #"unsafe " unsafe"#
      /* unsafe /* nested */ unsafe */ let unsafely = 1
      let long = \"\"\"
        unsafe " text
        \"\"\"
      nonisolated(unsafe) var a = 1
      @unsafe func b() {}
      let c = unsafe pointer.pointee
      """
    #expect(
      unsafeComplaints(SourceFile(path: "MartletHTTP/A.swift", text)).map { String($0.prefix(23)) } == [
        "MartletHTTP/A.swift:7: ", "MartletHTTP/A.swift:8: ", "MartletHTTP/A.swift:9: ",
      ])
    #expect(unsafeComplaints(SourceFile(path: "MartletJSON/JSONPointer.swift", text)).count == 3)
    for home in [
      "MartletLoop/A.swift", "MartletBytes/A.swift", "MartletCache/A.swift", "MartletJSON/JanssonValue.swift",
      "MartletJSON/Jansson/A.swift", "MartletJSON/JSONScanner+Numbers.swift", "MartletJSON/JSONWriter.swift",
    ] {
      #expect(unsafeComplaints(SourceFile(path: home, text)) == [])
    }
  }

  @Test("Markers are told in code and comments, as whole words")
  func markers() {
    let text = "// TODO: later\nlet todo = 1 // fixme TODOS\n/* a\n FIXME b */"
    #expect(markerComplaints(SourceFile(path: "MartletHTTP/A.swift", text)).count == 2)
  }

  @Test("A manifest is read as it is written here, and judged by the same rule")
  func manifest() {
    let manifest = Manifest(
      """
        module("MartletBytes"),
        module("MartletLoop", ["MartletBytes", "CLibuv"]),  // "libuv" as Swift
        module("MartletHTTP", ["MartletJSON", "CLibuv"]),
        module("MartletServer", ["Martlet", "Left", .product(name: "Logging", package: "swift-log")]),
        .executableTarget(
          name: "martlet-cli",
          dependencies: ["CacheServer", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      """)
    #expect(manifest.modules.map(\.name) == ["MartletBytes", "MartletLoop", "MartletHTTP", "MartletServer", "martlet-cli"])
    #expect(manifest.dependencies(of: "MartletLoop") == ["MartletBytes", "CLibuv"])
    #expect(manifest.dependencies(of: "martlet-cli") == ["CacheServer", "ArgumentParser"])
    #expect(manifestComplaints(manifest).count == 5)
  }
}
