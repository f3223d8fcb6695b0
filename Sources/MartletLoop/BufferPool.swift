/// Byte buffers between uses, the last used first: it is still in the cache.
///
/// Bounded by the number kept, the size of each and of all, so that large replies do not keep their memory for ever.

import MartletBytes

@safe
struct BufferPool: ~Copyable {
  /// Owned from `init` to `deinit`; the first `count` are initialised.
  private let buffers: UnsafeMutablePointer<ByteBuffer>
  private(set) var count = 0
  /// Their memory together.
  private(set) var bytes = 0

  init() { unsafe buffers = .allocate(capacity: LoopLimits.pooledBuffersMax) }

  deinit {
    unsafe buffers.deinitialize(count: count)
    unsafe buffers.deallocate()
  }

  /// An empty buffer with memory.
  mutating func take() -> ByteBuffer {
    guard count > 0 else { return ByteBuffer(capacity: LoopLimits.bufferBytesMin) }
    count &-= 1
    let buffer = unsafe (buffers + count).move()
    bytes &-= buffer.capacity
    return buffer
  }

  /// Takes back a buffer whose bytes are no longer needed.
  mutating func give(_ buffer: consuming ByteBuffer) {
    guard buffer.capacity >= LoopLimits.bufferBytesMin, buffer.capacity <= LoopLimits.pooledBufferBytesMax,
      count < LoopLimits.pooledBuffersMax,
      bytes &+ buffer.capacity <= LoopLimits.pooledBytesMax
    else { return }
    buffer.removeAll()
    bytes &+= buffer.capacity
    unsafe (buffers + count).initialize(to: buffer)
    count &+= 1
  }
}
