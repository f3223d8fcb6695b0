/// The connections of a loop by slot, with a generation for each, so that a `ConnectionID` outlives its connection harmlessly.

import MartletBytes

struct ConnectionTable: ~Copyable {
  private struct Slot {
    var connection: Connection?
    /// Counts the connections that the slot has held; never repeats.
    var generation: UInt64 = 0
  }

  private var slots: [Slot] = []
  private var free: [UInt32] = []

  /// Connections in the table.
  var count: Int { slots.count - free.count }

  mutating func insert(_ connection: Connection) -> (slot: UInt32, generation: UInt64) {
    let slot: UInt32
    if let reused = free.popLast() {
      slot = reused
    } else {
      slot = UInt32(slots.count)
      slots.append(Slot())
    }
    slots[Int(slot)].connection = connection
    slots[Int(slot)].generation &+= 1
    return (slot, slots[Int(slot)].generation)
  }

  mutating func remove(_ slot: UInt32) {
    precondition(slots[Int(slot)].connection != nil, "a connection left its slot twice")
    slots[Int(slot)].connection = nil
    free.append(slot)
  }

  /// The connection in `slot`; nil if there is none.
  subscript(slot: UInt32) -> Connection? { slots[Int(slot)].connection }

  /// The connection that `id` names, unless it is gone.
  func find(_ id: ConnectionID) -> Connection? {
    guard Int(id.slot) < slots.count, slots[Int(id.slot)].generation == id.generation else { return nil }
    return slots[Int(id.slot)].connection
  }

  /// All connections, as a copy: the caller may open and close some on the way.
  func all() -> [Connection] { slots.compactMap(\.connection) }
}
