/// System calls whose names our own types use too, or that answer in `errno`: here they answer as libuv does.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

func closeDescriptor(_ descriptor: Int32) { _ = close(descriptor) }

func bindDescriptor(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
  unsafe bind(descriptor, address, length) == 0 ? 0 : -errno
}

func connectDescriptor(_ descriptor: Int32, _ address: UnsafePointer<sockaddr>, _ length: socklen_t) -> Int32 {
  unsafe connect(descriptor, address, length) == 0 ? 0 : -errno
}

let ipv6Protocol = Int32(IPPROTO_IPV6)
let tcpProtocol = Int32(IPPROTO_TCP)
