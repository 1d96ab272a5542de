package layout

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Kind says what an entry of the feed tells.
type Kind string

// The kinds of entry.
const (
	KindPut     Kind = "put"     // body: rows; this, delete and apply also take their keys out of what is staged
	KindDelete  Kind = "delete"  // body: keys, of which the verdicts say which were deleted, and which have changed and stay; or of everything
	KindStage   Kind = "stage"   // body: rows
	KindDiscard Kind = "discard" // body: keys, of which the verdicts say which were discarded
	KindMerge   Kind = "merge"   // maybe with the note
	KindAbort   Kind = "abort"
	KindClear   Kind = "clear"
	KindApply   Kind = "apply"  // body: rows; and keys that are not there any more, and the note
	KindRepair  Kind = "repair" // what it has changed is not told: copy anew
	KindBurn    Kind = "burn"   // an effect that never was, and never will be
	KindClaim   Kind = "claim"  // a new owner
	KindReset   Kind = "reset"  // a new owner, who has dropped everything
	KindBuilt   Kind = "built"  // indexes that were being built are complete
)

// The fields of an entry. Its id is "<counter of the epoch>-<number>".
const (
	EntryEpoch    = "e" // whole, for a counter does not identify an owner
	EntryPrevious = "p" // the number that the owner's effect follows; of a claim the predecessor: its epoch, a slash, its number
	EntryKind     = "k"
	EntryVerdicts = "v" // of delete and discard: one for each key
	EntryBody     = "b" // missing: too large to be told, where the kind has one
	EntrySchema   = "s" // of a claim
	EntryKeys     = "d" // of apply: keys; missing: none
	EntryNote     = "n" // of apply and merge; missing: the note stays as it is
	EntryAll      = "a" // of delete and discard, in place of verdicts: it is of everything, and the value is AllOfIt; body: rows that are left
)

// AllOfIt is the value of EntryAll.
const AllOfIt = "all"

// NoFeed stands where the id of the first entry that stays would, where there is no feed.
const NoFeed = "off"

// EntryID is the id of the entry that an owner's effect appends.
func EntryID(e Epoch, seq uint64) string { return string(appendID(make([]byte, 0, longestID), e, seq)) }

// BehindID stands in a range for all ids behind that one.
func BehindID(e Epoch, seq uint64) string {
	return string(appendID(append(make([]byte, 0, longestID), '('), e, seq))
}

// longestID is how many bytes an id has at most, with what may stand before it.
const longestID = 42

func appendID(dst []byte, e Epoch, seq uint64) []byte {
	counter, _, _ := strings.Cut(string(e), ":")
	return strconv.AppendUint(append(append(dst, counter...), '-'), seq, 10)
}

// ErrBody: the body of an entry cannot be read.
var ErrBody = errors.New("tablecache: damaged body of a feed entry")

// A body is, one after another, for each row: the length of its key and of its bytes (u32 each), key, bytes, and eight bytes
// for its score in each index; for each key: its length (u32), and its bytes. All are big-endian.
const (
	rowHead    = 8
	keyHead    = 4
	scoreBytes = 8
)

// RowSize is how many bytes AppendRow appends.
func RowSize(key, row []byte, indexes int) int {
	return rowHead + len(key) + len(row) + indexes*scoreBytes
}

// AppendRow appends a row to a body; its scores follow with AppendScore64, one for each index.
func AppendRow(dst, key, row []byte) []byte {
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(key)))
	dst = binary.BigEndian.AppendUint32(dst, uint32(len(row)))
	return append(append(dst, key...), row...)
}

// AppendScore64 appends a score to a body.
func AppendScore64(dst []byte, score float64) []byte {
	return binary.BigEndian.AppendUint64(dst, math.Float64bits(score))
}

// KeySize is how many bytes AppendKey appends.
func KeySize(key []byte) int { return keyHead + len(key) }

// AppendKey appends a key to a body.
func AppendKey(dst, key []byte) []byte {
	return append(binary.BigEndian.AppendUint32(dst, uint32(len(key))), key...)
}

// BodyRow is a row in a body, whose memory it shares.
type BodyRow struct {
	Key, Row []byte
	scores   []byte
}

// Score returns the row's score in an index.
func (r BodyRow) Score(index int) float64 {
	return math.Float64frombits(binary.BigEndian.Uint64(r.scores[index*scoreBytes:]))
}

// RowsOf returns the rows of a body. ErrBody: it is damaged.
func RowsOf(body []byte, indexes int) (rows []BodyRow, err error) {
	for len(body) > 0 {
		if len(body) < rowHead {
			return nil, fmt.Errorf("%w: cut short", ErrBody)
		}
		key, row := uint64(binary.BigEndian.Uint32(body)), uint64(binary.BigEndian.Uint32(body[4:]))
		scores := uint64(indexes * scoreBytes)
		body = body[rowHead:]
		if key+row+scores > uint64(len(body)) {
			return nil, fmt.Errorf("%w: cut short", ErrBody)
		}
		rows = append(rows, BodyRow{Key: body[:key:key], Row: body[key : key+row : key+row], scores: body[key+row : key+row+scores]})
		body = body[key+row+scores:]
	}
	return rows, nil
}

// KeysIn returns the keys of a body. ErrBody: it is damaged.
func KeysIn(body []byte) (keys [][]byte, err error) {
	for len(body) > 0 {
		if len(body) < keyHead {
			return nil, fmt.Errorf("%w: cut short", ErrBody)
		}
		n := uint64(binary.BigEndian.Uint32(body))
		body = body[keyHead:]
		if n > uint64(len(body)) {
			return nil, fmt.Errorf("%w: cut short", ErrBody)
		}
		keys, body = append(keys, body[:n:n]), body[n:]
	}
	return keys, nil
}
