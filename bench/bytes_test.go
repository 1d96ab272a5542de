package main

import "testing"

func TestByHandThereAndBack(t *testing.T) {
	for i, want := range makeRecords(1000) {
		row := string(encodeRow(&want))
		if got, err := decodeRow(row); err != nil || got != want {
			t.Fatalf("record %d comes back as %+v, %v", i, got, err)
		}
		if len(row) < 140 || len(row) > 160 {
			t.Fatalf("record %d has %d bytes, not about 150", i, len(row))
		}
		if _, err := decodeRow(row[:len(row)-1]); err == nil {
			t.Fatalf("record %d cut short is read", i)
		}
	}
}
