package table_test

import (
	"errors"
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// What is staged in a session of one's own cannot be merged or dropped by others unnoticed. The note is seen with the records.
func ExampleTable_Scratch() {
	cities, closed := openCities()
	defer closed()
	reload := func() error {
		session, err := cities.Scratch(ctx)
		if err != nil {
			return err
		}
		defer session.Abort(ctx) // does nothing after the merge
		if _, err := session.Discard(ctx, cities.All("people")); err != nil {
			return err
		}
		if err := session.Put(ctx, City{ID: 5, Name: "Riga", People: 605_000}, City{ID: 6, Name: "Graz", People: 292_000}); err != nil {
			return err
		}
		if n, err := session.Count(ctx); err != nil || n < 2 {
			return fmt.Errorf("only %d cities: %w", n, err)
		}
		return session.Merge(ctx, []byte("as of Monday"))
	}
	err := reload()
	note, _ := cities.Note(ctx)
	fmt.Printf("%v %v %s\n", err, names(cities, cities.All("people")), note)

	session, _ := cities.Scratch(ctx)
	_ = session.Put(ctx, City{ID: 7, Name: "Bonn"})
	_ = cities.ScratchAbort(ctx) // an operator
	fmt.Println(errors.Is(session.Merge(ctx, nil), table.ErrScratchAborted))
	// Output:
	// <nil> [Graz Riga] as of Monday
	// true
}
