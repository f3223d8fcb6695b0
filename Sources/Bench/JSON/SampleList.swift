/// The list: fifty articles, 8 KB, in the shape of `GET /json/50`. Many small objects, one inside the other.

public import MartletJSON

public struct SampleList: JSONBenchValue {
  var items: [SampleArticle]
  var count: Int

  package init(count: Int) {
    items = (1...count).map { SampleArticle(number: $0) }
    self.count = count
  }
}

public struct SampleArticle: JSONBenchValue {
  struct Rating: JSONBenchValue {
    var score: Double
    var count: Int
  }

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

extension SampleList: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    try json.member("items", items)
    json.member("count", count)
    json.endObject()
  }

  public init(from json: inout JSONReader) throws {
    var items: [SampleArticle]?
    var count: Int?
    try json.beginObject()
    while let member = try json.nextName() {
      switch member {
      case "items": items = try json.read()
      case "count": count = try json.read()
      default: try json.skip()
      }
    }
    self.items = try json.require(items, "items")
    self.count = try json.require(count, "count")
  }
}

extension SampleArticle: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    json.member("id", id)
    json.member("name", name)
    json.member("category", category)
    try json.member("price", price)
    json.member("quantity", quantity)
    json.member("active", active)
    try json.member("tags", tags)
    try json.member("rating", rating)
    try json.member("total", total)
    json.endObject()
  }

  public init(from json: inout JSONReader) throws {
    var id: Int?
    var name: String?
    var category: String?
    var price: Double?
    var quantity: Int?
    var active: Bool?
    var tags: [String]?
    var rating: Rating?
    var total: Double?
    try json.beginObject()
    while let member = try json.nextName() {
      switch member {
      case "id": id = try json.read()
      case "name": name = try json.read()
      case "category": category = try json.read()
      case "price": price = try json.read()
      case "quantity": quantity = try json.read()
      case "active": active = try json.read()
      case "tags": tags = try json.read()
      case "rating": rating = try json.read()
      case "total": total = try json.read()
      default: try json.skip()
      }
    }
    self.id = try json.require(id, "id")
    self.name = try json.require(name, "name")
    self.category = try json.require(category, "category")
    self.price = try json.require(price, "price")
    self.quantity = try json.require(quantity, "quantity")
    self.active = try json.require(active, "active")
    self.tags = try json.require(tags, "tags")
    self.rating = try json.require(rating, "rating")
    self.total = try json.require(total, "total")
  }
}

extension SampleArticle.Rating: JSONEncodable, JSONDecodable {
  func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    try json.member("score", score)
    json.member("count", count)
    json.endObject()
  }

  init(from json: inout JSONReader) throws {
    var score: Double?
    var count: Int?
    try json.beginObject()
    while let member = try json.nextName() {
      switch member {
      case "score": score = try json.read()
      case "count": count = try json.read()
      default: try json.skip()
      }
    }
    self.score = try json.require(score, "score")
    self.count = try json.require(count, "count")
  }
}
