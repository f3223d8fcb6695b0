/// Which types the coders know themselves, and which of them strategies may be for.

enum CommonTypes {
  /// Types that a text has values for: containers have a method for each, so that no strategy would be asked.
  static let scalars: Set<ObjectIdentifier> = [
    ObjectIdentifier(Bool.self), ObjectIdentifier(String.self), ObjectIdentifier(Double.self), ObjectIdentifier(Float.self),
    ObjectIdentifier(Int.self), ObjectIdentifier(Int8.self), ObjectIdentifier(Int16.self), ObjectIdentifier(Int32.self),
    ObjectIdentifier(Int64.self), ObjectIdentifier(Int128.self), ObjectIdentifier(UInt.self), ObjectIdentifier(UInt8.self),
    ObjectIdentifier(UInt16.self), ObjectIdentifier(UInt32.self), ObjectIdentifier(UInt64.self), ObjectIdentifier(UInt128.self),
  ]

  /// Lists that are coded without a container and a look at strategies, unless there is one for either of them.
  static let lists = [ObjectIdentifier([String].self), ObjectIdentifier([Int].self)]

  static func areListsIn<Strategy>(_ strategies: [ObjectIdentifier: Strategy]) -> Bool {
    !strategies.isEmpty && lists.contains { strategies[$0] != nil }
  }
}
