package table_test

import (
	"fmt"

	"github.com/tablecache-go/tablecache/table"
)

// A record that is there already is replaced, and found at its new scores alone.
func ExampleTable_Put() {
	cities, closed := openCities()
	defer closed()
	err := cities.Put(ctx, City{ID: 3, Name: "Oslo", People: 724_000}, City{ID: 5, Name: "Ulm", People: 129_000})
	fmt.Println(err, names(cities, cities.All("people")))
	// Output: <nil> [Ulm Bern Oslo Rome Lima]
}

func ExampleTable_Delete() {
	cities, closed := openCities()
	defer closed()
	n, err := cities.Delete(ctx, cities.Range("people", 0, 1_000_000))
	fmt.Println(n, err, names(cities, cities.All("people")))
	// Output: 2 <nil> [Rome Lima]
}

// What a predicate says is deleted, and told.
func ExampleTable_DeleteSeq() {
	cities, closed := openCities()
	defer closed()
	south := func(c *City) bool { return c.Latitude < 45 }
	for gone, err := range cities.DeleteSeq(ctx, cities.All("people").Where(south)) {
		fmt.Println("deleted", gone.Name, err)
	}
	fmt.Println(names(cities, cities.All("people")))
	// Output:
	// deleted Rome <nil>
	// deleted Lima <nil>
	// [Bern Oslo]
}

func ExampleTable_DeleteKeys() {
	cities, closed := openCities()
	defer closed()
	n, err := cities.DeleteKeys(ctx, 1, 2, 99)
	fmt.Println(n, err, names(cities, cities.All("people")))
	// Output: 2 <nil> [Oslo Rome]
}

// All of it, and the note, at one moment.
func ExampleTable_Apply() {
	cities, closed := openCities()
	defer closed()
	err := cities.Apply(ctx, table.Batch[City, int64]{Put: []City{{ID: 5, Name: "Riga"}}, Delete: []int64{1, 2, 99}, Note: []byte("offset 17")})
	note, _ := cities.Note(ctx)
	fmt.Printf("%v %v %s\n", err, names(cities, cities.All("people")), note)
	// Output: <nil> [Riga Oslo Rome] offset 17
}

func ExampleTable_Update() {
	cities, closed := openCities()
	defer closed()
	err := cities.Update(ctx, 1, func(c *City) error {
		c.Name += " am See"
		return nil
	})
	fmt.Println(err, names(cities, cities.All("people")))
	fmt.Println(cities.Update(ctx, 99, func(*City) error { return nil }))
	// Output:
	// <nil> [Bern am See Oslo Rome Lima]
	// table cities: update: tablecache: record not found
}

func ExampleTable_Clear() {
	cities, closed := openCities()
	defer closed()
	fmt.Println(cities.Clear(ctx), names(cities, cities.All("people")))
	// Output: <nil> []
}

// Nobody sees what is staged before the merge; everybody sees all of it after that.
func ExampleTable_ScratchMerge() {
	cities, closed := openCities()
	defer closed()
	_, _ = cities.ScratchDiscard(ctx, cities.All("people")) // what the source no longer has must go
	_ = cities.ScratchPut(ctx, oslo, City{ID: 5, Name: "Ulm", People: 129_000})
	fmt.Println("staged:", names(cities, cities.All("people")))
	err := cities.ScratchMerge(ctx)
	fmt.Println("merged:", names(cities, cities.All("people")), err)
	// Output:
	// staged: [Bern Oslo Rome Lima]
	// merged: [Ulm Oslo] <nil>
}

func ExampleTable_ScratchPut() {
	cities, closed := openCities()
	defer closed()
	err := cities.ScratchPut(ctx, City{ID: 5, Name: "Ulm", People: 129_000})
	fmt.Println(err, names(cities, cities.All("people")))
	// Output: <nil> [Bern Oslo Rome Lima]
}

// A discard sees what a merge now would show. A discarded key that is put again lives on.
func ExampleTable_ScratchDiscard() {
	cities, closed := openCities()
	defer closed()
	_ = cities.ScratchPut(ctx, City{ID: 1, Name: "Bern", People: 1_200_000})
	fmt.Println(cities.ScratchDiscard(ctx, cities.Range("people", 1_000_000, 3_000_000)))
	_ = cities.ScratchPut(ctx, rome)
	_ = cities.ScratchMerge(ctx)
	fmt.Println(names(cities, cities.All("people")))
	// Output:
	// 2 <nil>
	// [Oslo Rome Lima]
}

func ExampleTable_ScratchDiscardSeq() {
	cities, closed := openCities()
	defer closed()
	for gone, err := range cities.ScratchDiscardSeq(ctx, cities.Range("latitude", -90, 0)) {
		fmt.Println("to go:", gone.Name, err)
	}
	fmt.Println(names(cities, cities.All("people")))
	_ = cities.ScratchMerge(ctx)
	fmt.Println(names(cities, cities.All("people")))
	// Output:
	// to go: Lima <nil>
	// [Bern Oslo Rome Lima]
	// [Bern Oslo Rome]
}

func ExampleTable_ScratchAbort() {
	cities, closed := openCities()
	defer closed()
	_, _ = cities.ScratchDiscard(ctx, cities.All("people"))
	fmt.Println(cities.ScratchAbort(ctx), names(cities, cities.All("people")))
	// Output: <nil> [Bern Oslo Rome Lima]
}

// Regular writes wait by themselves until the merged rows are folded in; WaitClear is for who must know.
func ExampleTable_WaitClear() {
	cities, closed := openCities()
	defer closed()
	_ = cities.ScratchPut(ctx, City{ID: 5, Name: "Ulm", People: 129_000})
	_ = cities.ScratchMerge(ctx)
	fmt.Println(cities.WaitClear(ctx))
	s, _ := cities.Stats(ctx)
	fmt.Println(s.State, s.Records, "records,", s.Staged, "staged")
	// Output:
	// <nil>
	// clear 5 records, 0 staged
}

// Storage is what a cache needs of a table, whatever its keys are.
func ExampleStorage() {
	cities, closed := openCities()
	defer closed()
	var storage table.Storage[City] = cities
	fmt.Println(storage.Count(ctx, storage.All("people")))
	// Output: 4 <nil>
}
