package table_test

import (
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// The token travels with the client; here it is the loop's.
func ExampleTable_Page() {
	cities, closed := openCities()
	defer closed()
	after := table.Token("")
	for page := 1; page == 1 || after != ""; page++ {
		some, next, err := cities.Page(ctx, cities.All("people").Reversed(), after, 3)
		if err != nil {
			fmt.Println(err)
			return
		}
		for _, c := range some {
			fmt.Println(page, c.Name)
		}
		after = next
	}
	// Output:
	// 1 Lima
	// 1 Rome
	// 1 Oslo
	// 2 Bern
}
