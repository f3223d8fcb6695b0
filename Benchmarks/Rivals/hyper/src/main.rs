//! The shop on hyper and serde_json, one thread.
//!
//!     martlet-rival-hyper PORT               serve
//!     martlet-rival-hyper encode COUNT       the 1 KB record, so many times, into one buffer: for its CPU time; prints the text's length

mod record;
mod shop;

use hyper::service::{make_service_fn, service_fn};
use hyper::{body, header, Body, Method, Request, Response, Server, StatusCode};
use serde::Serialize;
use shop::{List, Message, Order, Problem, User};

fn json(status: StatusCode, value: &impl Serialize) -> Response<Body> {
    let body = serde_json::to_vec(value).unwrap();
    Response::builder().status(status).header(header::CONTENT_TYPE, "application/json").body(Body::from(body)).unwrap()
}

fn refusal(status: StatusCode, reason: impl ToString) -> Response<Body> {
    json(status, &Problem { error: reason.to_string() })
}

fn list(count: &str) -> Response<Body> {
    match count.parse() {
        Ok(count) if (1..=1000).contains(&count) => json(StatusCode::OK, &List::new(count)),
        _ => refusal(StatusCode::BAD_REQUEST, "count must be a whole number from 1 to 1000"),
    }
}

fn user(id: &str, query: Option<&str>) -> Response<Body> {
    let verbose = match query {
        None | Some("verbose=false") => false,
        Some("verbose=true") => true,
        _ => return refusal(StatusCode::BAD_REQUEST, "verbose must be true or false, and there is no other parameter"),
    };
    match id.parse() {
        Ok(id) if id > 0 => json(StatusCode::OK, &User::new(id, verbose)),
        _ => refusal(StatusCode::BAD_REQUEST, "id must be a whole number above 0"),
    }
}

async fn order(request: Request<Body>) -> hyper::Result<Response<Body>> {
    let bytes = body::to_bytes(request.into_body()).await?;
    Ok(match serde_json::from_slice::<Order>(&bytes).map(Order::take) {
        Ok(Ok(receipt)) => json(StatusCode::CREATED, &receipt),
        Ok(Err(reason)) => refusal(StatusCode::UNPROCESSABLE_ENTITY, reason),
        Err(error) => refusal(StatusCode::BAD_REQUEST, error),
    })
}

async fn answer(request: Request<Body>) -> hyper::Result<Response<Body>> {
    let path = request.uri().path();
    if request.method() == Method::POST && path == "/orders" {
        return order(request).await;
    }
    Ok(if request.method() != Method::GET {
        refusal(StatusCode::NOT_FOUND, "no such route")
    } else if path == "/json" {
        json(StatusCode::OK, &Message { message: "Hello, World!" })
    } else if let Some(count) = path.strip_prefix("/json/") {
        list(count)
    } else if let Some(id) = path.strip_prefix("/users/") {
        user(id, request.uri().query())
    } else {
        refusal(StatusCode::NOT_FOUND, "no such route")
    })
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
        let service = make_service_fn(|_| async { Ok::<_, hyper::Error>(service_fn(answer)) });
        Server::bind(&address).tcp_nodelay(true).serve(service).await.unwrap();
    });
}
