// The shop on Gin. `server PORT`.
package main

import (
	"log"

	"../shop-go"
	"github.com/gin-gonic/gin"
)

func main() {
	address := shop.Address()
	gin.SetMode(gin.ReleaseMode)
	routes := gin.New()
	routes.GET("/json", func(context *gin.Context) { context.JSON(shop.Hello()) })
	routes.GET("/json/:count", func(context *gin.Context) { context.JSON(shop.Items(context.Param("count"))) })
	routes.GET("/users/:id", func(context *gin.Context) {
		context.JSON(shop.OneUser(context.Param("id"), context.Query("verbose")))
	})
	routes.POST("/orders", func(context *gin.Context) {
		var order shop.Order
		context.JSON(order.Take(context.ShouldBindJSON(&order)))
	})
	log.Fatal(routes.Run(address))
}
