/// The record: 46 members of every kind, 1 KB as text. What a row of a shop or of accounts looks like.

public import MartletJSON

public struct SampleRecord: JSONBenchValue {
  var id: Int
  var name: String
  var price: Double
  var active: Bool
  var version: Int
  var title: String
  var discount: Double
  var verified: Bool
  var accountID: Int
  var category: String
  var tax: Double
  var archived: Bool
  var parentID: Int
  var sku: String
  var rating: Double
  var featured: Bool
  var visits: Int
  var email: String
  var latitude: Double
  var taxable: Bool
  var credits: Int
  var phone: String
  var longitude: Double
  var shippable: Bool
  var level: Int
  var street: String
  var balance: Double
  var returnable: Bool
  var rank: Int
  var city: String
  var score: Double
  var digital: Bool
  var stock: Int
  var postcode: String
  var weightGrams: Int
  var country: String
  var widthMillimetres: Int
  var currency: String
  var heightMillimetres: Int
  var createdAt: String
  var updatedAt: String
  var description: String
  var note: String?
  var deletedAt: String?
  var tags: [String]
  var sizes: [Int]

  init() {
    id = 7_340_921
    name = "Ada Lovelace"
    price = 19.99
    active = true
    version = 3
    title = "Analyst of Engines"
    discount = 0.15
    verified = true
    accountID = 88213
    category = "household/kitchen"
    tax = 3.1984
    archived = false
    parentID = 0
    sku = "KTL-2000-RED-EU"
    rating = 4.7
    featured = false
    visits = 1_204_557
    email = "ada.lovelace@example.org"
    latitude = 48.858093
    taxable = true
    credits = -250
    phone = "+44 20 7946 0958"
    longitude = 2.294694
    shippable = true
    level = 42
    street = "12 St James's Square"
    balance = -1250.5
    returnable = true
    rank = 9
    city = "München"
    score = 0.8732104561237809
    digital = false
    stock = 1000
    postcode = "SW1Y 4LB"
    weightGrams = 1250
    country = "GB"
    widthMillimetres = 310
    currency = "EUR"
    heightMillimetres = 95
    createdAt = "2024-02-29T12:34:56Z"
    updatedAt = "2025-11-03T08:15:30Z"
    description =
      "A kettle that boils in \"two\" minutes, and sings when it is done; with a lid, a handle of oak, and a spout that does not drip."
    note = "gift"
    deletedAt = nil
    tags = ["new", "kitchen", "sale"]
    sizes = [1, 2, 4, 8, 16]
  }
}

extension SampleRecord: JSONEncodable, JSONDecodable {
  public func encode(to json: inout JSONWriter) throws {
    json.beginObject()
    json.member("id", id)
    json.member("name", name)
    try json.member("price", price)
    json.member("active", active)
    json.member("version", version)
    json.member("title", title)
    try json.member("discount", discount)
    json.member("verified", verified)
    json.member("accountID", accountID)
    json.member("category", category)
    try json.member("tax", tax)
    json.member("archived", archived)
    json.member("parentID", parentID)
    json.member("sku", sku)
    try json.member("rating", rating)
    json.member("featured", featured)
    json.member("visits", visits)
    json.member("email", email)
    try json.member("latitude", latitude)
    json.member("taxable", taxable)
    json.member("credits", credits)
    json.member("phone", phone)
    try json.member("longitude", longitude)
    json.member("shippable", shippable)
    json.member("level", level)
    json.member("street", street)
    try json.member("balance", balance)
    json.member("returnable", returnable)
    json.member("rank", rank)
    json.member("city", city)
    try json.member("score", score)
    json.member("digital", digital)
    json.member("stock", stock)
    json.member("postcode", postcode)
    json.member("weightGrams", weightGrams)
    json.member("country", country)
    json.member("widthMillimetres", widthMillimetres)
    json.member("currency", currency)
    json.member("heightMillimetres", heightMillimetres)
    json.member("createdAt", createdAt)
    json.member("updatedAt", updatedAt)
    json.member("description", description)
    try json.member("note", ifPresent: note)
    try json.member("deletedAt", ifPresent: deletedAt)
    try json.member("tags", tags)
    try json.member("sizes", sizes)
    json.endObject()
  }

  public init(from json: inout JSONReader) throws {
    var id: Int?
    var name: String?
    var price: Double?
    var active: Bool?
    var version: Int?
    var title: String?
    var discount: Double?
    var verified: Bool?
    var accountID: Int?
    var category: String?
    var tax: Double?
    var archived: Bool?
    var parentID: Int?
    var sku: String?
    var rating: Double?
    var featured: Bool?
    var visits: Int?
    var email: String?
    var latitude: Double?
    var taxable: Bool?
    var credits: Int?
    var phone: String?
    var longitude: Double?
    var shippable: Bool?
    var level: Int?
    var street: String?
    var balance: Double?
    var returnable: Bool?
    var rank: Int?
    var city: String?
    var score: Double?
    var digital: Bool?
    var stock: Int?
    var postcode: String?
    var weightGrams: Int?
    var country: String?
    var widthMillimetres: Int?
    var currency: String?
    var heightMillimetres: Int?
    var createdAt: String?
    var updatedAt: String?
    var description: String?
    var note: String?
    var deletedAt: String?
    var tags: [String]?
    var sizes: [Int]?
    try json.beginObject()
    while let member = try json.nextName() {
      switch member {
      case "id": id = try json.read()
      case "name": name = try json.read()
      case "price": price = try json.read()
      case "active": active = try json.read()
      case "version": version = try json.read()
      case "title": title = try json.read()
      case "discount": discount = try json.read()
      case "verified": verified = try json.read()
      case "accountID": accountID = try json.read()
      case "category": category = try json.read()
      case "tax": tax = try json.read()
      case "archived": archived = try json.read()
      case "parentID": parentID = try json.read()
      case "sku": sku = try json.read()
      case "rating": rating = try json.read()
      case "featured": featured = try json.read()
      case "visits": visits = try json.read()
      case "email": email = try json.read()
      case "latitude": latitude = try json.read()
      case "taxable": taxable = try json.read()
      case "credits": credits = try json.read()
      case "phone": phone = try json.read()
      case "longitude": longitude = try json.read()
      case "shippable": shippable = try json.read()
      case "level": level = try json.read()
      case "street": street = try json.read()
      case "balance": balance = try json.read()
      case "returnable": returnable = try json.read()
      case "rank": rank = try json.read()
      case "city": city = try json.read()
      case "score": score = try json.read()
      case "digital": digital = try json.read()
      case "stock": stock = try json.read()
      case "postcode": postcode = try json.read()
      case "weightGrams": weightGrams = try json.read()
      case "country": country = try json.read()
      case "widthMillimetres": widthMillimetres = try json.read()
      case "currency": currency = try json.read()
      case "heightMillimetres": heightMillimetres = try json.read()
      case "createdAt": createdAt = try json.read()
      case "updatedAt": updatedAt = try json.read()
      case "description": description = try json.read()
      case "note": note = try json.read()
      case "deletedAt": deletedAt = try json.read()
      case "tags": tags = try json.read()
      case "sizes": sizes = try json.read()
      default: try json.skip()
      }
    }
    self.id = try json.require(id, "id")
    self.name = try json.require(name, "name")
    self.price = try json.require(price, "price")
    self.active = try json.require(active, "active")
    self.version = try json.require(version, "version")
    self.title = try json.require(title, "title")
    self.discount = try json.require(discount, "discount")
    self.verified = try json.require(verified, "verified")
    self.accountID = try json.require(accountID, "accountID")
    self.category = try json.require(category, "category")
    self.tax = try json.require(tax, "tax")
    self.archived = try json.require(archived, "archived")
    self.parentID = try json.require(parentID, "parentID")
    self.sku = try json.require(sku, "sku")
    self.rating = try json.require(rating, "rating")
    self.featured = try json.require(featured, "featured")
    self.visits = try json.require(visits, "visits")
    self.email = try json.require(email, "email")
    self.latitude = try json.require(latitude, "latitude")
    self.taxable = try json.require(taxable, "taxable")
    self.credits = try json.require(credits, "credits")
    self.phone = try json.require(phone, "phone")
    self.longitude = try json.require(longitude, "longitude")
    self.shippable = try json.require(shippable, "shippable")
    self.level = try json.require(level, "level")
    self.street = try json.require(street, "street")
    self.balance = try json.require(balance, "balance")
    self.returnable = try json.require(returnable, "returnable")
    self.rank = try json.require(rank, "rank")
    self.city = try json.require(city, "city")
    self.score = try json.require(score, "score")
    self.digital = try json.require(digital, "digital")
    self.stock = try json.require(stock, "stock")
    self.postcode = try json.require(postcode, "postcode")
    self.weightGrams = try json.require(weightGrams, "weightGrams")
    self.country = try json.require(country, "country")
    self.widthMillimetres = try json.require(widthMillimetres, "widthMillimetres")
    self.currency = try json.require(currency, "currency")
    self.heightMillimetres = try json.require(heightMillimetres, "heightMillimetres")
    self.createdAt = try json.require(createdAt, "createdAt")
    self.updatedAt = try json.require(updatedAt, "updatedAt")
    self.description = try json.require(description, "description")
    self.note = note
    self.deletedAt = deletedAt
    self.tags = try json.require(tags, "tags")
    self.sizes = try json.require(sizes, "sizes")
  }
}
