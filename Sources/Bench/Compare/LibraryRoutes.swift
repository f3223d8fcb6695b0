/// Routes as a user of the library writes them, to be compared with frameworks: parameters and bodies with types, `Codable` both ways.
///
/// Benchmarks/README.md says what they take and answer; rivals do the same. Nothing here is made faster than a reader would write it.

import MartletAPI
import MartletBytes
import MartletHTTP
import MartletJSON
import MartletServer

public enum LibraryRoutes {
  /// Serves until a signal ends it; says where on standard output, as `martlet serve` does. Blocks, on the main thread.
  public static func serve(on address: String) throws(BenchError) {
    guard let listen = ListenAddress(address), listen != .off, listen.isLocal else {
      throw .usage("--http is host:port of this machine, a port or unix:/path, not '\(address)'")
    }
    var options = HTTPServer.Options(address: listen)
    options.server.threads = 1
    do {
      try HTTPServer(router: router, options: options).run { address in StandardStreams.output("listening http \(address)\nready") }
    } catch { throw .failure("\(error)") }
  }

  static var router: Router {
    var router = Router()
    router.get("/json") { _, response in
      response.head(.ok)
      try response.json(Message(message: "Hello, World!"))
    }
    router.get("/json/{count}") { request, response in
      guard let count = Int(request.parameter(0).text), 1...1000 ~= count else { throw HTTPError(.badRequest, "count is from 1 to 1000") }
      response.head(.ok)
      try response.json(SampleList(count: count), by: MartletJSON.Encoder())
    }
    router.get("/users/{id}") { request, response in
      guard let id = Int(request.parameter(0).text), id > 0 else { throw HTTPError(.badRequest, "id is a whole number above 0") }
      let isVerbose = try verbose(request)
      response.head(.ok)
      try response.json(User(id: id, isVerbose: isVerbose))
    }
    router.post("/orders") { request, response in
      let order: Order = try request.json()
      try order.validate()
      response.head(.created)
      try response.json(Receipt(of: order))
    }
    return router
  }

  private static func verbose(_ request: borrowing Request) throws -> Bool {
    var isVerbose = false
    try request.forEachQueryItem { name, value in
      guard name.equals("verbose"), value.equals("true") || value.equals("false") else {
        throw HTTPError(.badRequest, "verbose is true or false, and there is no other parameter")
      }
      isVerbose = value.equals("true")
    }
    return isVerbose
  }
}

struct Message: Encodable {
  var message: String
}

struct User: Encodable {
  var id: Int
  var name: String
  var email: String?
  var active: Bool

  init(id: Int, isVerbose: Bool) {
    self.id = id
    name = "User \(id)"
    email = isVerbose ? "user\(id)@example.com" : nil
    active = id.isMultiple(of: 2)
  }
}

struct Order: Decodable {
  struct Item: Decodable {
    var sku: String
    var quantity: Int
    var price: Double
  }

  var customer: Int
  var currency: String
  var items: [Item]
  var note: String?

  func validate() throws(HTTPError) {
    try require(customer > 0, "/customer", "a whole number above 0")
    try require(currency.utf8.count == 3 && currency.utf8.allSatisfy { 0x41...0x5A ~= $0 }, "/currency", "three capital letters")
    try require(1...100 ~= items.count, "/items", "from 1 to 100 items")
    try require((note?.utf8.count ?? 0) <= 200, "/note", "at most 200 bytes")
    for (index, item) in items.enumerated() {
      try require(1...32 ~= item.sku.utf8.count, "/items/\(index)/sku", "from 1 to 32 bytes")
      try require(1...1000 ~= item.quantity, "/items/\(index)/quantity", "a whole number from 1 to 1000")
      try require(item.price > 0 && item.price <= 1_000_000, "/items/\(index)/price", "above 0 and at most 1000000")
    }
  }

  private func require(_ holds: Bool, _ pointer: @autoclosure () -> String, _ rule: String) throws(HTTPError) {
    if !holds { throw HTTPError(.unprocessableContent, "must be \(rule)", pointer: pointer()) }
  }
}

struct Receipt: Encodable {
  var customer: Int
  var items: Int
  var quantity: Int
  var total: Double

  init(of order: Order) {
    customer = order.customer
    items = order.items.count
    quantity = order.items.reduce(0) { $0 + $1.quantity }
    total = order.items.reduce(0) { $0 + $1.price * Double($1.quantity) }
  }
}
