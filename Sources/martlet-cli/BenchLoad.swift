/// `martlet bench load`: the options of CONTRACT section 7, handed over to `LoadOptions`.

import ArgumentParser
import Bench
import CacheServer

struct BenchLoad: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "load",
    abstract: "Put a load on a server, check every reply, and tell latency and CPU time.",
    discussion: """
      A target is http://HOST:PORT, resp://HOST:PORT or memcached://HOST:PORT, or unix:/PATH in place of HOST:PORT. A value is a \
      function of its key: every byte of every reply is checked, and anything else than what was due is an error (exit status 1).

      Without --rate a connection sends when it is answered (closed loop). With --rate requests are due at fixed times, and latency \
      counts from these: a server that stands still shows it, and so do requests that could not be sent at all.

        martlet bench load --target resp://127.0.0.1:6379 --preload --pipeline 16 --zipf 0.99
        martlet bench load --target http://127.0.0.1:8080/json/50 --rate 2000 --duration 30
        martlet bench load --target memcached://127.0.0.1:11211 --mix get:90,set:9,delete:1 --value-bytes 16-65536
      """)

  @Option(help: ArgumentHelp("Whom the load is for.", valueName: "url"))
  var target: String
  @Option(help: ArgumentHelp("Connections, over all threads.", valueName: "n"))
  var connections = 64
  @Option(help: ArgumentHelp("Requests under way on a connection; a closed loop sends as many with one write.", valueName: "n"))
  var pipeline = 1
  @Option(help: ArgumentHelp("Loops, one thread each.", valueName: "n"))
  var threads = 1
  @Option(help: ArgumentHelp("How long to measure.", valueName: "seconds"))
  var duration = 10.0
  @Option(help: ArgumentHelp("Stop after so many requests, if that is sooner.", valueName: "n"))
  var requests: Int?
  @Option(help: ArgumentHelp("Open loop: so many requests a second, over all connections.", valueName: "n"))
  var rate: Double?
  @Option(help: ArgumentHelp("Operations and their weights: get, set, delete, mget. (default: get:9,set:1)", valueName: "mix"))
  var mix: String?
  @Option(help: ArgumentHelp("Keys of one mget.", valueName: "n"))
  var batch = 16
  @Option(help: ArgumentHelp("HTTP: GET this path instead of keys; its body must be the same each time.", valueName: "path"))
  var path: String?
  @Option(help: ArgumentHelp("With --path: POST this JSON instead.", valueName: "json"))
  var body: String?
  @Option(help: ArgumentHelp("With --path: the status that replies must have. (default: any from 200 to 299)", valueName: "n"))
  var status: Int?
  @Flag(help: "With --path: the body of the reply may be another each time.")
  var anyBody = false
  @Flag(help: "With --path: the members of the reply's JSON may stand in another order each time.")
  var anyOrder = false
  @Option(help: ArgumentHelp("How many keys there are.", valueName: "n"))
  var keys = 1_000_000
  @Option(help: ArgumentHelp("Draw keys from a Zipf distribution of this exponent. (default: all alike)", valueName: "theta"))
  var zipf: Double?
  @Flag(help: "Ask for one key after the other.")
  var scan = false
  @Option(help: ArgumentHelp("A hot set: 0.1:0.9 gives a tenth of the keys nine tenths of the requests.", valueName: "part:share"))
  var hot: String?
  @Option(help: ArgumentHelp("The length of a key.", valueName: "n"))
  var keyBytes = 16
  @Option(help: ArgumentHelp("The length of a value, or a range: 16-65536.", valueName: "n"))
  var valueBytes = "64"
  @Option(help: ArgumentHelp("Let what is stored expire.", valueName: "seconds"))
  var ttl: Int?
  @Option(help: ArgumentHelp("Let what is stored expire all at once, at this Unix time.", valueName: "seconds"))
  var expireAt: Int?
  @Flag(help: "Store every key first; not measured.")
  var preload = false
  @Option(help: ArgumentHelp("Send for so long before measuring.", valueName: "seconds"))
  var warmUp = 0.0
  @Option(help: ArgumentHelp("A request without any reply for so long has failed; its connection is dialled anew.", valueName: "seconds"))
  var timeout = 5.0
  @Option(help: ArgumentHelp("The server's process, its children included: tells its CPU time per operation.", valueName: "pid"))
  var serverPid: Int?
  @Option(help: ArgumentHelp("The cores of the threads: 1 or 2,3. (default: wherever the system likes)", valueName: "cores"))
  var pin: String?
  @Option(help: ArgumentHelp("What keys and operations are drawn from.", valueName: "n"))
  var seed: UInt64 = 1
  @Option(help: "The token that the server wants.")
  var token: String?
  @Flag(help: "One JSON object on standard output instead of text.")
  var json = false

  func run() throws {
    let options = try LoadOptions(texts)
    let report = try LoadRun(options).run()
    print(options.json ? report.json : report.text)
    if let note = report.note { printError("martlet: \(note)") }
    if let failure = report.failure { throw failure }
  }

  private var texts: LoadOptionTexts {
    var texts = LoadOptionTexts()
    (texts.target, texts.connections, texts.pipeline, texts.threads) = (target, connections, pipeline, threads)
    (texts.duration, texts.requests, texts.rate, texts.warmUp, texts.timeout) = (duration, requests, rate, warmUp, timeout)
    (texts.mix, texts.batch, texts.path, texts.anyBody, texts.anyOrder) = (mix, batch, path, anyBody, anyOrder)
    (texts.body, texts.status, texts.expireAt) = (body, status, expireAt)
    (texts.keys, texts.zipf, texts.scan, texts.hot, texts.seed) = (keys, zipf, scan, hot, seed)
    (texts.keyBytes, texts.valueBytes, texts.ttl, texts.preload) = (keyBytes, valueBytes, ttl, preload)
    (texts.serverPID, texts.pin, texts.token, texts.json) = (serverPid, pin, token, json)
    return texts
  }
}
