// The shop on Echo. `server PORT`.
package main

import (
	"log"

	"../shop-go"
	"github.com/labstack/echo"
)

func main() {
	address := shop.Address()
	routes := echo.New()
	routes.HideBanner = true
	routes.GET("/json", func(context echo.Context) error { return context.JSON(shop.Hello()) })
	routes.GET("/json/:count", func(context echo.Context) error { return context.JSON(shop.Items(context.Param("count"))) })
	routes.GET("/users/:id", func(context echo.Context) error {
		return context.JSON(shop.OneUser(context.Param("id"), context.QueryParam("verbose")))
	})
	routes.POST("/orders", func(context echo.Context) error {
		var order shop.Order
		return context.JSON(order.Take(context.Bind(&order)))
	})
	log.Fatal(routes.Start(address))
}
