/// Conditions, versions, increments, updates: what lets a write go ahead, and what it leaves when it does not.

import MartletBytes
import Testing

@testable import MartletCache

@Suite("Conditions and versions")
struct ConditionTests {
  enum Verb: CaseIterable { case put, delete, update }
  enum State: CaseIterable { case absent, present, expired, stale }

  @Test("Each condition decides alike for each verb and state", arguments: Verb.allCases, State.allCases)
  func matrix(verb: Verb, state: State) throws {
    let later = UnixTime.start + 100
    for choice in 0..<8 {
      let store = makeStore()
      var version: UInt64 = 0
      switch state {
      case .absent: break
      case .present: version = try store.set("k", "old").version
      case .expired: version = try store.set("k", "old", expiry: .start + 50).version
      case .stale: version = try store.set("k", "old", expiry: .start + 50, staleUntil: .start + 500).version
      }
      let condition: PutCondition =
        [
          .always, .ifAbsent, .ifPresent, .ifVersion(version), .ifVersion(version + 1), .ifVersionIn([1, version]),
          .ifVersionIn([]), .ifVersionNotIn([version]),
        ][choice]
      let isPresent = state == .present
      let holds = [true, !isPresent, isPresent, isPresent, false, isPresent, false, !isPresent][choice]
      let failure = CacheError.conditionFailed(current: isPresent ? version : nil)
      switch verb {
      case .put:
        if holds {
          let result = try store.set("k", "new", if: condition, at: later)
          #expect(isPresent == (result == .replaced(version: result.version)))
          #expect(store.text("k", at: later) == "new")
        } else {
          #expect(throws: failure) { try store.set("k", "new", if: condition, at: later) }
          #expect(store.text("k", at: later) == (isPresent ? "old" : nil))
        }
      case .delete:
        if holds {
          #expect(try store.remove("k", if: condition, at: later) == isPresent)
          #expect(store.text("k", stale: true, at: later) == nil)
        } else {
          #expect(throws: failure) { try store.remove("k", if: condition, at: later) }
          #expect(store.text("k", at: later) == (isPresent ? "old" : nil))
        }
      case .update:
        if holds {
          let new = try store.change("k", if: condition, at: later) { $0 + "er" }
          #expect((new != nil) == isPresent)
          #expect(store.text("k", at: later) == (isPresent ? "older" : nil))
        } else {
          do throws(UpdateError<Never>) {
            _ = try store.change("k", if: condition, at: later) { $0 }
            Issue.record("an update went ahead against \(condition)")
          } catch {
            guard case .cache(failure) = error else {
              Issue.record("\(error)")
              continue
            }
          }
        }
      }
    }
  }

  @Test("No version is given twice for a key: not when deleted, expired, flushed, or with a clock that stands still")
  func unique() throws {
    let store = makeStore()
    var last: UInt64 = 0
    for round in 0..<20_000 {
      let version = try store.set("k", "v", expiry: round % 7 == 0 ? .start : .never).version
      #expect(version > last)
      last = version
      if round % 3 == 0 { try store.remove("k") }
      if round % 1000 == 0 { store.removeAll(at: .start) }
    }
    // The clock went back.
    #expect(try store.set("k", "v", at: .start + -1_000_000).version > last)
  }

  @Test("A store that begins later begins above all versions of the one before")
  func restart() throws {
    let before = makeStore(origin: .start)
    var last: UInt64 = 0
    for index in 0..<4000 { last = max(last, try before.set("k\(index % 10)", "v").version) }
    let after = makeStore(origin: .start + 1000)
    for index in 0..<10 { #expect(try after.set("k\(index)", "v", at: .start + 1000).version > last) }
  }

  @Test("Versions are exact in a double until 2039, and times beyond all bounds do no harm")
  func versionRange() throws {
    #expect(Version.first(at: UnixTime(milliseconds: 2_190_000_000_000)) < 1 << 53)
    #expect(Version.time(Version.first(at: .start)) == .start)
    let store = makeStore(origin: UnixTime(milliseconds: .min))
    #expect(try store.set("k", "v", at: UnixTime(milliseconds: .min)).version > 0)
    let far = try store.set("k", "v", at: .never).version
    #expect(try store.set("k", "v", at: .never).version == far + 1)
  }

  @Test("An update keeps expiry, tags, type and flags, and gives a new version")
  func updateKeeps() throws {
    let store = makeStore()
    for text in ["same", "longer than before", "s"] {
      let old = try store.set(
        "k", "four", expiry: .start + 100, staleUntil: .start + 200, flags: 9, type: "text/plain", tags: "a,b"
      ).version
      let version = try store.change("k", at: .start + 10) { _ in text }
      #expect(version ?? 0 > old)
      withBytes("k") { key in
        let found: Void? = store.get(key, at: .start + 10) { entry in
          #expect(entry.value.text == text && entry.expiry == .start + 100 && entry.staleUntil == .start + 200)
          #expect(entry.flags == 9 && entry.contentType.text == "text/plain" && entry.tags.text == "a,b")
          #expect(entry.version == version && entry.storedAt == .start + 10)
        }
        #expect(found != nil)
      }
    }
  }

  @Test("An update that throws leaves the entry as it was")
  func updateThrows() throws {
    struct Refusal: Error, Equatable {}
    let store = makeStore()
    let version = try store.set("k", "v").version
    withBytes("k") { key in
      do throws(UpdateError<Refusal>) {
        _ = try store.update(key, at: .start) { _ throws(Refusal) in throw Refusal() }
        Issue.record("it did not throw")
      } catch {
        guard case .body = error else {
          Issue.record("\(error)")
          return
        }
      }
    }
    #expect(store.text("k") == "v" && store.version("k") == version)
  }

  @Test("An update to a value that is too large leaves the entry as it was")
  func updateTooLarge() throws {
    let store = makeStore(valueBytesMax: 100)
    try store.set("k", "v")
    do throws(UpdateError<Never>) {
      _ = try store.change("k") { _ in String(repeating: "x", count: 101) }
      Issue.record("it did not throw")
    } catch {
      guard case .cache(.valueTooLarge(limit: 100)) = error else {
        Issue.record("\(error)")
        return
      }
    }
    #expect(store.text("k") == "v")
  }

  @Test("Increments are exact to the ends of Int64")
  func incrementEdges() throws {
    let store = makeStore()
    #expect(try store.add("new", 1) == 1)
    #expect(try store.add("new", -2) == -1)
    #expect(try store.add("initial", 5, initial: 37) == 42)
    try store.set("k", "9223372036854775806")
    #expect(try store.add("k", 1) == .max)
    #expect(throws: CacheError.overflow) { try store.add("k", 1) }
    #expect(store.text("k") == "9223372036854775807")
    #expect(try store.add("k", .min) == -1)
    try store.set("k", "-9223372036854775808")
    #expect(try store.add("k", 0) == .min)
    #expect(throws: CacheError.overflow) { try store.add("k", -1) }
    #expect(throws: CacheError.overflow) { try store.add("absent", 1, initial: .max) }
    #expect(store.text("absent") == nil)
    for number in [9, 99, 999, -1, -10, 0] as [Int64] {
      try store.set("k", "\(number)")
      #expect(try store.add("k", 1) == number + 1)
      #expect(store.text("k") == "\(number + 1)")
    }
  }

  @Test(
    "What is not the shortest text of an Int64 is no integer, and stays",
    arguments: ["", " 1", "1 ", "01", "-01", "+1", "-0", "--1", "-", "1.0", "1e3", "9223372036854775808", "-9223372036854775809", "x"])
  func notAnInteger(text: String) throws {
    let store = makeStore()
    let version = try store.set("k", text).version
    #expect(throws: CacheError.notAnInteger) { try store.add("k", 1) }
    #expect(store.text("k") == text && store.version("k") == version)
  }

  @Test("An increment keeps the expiry of an entry, and gives one only to a new entry")
  func incrementExpiry() throws {
    let store = makeStore()
    try store.add("k", 1, expiry: .start + 100)
    try store.add("k", 9, expiry: .start + 900)
    #expect(store.text("k", at: .start + 99) == "10" && store.text("k", at: .start + 100) == nil)
    #expect(try store.add("k", 1, expiry: .start + 300, at: .start + 100) == 1)
    #expect(store.text("k", at: .start + 299) == "1")
  }

  @Test("Keys, values, types and tags beyond their limits are refused, naming the limit")
  func tooLarge() throws {
    let store = makeStore(valueBytesMax: 1000)
    #expect(throws: CacheError.valueTooLarge(limit: 1000)) { try store.set("k", String(repeating: "v", count: 1001)) }
    #expect(throws: CacheError.valueTooLarge(limit: 1000)) { try store.set("k", String(repeating: "v", count: 100_000)) }
    #expect(throws: CacheError.keyTooLarge(limit: 65_536)) { try store.set(String(repeating: "k", count: 65_537), "") }
    #expect(throws: CacheError.contentTypeTooLarge(limit: 1024)) { try store.set("k", "", type: String(repeating: "t", count: 1025)) }
    #expect(throws: CacheError.tagsTooLarge(limit: TagList.bytesMax)) {
      try store.set("k", "", tags: String(repeating: "t", count: TagList.bytesMax + 1))
    }
    #expect(store.statistics.entries == 0)
    try store.set("k", String(repeating: "v", count: 1000))
    #expect(store.limitBytes == 64 << 20 && store.valueBytesMax == 1000)
  }
}
