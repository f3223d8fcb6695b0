/// Free blocks of a range of addresses, in powers of two units: what is freed merges with its neighbour. Engine.
///
/// Knows addresses only, as numbers of units; whether memory stands behind them is its owner's affair. Its notes lie beside the range, so
/// that free memory is never touched. A block of order k has 2^k units and begins at a multiple of them.
///
/// One of the four homes of unsafe code. Invariant, kept by this file: units are below `unitCount`, the bounds of both arrays.

#if canImport(Glibc)
  internal import Glibc
#elseif canImport(Musl)
  internal import Musl
#else
  internal import Darwin
#endif

@safe
struct Buddy: ~Copyable {
  /// The largest blocks; they do not merge.
  let topOrder: Int
  let unitCount: Int
  /// For each unit of a block handed out: its order. At the first unit of a free block: its order and `free`.
  let orders: UnsafeMutablePointer<UInt8>
  /// At the first unit of a free block: its neighbours in the list of its order.
  private let links: UnsafeMutablePointer<(next: UInt32, previous: UInt32)>
  private var heads: InlineArray<16, UInt32>
  /// Units from here on were never handed out.
  private(set) var end = 0

  static var none: UInt32 { .max }
  private static var free: UInt8 { 0x80 }
  private static var inside: UInt8 { 0x7F }

  init(unitCount: Int, topOrder: Int) {
    self.unitCount = unitCount & ~(1 << topOrder - 1)
    self.topOrder = topOrder
    heads = InlineArray(repeating: Buddy.none)
    // Zeroed by the system page by page: notes of units that were never used cost nothing.
    unsafe orders = Buddy.zeroed(UInt8.self, count: unitCount)
    unsafe links = Buddy.zeroed((next: UInt32, previous: UInt32).self, count: unitCount)
  }

  deinit {
    unsafe release(orders)
    unsafe release(links)
  }

  private static func zeroed<Element>(_: Element.Type, count: Int) -> UnsafeMutablePointer<Element> {
    guard let memory = unsafe calloc(max(count, 1), MemoryLayout<Element>.stride) else {
      preconditionFailure("no memory for the notes of an address range")
    }
    return unsafe memory.bindMemory(to: Element.self, capacity: max(count, 1))
  }

  // MARK: Handing out

  /// A block cut from one that is in part in use; nil if there is none free.
  mutating func takePart(order: Int) -> Int? {
    var from = order
    while from < topOrder {
      if heads[from] != Buddy.none {
        let unit = Int(heads[from])
        remove(unit, order: from)
        cut(unit, from: from, to: order)
        return unit
      }
      from += 1
    }
    return nil
  }

  /// The first unit of a top block that is free; nil if there is none.
  var nextTop: Int? {
    if heads[topOrder] != Buddy.none { return Int(heads[topOrder]) }
    return end < unitCount ? end : nil
  }

  /// A block cut from the free top block that begins at `unit`.
  mutating func takeTop(_ unit: Int, order: Int) -> Int {
    if unit == end {
      end += 1 << topOrder
    } else {
      remove(unit, order: topOrder)
    }
    cut(unit, from: topOrder, to: order)
    return unit
  }

  private mutating func cut(_ unit: Int, from: Int, to order: Int) {
    var current = from
    while current > order {
      current -= 1
      insert(unit + 1 << current, order: current)
    }
    unsafe (orders + unit).update(repeating: UInt8(order), count: 1 << order)
  }

  // MARK: Taking back

  /// Takes a block back. True if that made its top block wholly free.
  mutating func give(_ unit: Int, order: Int) -> Bool {
    var unit = unit
    var order = order
    while order < topOrder {
      let neighbour = unit ^ (1 << order)
      guard unsafe orders[neighbour] == Buddy.free | UInt8(order) else { break }
      remove(neighbour, order: order)
      unsafe orders[max(unit, neighbour)] = Buddy.inside
      unit = min(unit, neighbour)
      order += 1
    }
    insert(unit, order: order)
    return order == topOrder
  }

  /// Calls `body` with each free block inside the top block at `first`.
  func forEachFree(inTopAt first: Int, _ body: (_ unit: Int, _ order: Int) -> Void) {
    var unit = first
    while unit < first + 1 << topOrder {
      let note = unsafe orders[unit]
      let order = Int(note & ~Buddy.free)
      if note & Buddy.free != 0 { body(unit, order) }
      unit += 1 << order
    }
  }

  private mutating func insert(_ unit: Int, order: Int) {
    let head = heads[order]
    unsafe orders[unit] = Buddy.free | UInt8(order)
    unsafe links[unit] = (next: head, previous: Buddy.none)
    if head != Buddy.none { unsafe links[Int(head)].previous = UInt32(unit) }
    heads[order] = UInt32(unit)
  }

  private mutating func remove(_ unit: Int, order: Int) {
    let (next, previous) = unsafe links[unit]
    if previous == Buddy.none { heads[order] = next } else { unsafe links[Int(previous)].next = next }
    if next != Buddy.none { unsafe links[Int(next)].previous = previous }
    unsafe orders[unit] = UInt8(order)
  }
}

/// The C function, whose name `Buddy.free` hides.
@unsafe
private func release(_ memory: UnsafeMutableRawPointer) { unsafe free(memory) }
