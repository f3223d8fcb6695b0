/// What the routes answer with (Benchmarks/README.md), whatever carries it.

import Hummingbird

struct Message: ResponseEncodable {
  var message: String
}

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

  init(count: Int) {
    items = (1...count).map { Item(number: $0) }
    self.count = count
  }
}

struct User: ResponseEncodable {
  var id: Int
  var name: String
  var email: String?
  var active: Bool

  init(id: Int, isVerbose: Bool) {
    self.id = id
    name = "User \(id)"
    email = isVerbose ? "user\(id)@example.com" : nil
    active = id % 2 == 0
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

  func check() throws {
    try need(customer > 0, "customer must be a whole number above 0")
    try need(currency.utf8.count == 3 && currency.utf8.allSatisfy { 0x41...0x5A ~= $0 }, "currency must be three capital letters")
    try need(1...100 ~= items.count, "items must be from 1 to 100")
    try need((note?.utf8.count ?? 0) <= 200, "note must have at most 200 bytes")
    for item in items {
      try need(1...32 ~= item.sku.utf8.count, "sku must have from 1 to 32 bytes")
      try need(1...1000 ~= item.quantity, "quantity must be a whole number from 1 to 1000")
      try need(item.price > 0 && item.price <= 1_000_000, "price must be above 0 and at most 1000000")
    }
  }

  private func need(_ holds: Bool, _ reason: String) throws {
    if !holds { throw HTTPError(.unprocessableContent, message: reason) }
  }
}

struct Receipt: ResponseEncodable {
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
