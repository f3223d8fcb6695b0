/// `GET /json/{count}` through Codable, for scripts/json-contest: the same reply as martlet's own route, whose items write themselves.
///
///     json-server PORT

import Bench
import Martlet

guard let port = CommandLine.arguments.dropFirst().first.flatMap({ UInt16($0) }) else { fatalError("usage: json-server PORT") }
let encoder = MartletJSON.Encoder()

var router = Router()
router.get("/json/{count}") { request, response in
  guard let count = Int(request.parameter(0).text), 1...1000 ~= count else { throw HTTPError(.badRequest, "1 to 1000 items") }
  response.head(.ok)
  // With an encoder Codable is meant, though the type has the fast lane, too.
  try response.json(SampleList(count: count), by: encoder)
}

var options = HTTPServer.Options(address: .tcp(host: "127.0.0.1", port: port))
options.server.threads = 1
try HTTPServer(router: router, options: options).run()
