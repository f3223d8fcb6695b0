/// What is encoded and decoded: a type that knows both ways, `Codable` and the fast lane.

public import MartletJSON

public protocol JSONBenchValue: Codable, Equatable, Sendable, JSONEncodable, JSONDecodable {}
