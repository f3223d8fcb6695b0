// The shop on fasthttp and encoding/json. `server PORT`.
package main

import (
	"encoding/json"
	"log"
	"strings"

	"../shop-go"
	"github.com/valyala/fasthttp"
)

func serve(context *fasthttp.RequestCtx) {
	status, value := answer(context)
	context.SetStatusCode(status)
	context.SetContentType("application/json")
	if err := json.NewEncoder(context).Encode(value); err != nil {
		panic(err)
	}
}

func answer(context *fasthttp.RequestCtx) (int, interface{}) {
	path := string(context.Path())
	switch {
	case path == "/json" && context.IsGet():
		return shop.Hello()
	case strings.HasPrefix(path, "/json/") && context.IsGet():
		return shop.Items(strings.TrimPrefix(path, "/json/"))
	case strings.HasPrefix(path, "/users/") && context.IsGet():
		return shop.OneUser(strings.TrimPrefix(path, "/users/"), string(context.QueryArgs().Peek("verbose")))
	case path == "/orders" && context.IsPost():
		var order shop.Order
		return order.Take(json.Unmarshal(context.PostBody(), &order))
	default:
		return shop.Refuse(fasthttp.StatusNotFound, "no such route")
	}
}

func main() {
	log.Fatal(fasthttp.ListenAndServe(shop.Address(), serve))
}
