// The architecture as DESIGN.md section 2 draws it, as data: rows of modules, who may see C, where `unsafe` lives.
//
// Not the manifest: Package.swift says what depends on what today; this says what may. A module that is not drawn here
// yet fails the tests, so that adding one is a decision made in this file.

/// Rows of the drawing from the ground up. A module may import from lower rows, never from its own or a higher one.
let drawing: [(row: String, modules: [String])] = [
  ("ground", ["MartletBytes"]),
  ("engine", ["MartletLoop", "MartletHTTP", "MartletJSON", "MartletCache", "MartletCacheProtocols"]),
  ("assembly", ["MartletServer"]),
  ("library", ["MartletAPI", "MartletJSONFoundation", "MartletCacheClient"]),
  ("library as imported", ["Martlet"]),
  ("applications", ["CacheServer", "Bench"]),
  ("command line", ["martlet-cli", "martlet-bench-json"]),
]

/// The only module that may import each C module.
let ownerOfC = ["CLibuv": "MartletLoop", "CJansson": "MartletJSON", "CPrefetch": "MartletCache"]

/// What comes with the compiler or the system and any module may import. Foundation is deliberately not here.
let systemModules: Set<String> = ["Swift", "Synchronization", "Glibc", "Musl", "Darwin", "_Builtin_intrinsics"]

/// Modules of packages at the edge, and of Foundation the part that is allowed there: for these rows only.
let edgeRows: Set<String> = ["applications", "command line"]
let edgeModules: Set<String> = ["Logging", "ArgumentParser", "FoundationEssentials"]

/// Below them, who may import Foundation, and how it is called: its essentials, where they are a module of their own (not on Darwin).
let foundationModules: [String: Set<String>] = ["MartletJSONFoundation": ["FoundationEssentials", "Foundation"]]

/// Whether `unsafe` may stand in a file: the libuv wrapper, the jansson wrapper, the byte buffer with its scanner, the entry
/// memory of the cache. `file` is the path below the module's folder.
func mayHoldUnsafe(module: String, file: String) -> Bool {
  switch module {
  case "MartletLoop", "MartletBytes", "MartletCache": true
  case "MartletJSON":
    // Beside the jansson wrapper, what reads and writes JSON byte by byte: the buffer's scanner and its counterpart, the writer.
    file.split(separator: "/").contains { name in
      ["Jansson", "JSONScanner", "JSONNumber", "JSONWriter", "ByteBuffer+"].contains { name.hasPrefix($0) }
    }
  default: false
  }
}

/// The row of a module counted from the ground, or nil if it is not drawn.
func row(of module: String) -> Int? {
  drawing.firstIndex { $0.modules.contains(module) }
}
