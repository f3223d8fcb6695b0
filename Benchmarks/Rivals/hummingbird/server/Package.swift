// swift-tools-version: 6.0

import PackageDescription

let package = Package(
  name: "rival",
  platforms: [.macOS(.v15)],
  dependencies: [.package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.0.0")],
  targets: [.executableTarget(name: "Rival", dependencies: [.product(name: "Hummingbird", package: "hummingbird")])]
)
