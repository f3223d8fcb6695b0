/// A queue that takes and gives in turn, without allocating once it has grown to what is usual.

@safe
struct Ring<Element>: ~Copyable {
  /// Invariant, kept by this file: `capacity` places (a power of two); `count` of them from `head` on, wrapping, are initialised.
  private var places: UnsafeMutablePointer<Element>
  private var capacity: Int
  private var head = 0
  private(set) var count = 0

  init(capacity: Int = 64) {
    precondition(capacity > 0 && capacity & (capacity - 1) == 0, "a ring's capacity is a power of two")
    self.capacity = capacity
    unsafe places = .allocate(capacity: capacity)
  }

  deinit {
    for offset in 0..<count { unsafe (places + ((head &+ offset) & (capacity &- 1))).deinitialize(count: 1) }
    unsafe places.deallocate()
  }

  var isEmpty: Bool { count == 0 }

  mutating func append(_ element: consuming Element) {
    if count == capacity { grow() }
    unsafe (places + ((head &+ count) & (capacity &- 1))).initialize(to: element)
    count &+= 1
  }

  mutating func popFirst() -> Element? {
    guard count > 0 else { return nil }
    let element = unsafe (places + head).move()
    head = (head &+ 1) & (capacity &- 1)
    count &-= 1
    return element
  }

  private mutating func grow() {
    let larger = UnsafeMutablePointer<Element>.allocate(capacity: capacity * 2)
    let first = capacity - head
    unsafe larger.moveInitialize(from: places + head, count: first)
    unsafe (larger + first).moveInitialize(from: places, count: head)
    unsafe places.deallocate()
    unsafe places = larger
    capacity *= 2
    head = 0
  }
}
