/// The environment that this process was started with.

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

package enum ProcessEnvironment {
  /// The value of a variable; nil if it is not set. For start-up, before other threads run.
  package static func value(_ name: String) -> String? {
    unsafe getenv(name).map { unsafe String(cString: $0) }
  }
}
