//! What the routes answer with (Benchmarks/README.md), whatever carries it.

use serde::{Deserialize, Serialize};

#[derive(Serialize)]
pub struct Message {
    pub message: &'static str,
}

#[derive(Serialize)]
struct Rating {
    score: f64,
    count: u64,
}

#[derive(Serialize)]
struct Item {
    id: u64,
    name: String,
    category: &'static str,
    price: f64,
    quantity: u64,
    active: bool,
    tags: [&'static str; 3],
    rating: Rating,
    total: f64,
}

impl Item {
    fn new(id: u64) -> Item {
        let price = (999 + id * 250) as f64 / 100.0;
        let quantity = 1 + id % 7;
        Item {
            id,
            name: format!("Item {id}"),
            category: ["books", "electronics", "garden"][id as usize % 3],
            price,
            quantity,
            active: id % 4 != 0,
            tags: ["new", if id % 2 == 0 { "sale" } else { "stock" }, "popular"],
            rating: Rating { score: (10 + id % 41) as f64 / 10.0, count: id * 3 % 500 },
            total: price * quantity as f64,
        }
    }
}

#[derive(Serialize)]
pub struct List {
    items: Vec<Item>,
    count: u64,
}

impl List {
    pub fn new(count: u64) -> List {
        List { items: (1..=count).map(Item::new).collect(), count }
    }
}

#[derive(Serialize)]
pub struct User {
    id: u64,
    name: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    email: Option<String>,
    active: bool,
}

impl User {
    pub fn new(id: u64, verbose: bool) -> User {
        let email = verbose.then(|| format!("user{id}@example.com"));
        User { id, name: format!("User {id}"), email, active: id % 2 == 0 }
    }
}

#[derive(Deserialize)]
pub struct Order {
    customer: i64,
    currency: String,
    items: Vec<OrderItem>,
    note: Option<String>,
}

#[derive(Deserialize)]
struct OrderItem {
    sku: String,
    quantity: i64,
    price: f64,
}

#[derive(Serialize)]
pub struct Receipt {
    customer: i64,
    items: usize,
    quantity: i64,
    total: f64,
}

impl Order {
    /// The order checked, and its sum; or what is wrong with it.
    pub fn take(self) -> Result<Receipt, &'static str> {
        let need = |holds: bool, reason| if holds { Ok(()) } else { Err(reason) };
        need(self.customer > 0, "customer must be a whole number above 0")?;
        need(self.currency.len() == 3 && self.currency.bytes().all(|byte| byte.is_ascii_uppercase()), "currency must be three capital letters")?;
        need((1..=100).contains(&self.items.len()), "items must be from 1 to 100")?;
        need(self.note.map_or(0, |note| note.len()) <= 200, "note must have at most 200 bytes")?;
        for item in &self.items {
            need((1..=32).contains(&item.sku.len()), "sku must have from 1 to 32 bytes")?;
            need((1..=1000).contains(&item.quantity), "quantity must be a whole number from 1 to 1000")?;
            need(item.price > 0.0 && item.price <= 1_000_000.0, "price must be above 0 and at most 1000000")?;
        }
        Ok(Receipt {
            customer: self.customer,
            items: self.items.len(),
            quantity: self.items.iter().map(|item| item.quantity).sum(),
            total: self.items.iter().map(|item| item.price * item.quantity as f64).sum(),
        })
    }
}

#[derive(Serialize)]
pub struct Problem {
    pub error: String,
}
