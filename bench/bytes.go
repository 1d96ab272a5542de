package main

import (
	"encoding/binary"
	"errors"
	"math"
	"time"
)

// What a user would write by hand for this one record: the bytes that the table stores, too, without codecs.

var errBadRow = errors.New("bench: a row that cannot be read")

// generation is how many bytes of a row are its generation.
const generation = 4

func encodeKey(id int64) []byte { return binary.BigEndian.AppendUint64(nil, uint64(id)) }

func encodeRow(r *record) []byte {
	b := make([]byte, generation, 192) // 0
	b = appendNumber(b, uint64(r.ID))
	b = appendString(b, r.Carrier)
	b = appendString(b, r.Route)
	b = appendString(b, r.Remark)
	b = appendNumber(b, uint64(r.Departs.UnixNano()))
	return appendNumber(b, math.Float64bits(r.Price))
}

func appendNumber(b []byte, n uint64) []byte { return binary.BigEndian.AppendUint64(append(b, 8), n) }

func appendString(b []byte, s string) []byte {
	return append(binary.AppendUvarint(b, uint64(len(s))), s...)
}

// decodeRow keeps parts of row as the record's strings.
func decodeRow(row string) (r record, err error) {
	if len(row) < generation {
		return r, errBadRow
	}
	c := cutter{rest: row[generation:]}
	r.ID = int64(c.number())
	r.Carrier, r.Route, r.Remark = c.text(), c.text(), c.text()
	r.Departs = time.Unix(0, int64(c.number())).UTC()
	r.Price = math.Float64frombits(c.number())
	if c.bad || c.rest != "" {
		return r, errBadRow
	}
	return r, nil
}

type cutter struct {
	rest string
	bad  bool
}

// text returns the next part. All parts of this record are shorter than 128 bytes.
func (c *cutter) text() string {
	if c.rest == "" || c.rest[0] >= 0x80 || int(c.rest[0]) >= len(c.rest) {
		c.bad = true
		return ""
	}
	end := 1 + int(c.rest[0])
	part := c.rest[1:end]
	c.rest = c.rest[end:]
	return part
}

func (c *cutter) number() uint64 {
	s := c.text()
	if len(s) != 8 {
		c.bad = true
		return 0
	}
	return uint64(s[0])<<56 | uint64(s[1])<<48 | uint64(s[2])<<40 | uint64(s[3])<<32 |
		uint64(s[4])<<24 | uint64(s[5])<<16 | uint64(s[6])<<8 | uint64(s[7])
}
