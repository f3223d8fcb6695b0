// The shop on Go's own net/http and encoding/json. `server PORT`.
package main

import (
	"encoding/json"
	"log"
	"net/http"
	"strings"

	"../shop-go"
)

// route answers what `make` comes to.
func route(make func(request *http.Request) (int, interface{})) http.HandlerFunc {
	return func(writer http.ResponseWriter, request *http.Request) {
		status, value := make(request)
		body, err := json.Marshal(value)
		if err != nil {
			panic(err)
		}
		writer.Header().Set("Content-Type", "application/json")
		writer.WriteHeader(status)
		writer.Write(body)
	}
}

func main() {
	address := shop.Address()
	routes := http.NewServeMux()
	routes.HandleFunc("/json", route(func(*http.Request) (int, interface{}) { return shop.Hello() }))
	routes.HandleFunc("/json/", route(func(request *http.Request) (int, interface{}) {
		return shop.Items(strings.TrimPrefix(request.URL.Path, "/json/"))
	}))
	routes.HandleFunc("/users/", route(func(request *http.Request) (int, interface{}) {
		return shop.OneUser(strings.TrimPrefix(request.URL.Path, "/users/"), request.URL.Query().Get("verbose"))
	}))
	routes.HandleFunc("/orders", route(func(request *http.Request) (int, interface{}) {
		var order shop.Order
		return order.Take(json.NewDecoder(request.Body).Decode(&order))
	}))
	log.Fatal(http.ListenAndServe(address, routes))
}
