/// `GET /json` and `GET /json/{count}`: what the benchmarks ask for, built and serialised anew for each request.

internal import MartletAPI
internal import MartletBytes
internal import MartletHTTP
internal import MartletJSON

enum JSONRoutes {
  static let itemCountMax = 1000

  static func add(to router: inout Router) {
    router.get("/json", message)
    router.get("/json/{count}", items)
  }

  static func message(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    try request.refuseQuery()
    response.head(.ok)
    try response.json { json in
      json.beginObject()
      json.member("message", "Hello, World!" as StaticString)
      json.endObject()
    }
  }

  static func items(_ request: borrowing Request, _ response: inout ResponseWriter) throws {
    try request.refuseQuery()
    guard let count = Digits.parseUnsigned(request.parameter(0)), 1...UInt64(itemCountMax) ~= count else {
      throw HTTPError(.badRequest, "count is a whole number from 1 to \(itemCountMax)", limit: itemCountMax)
    }
    response.head(.ok)
    try response.json { json in
      json.beginObject()
      json.key("items")
      json.beginArray()
      for number in 1...Int(count) { try SampleItem(number: number).write(to: &json) }
      json.endArray()
      json.member("count", Int(count))
      json.endObject()
    }
  }
}

/// An article of a made-up shop: every kind of JSON value, about 160 bytes.
struct SampleItem {
  struct Rating {
    var score: Double
    var count: Int
  }

  var id: Int
  var name: String
  var category: StaticString
  var price: Double
  var quantity: Int
  var active: Bool
  var tags: (StaticString, StaticString, StaticString)
  var rating: Rating

  var total: Double { price * Double(quantity) }

  init(number: Int) {
    id = number
    name = "Item \(number)"
    category = number % 3 == 0 ? "books" : number % 3 == 1 ? "electronics" : "garden"
    price = Double(999 + number * 250) / 100
    quantity = 1 + number % 7
    active = number % 4 != 0
    tags = ("new", number % 2 == 0 ? "sale" : "stock", "popular")
    rating = Rating(score: Double(10 + number % 41) / 10, count: number * 3 % 500)
  }

  func write(to json: inout JSONWriter) throws {
    json.beginObject()
    json.member("id", id)
    json.member("name", name)
    json.member("category", category)
    try json.member("price", price)
    json.member("quantity", quantity)
    json.member("active", active)
    json.key("tags")
    json.beginArray()
    json.string(tags.0)
    json.string(tags.1)
    json.string(tags.2)
    json.endArray()
    json.key("rating")
    json.beginObject()
    try json.member("score", rating.score)
    json.member("count", rating.count)
    json.endObject()
    try json.member("total", total)
    json.endObject()
  }
}
