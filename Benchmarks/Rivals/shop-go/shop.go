// Package shop is what the Go rivals answer with, whatever carries it: a made-up shop's list, a user, an order checked.
// Benchmarks/README.md says what the routes take and answer; here is all of them that is not
// HTTP, each as a function that gives a status and the value to be answered.
package shop

import (
	"errors"
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"
)

type Message struct {
	Message string `json:"message"`
}

type Rating struct {
	Score float64 `json:"score"`
	Count int     `json:"count"`
}

type Item struct {
	ID       int       `json:"id"`
	Name     string    `json:"name"`
	Category string    `json:"category"`
	Price    float64   `json:"price"`
	Quantity int       `json:"quantity"`
	Active   bool      `json:"active"`
	Tags     [3]string `json:"tags"`
	Rating   Rating    `json:"rating"`
	Total    float64   `json:"total"`
}

type List struct {
	Items []Item `json:"items"`
	Count int    `json:"count"`
}

type User struct {
	ID     int    `json:"id"`
	Name   string `json:"name"`
	Email  string `json:"email,omitempty"`
	Active bool   `json:"active"`
}

type Order struct {
	Customer int    `json:"customer"`
	Currency string `json:"currency"`
	Items    []struct {
		SKU      string  `json:"sku"`
		Quantity int     `json:"quantity"`
		Price    float64 `json:"price"`
	} `json:"items"`
	Note string `json:"note"`
}

type Receipt struct {
	Customer int     `json:"customer"`
	Items    int     `json:"items"`
	Quantity int     `json:"quantity"`
	Total    float64 `json:"total"`
}

type Problem struct {
	Error string `json:"error"`
}

// Address is where to listen, by the program's argument. One processor is used from here on, as by every server that is compared.
func Address() string {
	runtime.GOMAXPROCS(1)
	return "127.0.0.1:" + os.Args[1]
}

// Hello is GET /json.
func Hello() (int, interface{}) { return http.StatusOK, Message{"Hello, World!"} }

func newItem(id int) Item {
	price, quantity := float64(999+id*250)/100, 1+id%7
	second := "stock"
	if id%2 == 0 {
		second = "sale"
	}
	return Item{
		ID: id, Name: fmt.Sprintf("Item %d", id), Category: [3]string{"books", "electronics", "garden"}[id%3], Price: price, Quantity: quantity, Active: id%4 != 0,
		Tags: [3]string{"new", second, "popular"}, Rating: Rating{Score: float64(10+id%41) / 10, Count: id * 3 % 500},
		Total: price * float64(quantity),
	}
}

// Items is GET /json/{count}.
func Items(count string) (int, interface{}) {
	number, err := strconv.Atoi(count)
	if err != nil || number < 1 || number > 1000 {
		return Refuse(http.StatusBadRequest, "count must be a whole number from 1 to 1000")
	}
	items := make([]Item, number)
	for index := range items {
		items[index] = newItem(index + 1)
	}
	return http.StatusOK, List{items, number}
}

// OneUser is GET /users/{id}?verbose=true; an absent verbose is empty.
func OneUser(id, verbose string) (int, interface{}) {
	number, err := strconv.Atoi(id)
	if err != nil || number < 1 {
		return Refuse(http.StatusBadRequest, "id must be a whole number above 0")
	}
	if verbose != "" && verbose != "true" && verbose != "false" {
		return Refuse(http.StatusBadRequest, "verbose must be true or false")
	}
	user := User{ID: number, Name: fmt.Sprintf("User %d", number), Active: number%2 == 0}
	if verbose == "true" {
		user.Email = fmt.Sprintf("user%d@example.com", number)
	}
	return http.StatusOK, user
}

// Take is POST /orders with a body that was read with `err`: the order checked, and its sum.
func (order *Order) Take(err error) (int, interface{}) {
	if err != nil {
		return Refuse(http.StatusBadRequest, err.Error())
	}
	if err := order.check(); err != nil {
		return Refuse(http.StatusUnprocessableEntity, err.Error())
	}
	receipt := Receipt{Customer: order.Customer, Items: len(order.Items)}
	for _, item := range order.Items {
		receipt.Quantity += item.Quantity
		receipt.Total += item.Price * float64(item.Quantity)
	}
	return http.StatusCreated, receipt
}

// Refuse is the answer to what is wrong.
func Refuse(status int, reason string) (int, interface{}) { return status, Problem{reason} }

func (order *Order) check() error {
	switch {
	case order.Customer < 1:
		return errors.New("customer must be a whole number above 0")
	case !isCurrency(order.Currency):
		return errors.New("currency must be three capital letters")
	case len(order.Items) < 1 || len(order.Items) > 100:
		return errors.New("items must be from 1 to 100")
	case len(order.Note) > 200:
		return errors.New("note must have at most 200 bytes")
	}
	for _, item := range order.Items {
		switch {
		case len(item.SKU) < 1 || len(item.SKU) > 32:
			return errors.New("sku must have from 1 to 32 bytes")
		case item.Quantity < 1 || item.Quantity > 1000:
			return errors.New("quantity must be a whole number from 1 to 1000")
		case item.Price <= 0 || item.Price > 1_000_000:
			return errors.New("price must be above 0 and at most 1000000")
		}
	}
	return nil
}

func isCurrency(text string) bool {
	for _, letter := range []byte(text) {
		if letter < 'A' || letter > 'Z' {
			return false
		}
	}
	return len(text) == 3
}
