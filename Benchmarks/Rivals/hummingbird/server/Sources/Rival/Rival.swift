/// The shop on Hummingbird 2, one event loop, with its default coders (Foundation's). `Rival PORT`.

import Hummingbird
import NIOPosix

@main
struct Rival {
  static func main() async throws {
    let routes = Router()
    routes.get("/json") { _, _ in Message(message: "Hello, World!") }
    routes.get("/json/{count}") { _, context in
      let count = try context.parameters.require("count", as: Int.self)
      guard 1...1000 ~= count else { throw HTTPError(.badRequest, message: "count must be a whole number from 1 to 1000") }
      return List(count: count)
    }
    routes.get("/users/{id}") { request, context in
      let id = try context.parameters.require("id", as: Int.self)
      guard id > 0 else { throw HTTPError(.badRequest, message: "id must be a whole number above 0") }
      return User(id: id, isVerbose: try request.uri.queryParameters.get("verbose", as: Bool.self) ?? false)
    }
    routes.post("/orders") { request, context in
      let order = try await request.decode(as: Order.self, context: context)
      try order.check()
      return EditedResponse(status: .created, response: Receipt(of: order))
    }
    var application = Application(
      router: routes, configuration: .init(address: .hostname("127.0.0.1", port: Int(CommandLine.arguments[1])!)),
      eventLoopGroupProvider: .shared(MultiThreadedEventLoopGroup(numberOfThreads: 1)))
    application.logger.logLevel = .error
    try await application.runService()
  }
}
