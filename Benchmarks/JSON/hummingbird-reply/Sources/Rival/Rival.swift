/// GET /json/50 on Hummingbird 2, one event loop: built and serialised (Codable, Foundation's JSONEncoder: its default) for each request, as Martlet
/// does. `Rival PORT`.

import Hummingbird
import NIOPosix

struct Rating: Encodable {
  var score: Double
  var count: Int
}

struct Item: Encodable {
  var id: Int
  var name: String
  var category: String
  var price: Double
  var quantity: Int
  var active: Bool
  var tags: [String]
  var rating: Rating
  var total: Double

  init(number: Int) {
    id = number
    name = "Item \(number)"
    category = ["books", "electronics", "garden"][number % 3]
    price = Double(999 + number * 250) / 100
    quantity = 1 + number % 7
    active = number % 4 != 0
    tags = ["new", number % 2 == 0 ? "sale" : "stock", "popular"]
    rating = Rating(score: Double(10 + number % 41) / 10, count: number * 3 % 500)
    total = price * Double(quantity)
  }
}

struct List: ResponseEncodable {
  var items: [Item]
  var count: Int
}

@main
struct Rival {
  static func main() async throws {
    let router = Router()
    router.get("/json/{count}") { _, context in
      let count = try context.parameters.require("count", as: Int.self)
      guard 1...1000 ~= count else { throw HTTPError(.badRequest) }
      return List(items: (1...count).map { Item(number: $0) }, count: count)
    }
    var application = Application(
      router: router, configuration: .init(address: .hostname("127.0.0.1", port: Int(CommandLine.arguments[1])!)),
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)))
    application.logger.logLevel = .error
    try await application.runService()
  }
}
