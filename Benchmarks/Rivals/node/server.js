// The shop on Node's own http module. `node server.js PORT`.
"use strict";
const http = require("http");

const CATEGORIES = ["books", "electronics", "garden"];

function item(id) {
  const price = (999 + id * 250) / 100, quantity = 1 + (id % 7);
  return {
    id, name: `Item ${id}`, category: CATEGORIES[id % 3], price, quantity, active: id % 4 !== 0,
    tags: ["new", id % 2 === 0 ? "sale" : "stock", "popular"], rating: { score: (10 + (id % 41)) / 10, count: (id * 3) % 500 },
    total: price * quantity,
  };
}

class Refusal extends Error {
  constructor(status, message) {
    super(message);
    this.status = status;
  }
}

function need(holds, status, message) {
  if (!holds) throw new Refusal(status, message);
}

function list(text) {
  const count = Number(text);
  need(Number.isInteger(count) && count >= 1 && count <= 1000, 400, "count must be a whole number from 1 to 1000");
  return { items: Array.from({ length: count }, (_, index) => item(index + 1)), count };
}

function user(text, query) {
  const id = Number(text), verbose = query.get("verbose") ?? "false";
  need(Number.isSafeInteger(id) && id > 0, 400, "id must be a whole number above 0");
  need(verbose === "true" || verbose === "false", 400, "verbose must be true or false");
  return { id, name: `User ${id}`, email: verbose === "true" ? `user${id}@example.com` : undefined, active: id % 2 === 0 };
}

const isText = (value, least, most) => typeof value === "string" && value.length >= least && Buffer.byteLength(value) <= most;
const isWhole = (value, most) => Number.isSafeInteger(value) && value >= 1 && value <= most;

function receipt({ customer, currency, items, note }) {
  need(isWhole(customer, Number.MAX_SAFE_INTEGER), 422, "customer must be a whole number above 0");
  need(typeof currency === "string" && /^[A-Z]{3}$/.test(currency), 422, "currency must be three capital letters");
  need(Array.isArray(items) && items.length >= 1 && items.length <= 100, 422, "items must be from 1 to 100");
  need(note === undefined || note === null || isText(note, 0, 200), 422, "note must have at most 200 bytes");
  let sum = 0, total = 0;
  for (const { sku, quantity, price } of items) {
    need(isText(sku, 1, 32), 422, "sku must have from 1 to 32 bytes");
    need(isWhole(quantity, 1000), 422, "quantity must be a whole number from 1 to 1000");
    need(typeof price === "number" && price > 0 && price <= 1000000, 422, "price must be above 0 and at most 1000000");
    sum += quantity;
    total += price * quantity;
  }
  return { customer, items: items.length, quantity: sum, total };
}

/** Writes what `make` comes to, or what is wrong with the request. */
function answer(response, status, make) {
  let value;
  try {
    value = make();
  } catch (error) {
    status = error.status ?? 400;
    value = { error: error.message };
  }
  const body = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(body) });
  response.end(body);
}

function serve(request, response) {
  const [path, query] = request.url.split("?", 2);
  const route = `${request.method} ${path}`;
  if (route === "GET /json") return answer(response, 200, () => ({ message: "Hello, World!" }));
  if (route.startsWith("GET /json/")) return answer(response, 200, () => list(path.slice("/json/".length)));
  if (route.startsWith("GET /users/")) return answer(response, 200, () => user(path.slice("/users/".length), new URLSearchParams(query)));
  if (route !== "POST /orders") return answer(response, 404, () => need(false, 404, "no such route"));
  const pieces = [];
  request.on("data", (piece) => pieces.push(piece));
  request.on("end", () => answer(response, 201, () => receipt(JSON.parse(Buffer.concat(pieces).toString()))));
}

// Keep-alive without an end: the load holds its connections for the whole run.
http.createServer({ keepAliveTimeout: 0, requestTimeout: 0 }, serve).listen(Number(process.argv[2]), "127.0.0.1");
