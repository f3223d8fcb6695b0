/// Freed blocks that the system has not been given back yet. Engine.
///
/// The problem: the system takes 0.15 µs for each page that it is given back, and blocks are freed under a shard's lock, at times very many at
/// once (a sweep that ends the last entries of a hundred segments: four milliseconds). So who frees a block only notes it here, and a thread
/// that serves nobody gives it back later. Until then it is resident and in the ledger.

struct LooseBlocks {
  struct Block {
    /// Its first unit.
    let unit: Int
    let order: Int
    /// What it has in the ledger.
    let bytes: Int
  }

  /// By order.
  private var blocks: [[Block]]
  private let ledger: Ledger

  init(topOrder: Int, ledger: Ledger) {
    blocks = Array(repeating: [], count: topOrder + 1)
    self.ledger = ledger
  }

  mutating func append(_ block: Block) {
    blocks[block.order].append(block)
    ledger.addLoose(block.bytes)
  }

  /// A block of exactly this order, the one freed last.
  mutating func take(order: Int) -> Block? {
    guard let block = blocks[order].popLast() else { return nil }
    ledger.addLoose(-block.bytes)
    return block
  }

  /// One that lies among `units`.
  mutating func take(in units: Range<Int>) -> Block? {
    for order in blocks.indices {
      guard let index = blocks[order].firstIndex(where: { units.contains($0.unit) }) else { continue }
      blocks[order].swapAt(index, blocks[order].count - 1)
      return take(order: order)
    }
    return nil
  }

  /// One of the largest.
  mutating func takeLargest() -> Block? {
    for order in blocks.indices.reversed() { if let block = take(order: order) { return block } }
    return nil
  }
}
