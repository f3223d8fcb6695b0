import MartletServer
import Testing

@testable import CacheServer

@Suite("ServeOptions")
struct ServeOptionsTests {
  static func raw(_ flags: [(Setting, String)], environment: [String: String] = [:]) -> RawSettings {
    var raw = RawSettings()
    for (setting, text) in flags { raw.offer(text, for: setting, from: .flag) }
    raw.offer { environment[$0] }
    return raw
  }

  static func message(_ raw: RawSettings) -> String? {
    do throws(UsageError) {
      _ = try ServeOptions(raw)
      return nil
    } catch { return error.description }
  }

  @Test("Nothing given gives the documented defaults")
  func defaults() throws {
    let options = try ServeOptions(RawSettings())
    #expect(options.http.description == "127.0.0.1:8080")
    #expect(options.threads >= 1)
    #expect(options.memory >= ServeOptions.memoryMin)
    #expect(options.eviction == .s3fifo)
    #expect(options.token == nil && !options.insecure && !options.enableDebug)
    #expect(options.connectionsMax == 65_536)
    #expect(options.bodyLimit == .mebibytes(8))
    #expect(options.drainSeconds == 10 && options.drainDelaySeconds == 0)
  }

  @Test("Flags beat the environment, and an empty variable counts as unset")
  func precedence() throws {
    let both = Self.raw([(.threads, "3")], environment: ["MARTLET_THREADS": "4", "MARTLET_BODY_LIMIT": "1KiB", "MARTLET_DRAIN": ""])
    let options = try ServeOptions(both)
    #expect(options.threads == 3)
    #expect(options.bodyLimit == .kibibytes(1))
    #expect(options.drainSeconds == 10)
  }

  @Test(
    "A bad value is one line that names the place and the mend",
    arguments: [
      (Setting.http, "nowhere", "--http: 'nowhere' is not understood; write host:port"),
      (.threads, "0", "--threads: '0' is not understood; write a whole number from 1"),
      (.memory, "12XB", "--memory: '12XB' is not understood; write bytes or a size like"),
      (.memory, "31MiB", "--memory: 31MiB is too little; give at least 32MiB"),
      (.eviction, "lru", "--eviction: 'lru' is not understood; write s3fifo or none"),
      (.logLevel, "loud", "--log-level: 'loud' is not understood; write one of trace"),
      (.connections, "many", "--connections: 'many' is not understood"),
      (.bodyLimit, "65MiB", "--body-limit: 65MiB is too much; give at most 64MiB"),
      (.bodyLimit, "0", "--body-limit: 0 would refuse every body"),
      (.drain, "-1", "--drain: '-1' is not understood; write seconds"),
      (.drain, "nan", "--drain: 'nan' is not understood"),
      (.drainDelay, "x", "--drain-delay: 'x' is not understood"),
      (.insecure, "maybe", "--insecure: 'maybe' is not understood; write true or false"),
      (.token, "", "--token: the token is empty"),
      (.token, "a b", "--token: a token is made of visible ASCII"),
      (.tokenFile, "/does/not/exist", "--token-file: cannot read '/does/not/exist'"),
      (.resp, "nowhere", "--resp: 'nowhere' is not understood; write host:port"),
      (.resp, "0.0.0.0:6379", "--resp: 0.0.0.0:6379 can be reached from other machines; give --token"),
      (.memcached, "nowhere", "--memcached: 'nowhere' is not understood; write host:port"),
      (.memcached, "0.0.0.0:11211", "--memcached: 0.0.0.0:11211 can be reached from other machines; give --token"),
      (.http, "0.0.0.0:80", "--http: 0.0.0.0:80 can be reached from other machines; give --token"),
    ])
  func badValues(setting: Setting, text: String, message: String) throws {
    let found = try #require(Self.message(Self.raw([(setting, text)])))
    #expect(found.hasPrefix(message))
    #expect(!found.contains("\n"))
  }

  @Test("An error in the environment names the variable")
  func environmentPlace() {
    #expect(Self.message(Self.raw([], environment: ["MARTLET_MEMORY": "x"]))?.hasPrefix("MARTLET_MEMORY: 'x'") == true)
  }

  @Test("A token, or --insecure, opens a public address; both may be given")
  func publicAddress() {
    #expect(Self.message(Self.raw([(.http, "0.0.0.0:80"), (.token, "t")])) == nil)
    #expect(Self.message(Self.raw([(.http, "0.0.0.0:80"), (.insecure, "true")])) == nil)
    #expect(Self.message(Self.raw([(.http, "[::]:80"), (.insecure, "1"), (.token, "t")])) == nil)
  }

  @Test("Token and token file from one place contradict each other; the stronger place wins otherwise")
  func tokenSources() throws {
    #expect(Self.message(Self.raw([(.token, "t"), (.tokenFile, "/x")]))?.contains("give one of the two") == true)
    let mixed = Self.raw([(.token, "t")], environment: ["MARTLET_TOKEN_FILE": "/does/not/exist"])
    #expect(try ServeOptions(mixed).token == "t")
    let other = Self.raw([(.tokenFile, "/does/not/exist")], environment: ["MARTLET_TOKEN": "t"])
    #expect(Self.message(other)?.hasPrefix("--token-file: cannot read") == true)
  }

  @Test("off is a listener too")
  func off() throws {
    #expect(try ServeOptions(Self.raw([(.http, "off"), (.resp, "off")])).http == .off)
  }

  @Test("Every setting has a flag and a variable of the documented form")
  func names() {
    #expect(Setting.bodyLimit.flag == "--body-limit")
    #expect(Setting.bodyLimit.environmentName == "MARTLET_BODY_LIMIT")
    #expect(Setting.allCases.count == 16)
  }
}
