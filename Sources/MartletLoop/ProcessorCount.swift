/// How many threads are worth starting, and how much memory may be used: what the machine has, less what the process was not given.
///
/// Containers give less than the machine has: by affinity, and by control groups of version 1 or 2, in any group above the process.

import CLibuv

/// The cores that the process may use.
package enum ProcessorCount {
  package static var available: Int { available(affinity: Int(uv_available_parallelism()), groups: ControlGroups()) }

  /// At least 1. A quota of one and a half cores counts as two: threads that share rarely want all of it at once.
  static func available(affinity: Int, groups: ControlGroups) -> Int {
    guard let quota = groups.processors else { return max(affinity, 1) }
    return max(min(affinity, Int(quota.rounded(.up))), 1)
  }
}

extension ProcessorCount {
  /// Keeps the calling thread on one core, numbered from 0.
  package static func pinThread(to core: Int) throws(UVError) {
    try UVError.check(martlet_pin_thread(Int32(clamping: core)), "keep a thread on core \(core)")
  }
}

/// The memory that the process may use, in bytes.
package enum MemoryAvailable {
  package static var bytes: Int { bytes(physical: Int(clamping: uv_get_total_memory()), groups: ControlGroups()) }

  static func bytes(physical: Int, groups: ControlGroups) -> Int {
    guard let limit = groups.memoryBytes else { return physical }
    return physical > 0 ? min(physical, limit) : limit
  }
}

/// The open files that the process may have.
package enum DescriptorLimit {
  /// Raises the soft limit to the hard one; the limit then in force.
  @discardableResult
  package static func raise() throws(UVError) -> Int {
    let limit = martlet_raise_descriptor_limit()
    try UVError.check(Int32(clamping: limit), "read the limit of open files")
    return limit
  }
}
