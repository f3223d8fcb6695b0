/// What is asked, and how often: `get:9,set:1`.

import MartletBytes

enum LoadOperation: UInt8, Sendable, CaseIterable {
  case get, set, delete
  /// Several keys in one request.
  case mget
  /// An HTTP GET of one path, whatever is there.
  case path

  var name: String {
    switch self {
    case .get: "get"
    case .set: "set"
    case .delete: "delete"
    case .mget: "mget"
    case .path: "path"
    }
  }
}

struct LoadMix: Sendable, Equatable {
  /// Operations with the sum of their weights and those before them; at least one.
  private let steps: [Step]

  private struct Step: Sendable, Equatable {
    let operation: LoadOperation
    let sum: Int
  }

  static let weightMax = 1_000_000

  /// One operation alone.
  init(_ operation: LoadOperation) { steps = [Step(operation: operation, sum: 1)] }

  /// Operations with weights, as `get:9,set:1`; a weight may be left out (1).
  init(_ text: String) throws(BenchError) {
    var steps: [Step] = []
    for part in text.split(separator: ",", omittingEmptySubsequences: false) {
      let words = part.split(separator: ":", omittingEmptySubsequences: false)
      guard let operation = LoadOperation.allCases.first(where: { $0 != .path && $0.name == words[0] }) else {
        throw .usage("--mix: no operation '\(words[0])'; there are get, set, delete and mget, as in get:9,set:1")
      }
      guard words.count <= 2, let weight = words.count == 2 ? Int(words[1]) : 1, 1...Self.weightMax ~= weight else {
        throw .usage("--mix: the weight in '\(part)' is no whole number from 1 to \(Self.weightMax)")
      }
      guard !steps.contains(where: { $0.operation == operation }) else { throw .usage("--mix: \(operation.name) stands there twice") }
      steps.append(Step(operation: operation, sum: (steps.last?.sum ?? 0) + weight))
    }
    self.steps = steps
  }

  var operations: [LoadOperation] { steps.map(\.operation) }

  func contains(_ operation: LoadOperation) -> Bool { operations.contains(operation) }

  func next(_ random: inout SplitMix64) -> LoadOperation {
    if steps.count == 1 { return steps[0].operation }
    let drawn = random.below(steps[steps.count - 1].sum)
    for step in steps where drawn < step.sum { return step.operation }
    return steps[0].operation
  }
}

extension LoadMix: CustomStringConvertible {
  var description: String {
    let total = Double(steps[steps.count - 1].sum)
    var before = 0
    return steps.map { step in
      defer { before = step.sum }
      return steps.count == 1 ? step.operation.name : "\(step.operation.name) \(percent(Double(step.sum - before) / total))"
    }.joined(separator: ", ")
  }
}
