/// The types that most values are, which go a shorter way where no strategy is for any of them.

enum CommonTypes {
  static let all: [ObjectIdentifier] = [
    ObjectIdentifier(String.self), ObjectIdentifier(Int.self), ObjectIdentifier(Double.self), ObjectIdentifier(Bool.self),
    ObjectIdentifier([String].self), ObjectIdentifier([Int].self),
  ]

  static func areIn<Strategy>(_ strategies: [ObjectIdentifier: Strategy]) -> Bool {
    !strategies.isEmpty && all.contains { strategies[$0] != nil }
  }
}
