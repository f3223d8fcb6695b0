// GET /json/50 on Gin, one processor: built and serialised for each request, as Martlet does. `martlet-rival-gin PORT`.
package main

import (
	"fmt"
	"net/http"
	"os"
	"runtime"
	"strconv"

	"github.com/gin-gonic/gin"
)

type rating struct {
	Score float64 `json:"score"`
	Count int     `json:"count"`
}

type item struct {
	ID       int       `json:"id"`
	Name     string    `json:"name"`
	Category string    `json:"category"`
	Price    float64   `json:"price"`
	Quantity int       `json:"quantity"`
	Active   bool      `json:"active"`
	Tags     [3]string `json:"tags"`
	Rating   rating    `json:"rating"`
	Total    float64   `json:"total"`
}

type list struct {
	Items []item `json:"items"`
	Count int    `json:"count"`
}

func makeItem(number int) item {
	price := float64(999+number*250) / 100
	quantity := 1 + number%7
	second := "stock"
	if number%2 == 0 {
		second = "sale"
	}
	return item{
		ID: number, Name: fmt.Sprintf("Item %d", number), Category: [3]string{"books", "electronics", "garden"}[number%3],
		Price: price, Quantity: quantity, Active: number%4 != 0, Tags: [3]string{"new", second, "popular"},
		Rating: rating{Score: float64(10+number%41) / 10, Count: number * 3 % 500}, Total: price * float64(quantity),
	}
}

func main() {
	runtime.GOMAXPROCS(1)
	gin.SetMode(gin.ReleaseMode)
	router := gin.New()
	router.GET("/json/:count", func(context *gin.Context) {
		count, err := strconv.Atoi(context.Param("count"))
		if err != nil || count < 1 || count > 1000 {
			context.Status(http.StatusBadRequest)
			return
		}
		items := make([]item, count)
		for index := range items {
			items[index] = makeItem(index + 1)
		}
		context.JSON(http.StatusOK, list{Items: items, Count: count})
	})
	if err := router.Run("127.0.0.1:" + os.Args[1]); err != nil {
		panic(err)
	}
}
