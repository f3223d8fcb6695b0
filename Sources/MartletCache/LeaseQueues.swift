/// What the lease table is made of: waiters in linked queues, deadlines in a heap, the cost of past fills.

internal import MartletBytes

/// Waiters of all placeholders of a shard, each in the queue of one. Taking one out anywhere costs the same.
struct WaiterSlab {
  struct Node {
    let waiter: any LeaseWaiter
    let placeholder: Int32
    let serial: UInt64
    let deadline: UnixTime
    /// How long a lease would last if it came to this one.
    let leaseMilliseconds: Int64
    var previous: Int32
    var next: Int32 = -1
  }

  private var nodes: [Node?] = []
  private var free: [Int32] = []

  var count: Int { nodes.count - free.count }

  subscript(node: Int32) -> Node {
    get { nodes[Int(node)]! }
    set { nodes[Int(node)] = newValue }
  }

  func isParked(_ node: Int32, serial: UInt64) -> Bool {
    Int(node) < nodes.count && nodes[Int(node)]?.serial == serial
  }

  mutating func insert(_ node: Node) -> Int32 {
    if let place = free.popLast() {
      nodes[Int(place)] = node
      return place
    }
    nodes.append(node)
    return Int32(nodes.count - 1)
  }

  mutating func remove(_ node: Int32) -> Node {
    guard let gone = nodes[Int(node)].take() else { preconditionFailure("a waiter left its queue twice") }
    free.append(node)
    return gone
  }

  /// Gives the memory back, when nobody waits.
  mutating func shrink() {
    precondition(count == 0, "waiters without a placeholder")
    nodes = []
    free = []
  }
}

/// Deadlines, the earliest first.
struct DeadlineHeap {
  struct Item {
    let time: UnixTime
    let serial: UInt64
    let slot: Int32
    let isWaiter: Bool
  }

  private var items: [Item] = []
  /// The earliest of those inserted that the alarm has not heard of; `.never` if none.
  private(set) var newEarliest = UnixTime.never

  var count: Int { items.count }
  var first: Item? { items.first }

  mutating func insert(_ item: Item, isNews: Bool) {
    if isNews { newEarliest = min(newEarliest, item.time) }
    items.append(item)
    var index = items.count - 1
    while index > 0, items[index].time < items[(index - 1) / 2].time {
      items.swapAt(index, (index - 1) / 2)
      index = (index - 1) / 2
    }
  }

  mutating func removeFirst() {
    items.swapAt(0, items.count - 1)
    items.removeLast()
    sink(0)
  }

  /// Drops what `isWanted` does not want.
  mutating func keep(_ isWanted: (Item) -> Bool) {
    items.removeAll { !isWanted($0) }
    for index in stride(from: items.count / 2 - 1, through: 0, by: -1) { sink(index) }
  }

  mutating func removeAll() { items = [] }

  mutating func takeNewEarliest() -> UnixTime {
    defer { newEarliest = .never }
    return newEarliest
  }

  private mutating func sink(_ start: Int) {
    var index = start
    while true {
      var least = index
      for child in [2 * index + 1, 2 * index + 2] where child < items.count && items[child].time < items[least].time { least = child }
      if least == index { return }
      items.swapAt(index, least)
      index = least
    }
  }
}

/// How long the last fill of a key took: for early refresh. A small direct-mapped memory that costs entries nothing; what does not
/// find its key answers with the shard's average.
struct FillCosts {
  private struct Cost {
    var tag: UInt32 = 0
    var milliseconds: UInt32 = 0
  }

  private static var count: Int { 256 }
  private var costs: [Cost] = []
  private var average = 0.0

  mutating func note(_ hash: UInt64, milliseconds: Int64) {
    let milliseconds = UInt32(clamping: max(milliseconds, 1))
    if costs.isEmpty { costs = Array(repeating: Cost(), count: Self.count) }
    costs[Self.place(hash)] = Cost(tag: UInt32(truncatingIfNeeded: hash), milliseconds: milliseconds)
    average = average == 0 ? Double(milliseconds) : average * 0.9 + Double(milliseconds) * 0.1
  }

  /// In milliseconds; 0 if nothing was ever filled here.
  func cost(_ hash: UInt64) -> Double {
    guard !costs.isEmpty else { return 0 }
    let cost = costs[Self.place(hash)]
    return cost.tag == UInt32(truncatingIfNeeded: hash) && cost.milliseconds > 0 ? Double(cost.milliseconds) : average
  }

  private static func place(_ hash: UInt64) -> Int { Int(truncatingIfNeeded: hash >> 32) & (count - 1) }
}
