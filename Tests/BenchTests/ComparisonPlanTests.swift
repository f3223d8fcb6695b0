// The data of Benchmarks as it lies in the repository, and what is said of folders and files that are wrong.

import MartletBytes
import MartletJSON
import Testing

@testable import Bench

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#else
  import Darwin
#endif

@Suite struct ComparisonPlanTests {
  private func plan(_ change: (inout CompareOptions) -> Void) throws -> ComparisonPlan {
    var options = CompareOptions()
    (options.rivals, options.commit) = (Repository.benchmarks, "abc")
    change(&options)
    return try ComparisonPlan(options)
  }

  @Test("Every rival and every workload of the repository is understood, and each has a reason")
  func repository() throws {
    let plan = try plan { $0.tiny = true }
    #expect(plan.workloads.count >= 20 && plan.workloads.allSatisfy { !$0.why.isEmpty && !$0.id.isEmpty })
    #expect(Set(plan.workloads.map(\.scheme)) == ["http", "resp", "memcached"])
    #expect(plan.effort == .tiny)
  }

  @Test("Everyone whom the contract names has a folder, and what it serves is asked for")
  func everyone() throws {
    let names = ["echo", "fasthttp", "gin", "hummingbird", "hyper", "memcached", "net-http", "nginx", "node", "redis"]
    let plan = try plan { $0.tiny = true }
    #expect(Set(plan.rivals.map(\.name)).isSuperset(of: names))
    let asked = Set(plan.workloads.compactMap(\.path)).union(["/v1/cache/{key}"])
    for entry in plan.rivals {
      #expect(plan.workloads.contains { entry.rival.canTake($0) }, "\(entry.name)")
      #expect(asked.isSuperset(of: entry.rival.paths ?? []), "\(entry.name)")
      let isBuilt = entry.rival.program.hasPrefix(Repository.benchmarks + "/.build/\(entry.name)/")
      #expect(isBuilt == (entry.rival.build != nil) && entry.rival.command[0] == entry.rival.program, "\(entry.name)")
    }
  }

  @Test("Who is not built is absent; so is who could not be had, though an older program may be there, with the reason")
  func notBuilt() throws {
    let data = Self.rival(program: "{built}/x").replacing("\"command\"", with: #""build": {"command": ["true"], "needs": {}}, "command""#)
    let folder = try Folders(["Rivals/x/rival.json": data, "Workloads/w.json": Self.workload])
    #expect(try plan { $0.rivals = folder.path }.absent.map(\.reason) == ["not built (scripts/bench builds it)"])
    folder.add(".build/x/x", "#!/bin/sh\n")
    folder.makeProgram(".build/x/x")
    #expect(try plan { $0.rivals = folder.path }.absent.isEmpty)
    folder.add(".build/x.missing", "not installed: some-package\n")
    #expect(try plan { $0.rivals = folder.path }.absent.map(\.reason) == ["not installed: some-package"])
  }

  @Test("Who is not installed is absent, with the package that would bring it")
  func absent() throws {
    let folder = try Folders(["Rivals/x/rival.json": Self.rival(program: "no-such-program"), "Workloads/w.json": Self.workload])
    let plan = try plan { $0.rivals = folder.path }
    #expect(plan.absent.map(\.name) == ["x"])
    #expect(plan.absent[0].reason == "no-such-program is not installed (apt-get install some-package)")
    #expect(plan.entries(of: plan.workloads[0]).count == 1)
  }

  @Test("A rival takes part in workloads of its scheme; of paths, in those that it serves")
  func parts() throws {
    let paths = Self.rival(program: "sh").replacing("\"resp\"", with: "\"http\", \"paths\": [\"/json\"]")
    let folder = try Folders([
      "Rivals/x/rival.json": paths, "Workloads/a.json": Self.workload,
      "Workloads/b.json": #"{"name": "b", "scheme": "http", "why": "w", "path": "/json", "options": {}}"#,
      "Workloads/c.json": #"{"name": "c", "scheme": "http", "why": "w", "path": "/other", "options": {}}"#,
      "Workloads/d.json": #"{"name": "d", "scheme": "http", "why": "w", "options": {}}"#,
      "Rivals/y/rival.json": paths.replacing("/json", with: "/v1/cache/{key}"),
    ])
    let plan = try plan { $0.rivals = folder.path }
    #expect(plan.workloads.map { plan.entries(of: $0).count } == [1, 2, 1, 2])
  }

  @Test("Placeholders are filled in, in commands and files")
  func placeholders() throws {
    let folder = try Folders(["rival.conf": "listen {port}; root {scratch}", "out/x": ""])
    let text = Array(Self.rival(program: "x").replacing("[\"echo\", \"1\"]}", with: "[\"echo\", \"1\"], \"files\": [\"rival.conf\"]}").utf8)
    let rival = try MartletJSON.Decoder().decode(Rival.self, from: text.rawSpan)
    let plan = try ServerPlan(rival, folder: folder.path, port: 99, scratch: folder.path + "/out")
    #expect(plan.command == ["x", "--port", "99", folder.path, folder.path + "/out"])
    #expect(plan.target == "resp://127.0.0.1:99")
    #expect(SmallFile.read(folder.path + "/out/rival.conf")?.text == "listen 99; root \(folder.path)/out")
  }

  @Test("What is not there, or not understood, is one line")
  func wrong() throws {
    let broken = try Folders(["Rivals/x/rival.json": "{", "Workloads/w.json": Self.workload])
    let unposted = try Folders(["Rivals/x/y": "", "Workloads/w.json": Self.workload.replacing("{", with: #"{"refused": "x", "#)])
    let bad = try Folders(["Rivals/x/y": "", "Workloads/w.json": Self.workload.replacing("get", with: "got")])
    let empty = try Folders(["Rivals/x/y": ""])
    for (folder, words, against, workloads) in [
      ("/nonexistent", "--rivals: no folder", nil, nil), (broken.path, "Rivals/x/rival.json: ", nil, nil),
      (bad.path, "--mix: no operation", nil, nil), (unposted.path, "'refused' goes with 'body'", nil, nil),
      (empty.path, "no workloads", nil, nil), (Repository.benchmarks, "--against: no rival 'nobody'", "nobody", nil),
      (Repository.benchmarks, "--workloads: no workload 'none'", nil, "none"),
    ] as [(String, String, String?, String?)] {
      let error = try #require(throws: BenchError.self) {
        try plan {
          $0.rivals = folder
          $0.against = against.map { [$0] }
          $0.workloads = workloads.map { [$0] }
        }
      }
      #expect(error.kind == .usage && error.description.contains(words), "\(error)")
    }
  }

  private static let workload = #"{"name": "w", "scheme": "resp", "why": "w", "options": {"mix": "get"}}"#

  private static func rival(program: String) -> String {
    """
    {"name": "x", "scheme": "resp", "program": "\(program)", "package": "some-package",
     "command": ["x", "--port", "{port}", "{folder}", "{scratch}"], "version": ["echo", "1"]}
    """
  }
}

/// Files in a folder of their own, removed with it.
private struct Folders: ~Copyable {
  let path: String

  init(_ files: [String: String]) throws {
    path = try #require(Folder.makeTemporary())
    for (name, text) in files { Self.write(text, to: "\(path)/\(name)") }
  }

  func add(_ name: String, _ text: String) { Self.write(text, to: "\(path)/\(name)") }

  func makeProgram(_ name: String) { #expect(unsafe chmod("\(path)/\(name)", 0o755) == 0) }

  private static func write(_ text: String, to file: String) {
    #expect(Folder.make(String(file[..<file.lastIndex(of: "/")!])))
    #expect(SmallFile.write(text, to: file))
  }

  deinit { Folder.remove(path) }
}
