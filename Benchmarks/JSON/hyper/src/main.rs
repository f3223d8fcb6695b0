//! GET /json/50 on hyper and serde_json, one thread: built and serialised for each request, as Martlet does.
//!
//!     martlet-rival-hyper PORT               serve
//!     martlet-rival-hyper encode COUNT       the 1 KB record, so many times, into one buffer: for its CPU time; prints the text's length

mod record;

use hyper::service::{make_service_fn, service_fn};
use hyper::{header, Body, Method, Request, Response, Server, StatusCode};
use serde::Serialize;
use std::convert::Infallible;

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

#[derive(Serialize)]
struct List {
    items: Vec<Item>,
    count: u64,
}

fn item(number: u64) -> Item {
    let price = (999 + number * 250) as f64 / 100.0;
    let quantity = 1 + number % 7;
    Item {
        id: number,
        name: format!("Item {number}"),
        category: ["books", "electronics", "garden"][number as usize % 3],
        price,
        quantity,
        active: number % 4 != 0,
        tags: ["new", if number % 2 == 0 { "sale" } else { "stock" }, "popular"],
        rating: Rating { score: (10 + number % 41) as f64 / 10.0, count: number * 3 % 500 },
        total: price * quantity as f64,
    }
}

async fn answer(request: Request<Body>) -> Result<Response<Body>, Infallible> {
    let count = request.uri().path().strip_prefix("/json/").and_then(|text| text.parse::<u64>().ok());
    let reply = match (request.method(), count) {
        (&Method::GET, Some(count)) if (1..=1000).contains(&count) => {
            let list = List { items: (1..=count).map(item).collect(), count };
            Response::builder()
                .header(header::CONTENT_TYPE, "application/json")
                .body(Body::from(serde_json::to_vec(&list).unwrap()))
        }
        _ => Response::builder().status(StatusCode::BAD_REQUEST).body(Body::empty()),
    };
    Ok(reply.unwrap())
}

fn encode(count: u64) {
    let record = record::Record::sample();
    let mut output = Vec::with_capacity(2048);
    let mut bytes = 0;
    for _ in 0..count {
        output.clear();
        serde_json::to_writer(&mut output, std::hint::black_box(&record)).unwrap();
        bytes = std::hint::black_box(&output).len();
    }
    println!("{bytes}");
}

fn main() {
    let arguments: Vec<String> = std::env::args().collect();
    if arguments[1] == "encode" {
        return encode(arguments[2].parse().unwrap());
    }
    let address = ([127, 0, 0, 1], arguments[1].parse().unwrap()).into();
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().unwrap();
    runtime.block_on(async {
        let service = make_service_fn(|_| async { Ok::<_, Infallible>(service_fn(answer)) });
        Server::bind(&address).tcp_nodelay(true).serve(service).await.unwrap();
    });
}
