// swift-tools-version: 6.2

/// The architecture in one file: a line of purpose per target, and imports that only point down.
/// `Tests/ArchitectureTests` reads the sources and holds them to what stands here.

import PackageDescription

/// Swift 6 language mode (by the tools version) with complete concurrency checking, plus what we want told early.
/// No unsafe flags: they would bar packages that depend on this one.
let settings: [SwiftSetting] = [
  .strictMemorySafety(),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableExperimentalFeature("Lifetimes"),  // `@_lifetime` on values that borrow bytes (SE-0446, SE-0447)
]

func module(_ name: String, _ dependencies: [Target.Dependency] = []) -> Target {
  .target(name: name, dependencies: dependencies, swiftSettings: settings)
}

func tests(_ name: String, _ dependencies: [Target.Dependency], exclude: [String] = []) -> Target {
  .testTarget(name: name, dependencies: dependencies, exclude: exclude, swiftSettings: settings)
}

/// A program of Benchmarks that needs what only this package sees; not a product.
func benchmark(_ name: String, path: String, exclude: [String] = [], _ dependencies: [Target.Dependency]) -> Target {
  let target = Target.executableTarget(name: name, dependencies: dependencies, path: path, exclude: exclude, swiftSettings: settings)
  return target
}

let package = Package(
  name: "martlet",
  platforms: [.macOS(.v26)],
  products: [
    .library(name: "Martlet", targets: ["Martlet"]),
    .library(name: "MartletJSONFoundation", targets: ["MartletJSONFoundation"]),
    .executable(name: "martlet", targets: ["martlet-cli"]),
    .executable(name: "martlet-bench-json", targets: ["martlet-bench-json"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.0"),
    .package(url: "https://github.com/apple/swift-log", from: "1.16.0"),
  ],
  targets: [
    // C
    .systemLibrary(name: "CLibuv", path: "CModules/CLibuv", pkgConfig: "libuv", providers: [.apt(["libuv1-dev"]), .brew(["libuv"])]),
    .systemLibrary(name: "CJansson", path: "CModules/CJansson", pkgConfig: "jansson", providers: [.apt(["libjansson-dev"]), .brew(["jansson"])]),
    .systemLibrary(name: "CPrefetch", path: "CModules/CPrefetch"),  // one instruction that Swift has no name for; no library

    // ground: bytes, digits, hashing, clocks, the shard lock; the ByteSession contract
    module("MartletBytes"),

    // engine: five modules that do not know one another
    module("MartletLoop", ["MartletBytes", "CLibuv"]),  // libuv as Swift
    module("MartletHTTP", ["MartletBytes"]),  // HTTP/1.1 and routing as pure functions over bytes
    module("MartletJSON", ["MartletBytes", "CJansson"]),  // the Swift road and the jansson road
    module("MartletCache", ["MartletBytes", "CPrefetch"]),  // the store
    module("MartletCacheProtocols", ["MartletBytes"]),  // RESP as pure functions over bytes

    // assembly: threads, listeners, options, lifecycle
    module("MartletServer", ["MartletLoop", "MartletHTTP", "MartletBytes"]),

    // library: what a Swift user imports
    module("MartletAPI", ["MartletHTTP", "MartletJSON", "MartletBytes"]),  // routes that speak JSON
    module("MartletJSONFoundation", ["MartletJSON", "MartletBytes"]),  // Date, Data, URL, Decimal in JSON: over FoundationEssentials
    module("MartletCacheClient", ["MartletCache", "MartletJSON", "MartletBytes"]),  // the store as typed async values, in process
    module("Martlet", ["MartletAPI", "MartletCacheClient", "MartletServer", "MartletHTTP", "MartletJSON", "MartletCache", "MartletBytes"]),

    // application: the sessions and routes that marry protocols and store
    module("CacheServer", ["MartletAPI", "MartletServer", "MartletLoop", "MartletHTTP", "MartletJSON", "MartletCache", "MartletCacheProtocols", "MartletBytes", .product(name: "Logging", package: "swift-log")]),

    // application: what a server does under load, what JSON costs
    module("Bench", ["MartletAPI", "MartletServer", "MartletHTTP", "MartletLoop", "MartletJSON", "MartletBytes"]),

    // command line
    .executableTarget(
      name: "martlet-cli",
      dependencies: ["CacheServer", "Bench", .product(name: "ArgumentParser", package: "swift-argument-parser")],
      swiftSettings: settings),

    // `martlet bench json` with Foundation beside: a program of its own, for the server goes without
    .executableTarget(
      name: "martlet-bench-json",
      dependencies: ["Bench", "MartletBytes"],
      swiftSettings: settings),

    // what the store costs: scripts/store-bench
    benchmark("store-bench", path: "Benchmarks/Store", exclude: ["reference.py"], ["MartletCache", "MartletBytes"]),
    // GET /json/50 through Codable: scripts/json-contest
    benchmark("json-server", path: "Benchmarks/JSON/Server", ["Martlet", "Bench"]),

    tests("ArchitectureTests", []),  // imports nothing: it reads the others
    tests("MartletBytesTests", ["MartletBytes"]),
    tests("MartletLoopTests", ["MartletLoop", "MartletBytes"]),
    tests("MartletHTTPTests", ["MartletHTTP", "MartletBytes"]),
    tests("MartletJSONTests", ["MartletJSON", "MartletBytes"]),
    tests("MartletJSONFoundationTests", ["MartletJSONFoundation", "MartletJSON", "MartletBytes"]),
    tests("MartletCacheTests", ["MartletCache", "MartletBytes"]),
    tests("MartletCacheProtocolsTests", ["MartletCacheProtocols", "MartletBytes"]),
    tests("MartletServerTests", ["MartletServer", "MartletHTTP", "MartletLoop", "MartletBytes"]),
    tests("MartletAPITests", ["MartletAPI", "MartletHTTP", "MartletJSON", "MartletBytes"]),
    tests("MartletCacheClientTests", ["MartletCacheClient", "MartletCache", "MartletJSON", "MartletBytes"]),
    tests("CacheServerTests", ["CacheServer", "MartletServer", "MartletHTTP", "MartletJSON", "MartletCache", "MartletCacheProtocols", "MartletBytes"]),
    tests("BenchTests", ["Bench", "MartletLoop", "MartletJSON", "MartletBytes"]),
  ]
)
