import Testing

@testable import MartletLoop

@Suite struct ProcessorCountTests {
  @Test(
    "The cores are those of the affinity, less by any group's quota, rounded up",
    arguments: [
      ([:], 8),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "max 100000\n"], 8),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "150000 100000\n"], 2),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "10000 100000\n"], 1),
      (["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/cpu.max": "300000 100000\n", "/sys/fs/cgroup/a/b/cpu.max": "max 100000\n"], 3),
      (["/proc/self/cgroup": "0::/host/only\n", "/sys/fs/cgroup/cpu.max": "200000 100000\n"], 2),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "1600000 100000\n"], 8),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/cpu.max": "rubbish"], 8),
      (
        [
          "/proc/self/cgroup": "5:memory:/x\n4:cpu,cpuacct:/docker/ab\n", "/sys/fs/cgroup/cpu/docker/ab/cpu.cfs_quota_us": "250000\n",
          "/sys/fs/cgroup/cpu/docker/ab/cpu.cfs_period_us": "100000\n",
        ], 3
      ),
      (
        [
          "/proc/self/cgroup": "4:cpu,cpuacct:/docker/ab\n", "/sys/fs/cgroup/cpu,cpuacct/cgroup.procs": "1",
          "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_quota_us": "-1\n", "/sys/fs/cgroup/cpu,cpuacct/cpu.cfs_period_us": "100000\n",
        ], 8
      ),
    ] as [([String: String], Int)])
  func processors(files: [String: String], expected: Int) throws {
    let folder = try TemporaryFolder()
    for (path, text) in files { try folder.write(text, to: path) }
    #expect(ProcessorCount.available(affinity: 8, groups: ControlGroups(root: folder.path)) == expected)
  }

  @Test(
    "The memory is the machine's, less by any group's limit",
    arguments: [
      ([:], 1 << 34),
      (["/proc/self/cgroup": "0::/\n", "/sys/fs/cgroup/memory.max": "max\n"], 1 << 34),
      (["/proc/self/cgroup": "0::/a/b\n", "/sys/fs/cgroup/a/memory.max": "268435456\n"], 1 << 28),
      (["/proc/self/cgroup": "9:memory:/x\n", "/sys/fs/cgroup/memory/x/memory.limit_in_bytes": "9223372036854771712\n"], 1 << 34),
      (["/proc/self/cgroup": "9:memory:/x\n", "/sys/fs/cgroup/memory/memory.limit_in_bytes": "536870912\n"], 1 << 29),
    ] as [([String: String], Int)])
  func memory(files: [String: String], expected: Int) throws {
    let folder = try TemporaryFolder()
    for (path, text) in files { try folder.write(text, to: path) }
    #expect(MemoryAvailable.bytes(physical: 1 << 34, groups: ControlGroups(root: folder.path)) == expected)
  }

  @Test("This machine has at least a core, some memory and some files")
  func here() throws {
    #expect(ProcessorCount.available >= 1)
    #expect(MemoryAvailable.bytes > 1 << 24)
    #expect(try DescriptorLimit.raise() >= 64)
  }

  @Test("A thread cannot be kept on a core that is not there", arguments: [-1, 1023, 5000])
  func noSuchCore(core: Int) {
    let error = #expect(throws: UVError.self) { try ProcessorCount.pinThread(to: core) }
    #expect(error?.attempted == "keep a thread on core \(core)")
  }
}
