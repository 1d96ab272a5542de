package layout

import (
	"regexp"
	"strconv"
	"strings"
)

// TruthFields are the fields of the truth that scripts and probes read, in this order: three words, then numbers in decimal text.
// The scripts have their own list in prelude/base.lua, and a test compares the two.
//
//	epoch   the owner: a counter and a random id
//	last    the small reply of the effect that has the number seq
//	state   clear, active or merging; active-whole, merging-whole: what is staged stands for the whole table
//	seq     the number of the last effect
//	gen     how many merges there were
//	rver    grows with every in-place change of what readers see
//	burns   how many numbers were burned, under all owners
//	notes   how often the note was written or dropped, under all owners: see NoteField
//	count   merged rows
//	staged  staged rows and tombstones
//	live    staged rows that are no tombstones
//	widest  no row has more bytes
//	layout  the hash of the schema under which the rows are written: see Proof
var TruthFields = [...]string{"epoch", "last", "state", "seq", "gen", "rver", "burns", "notes", "count", "staged", "live", "widest", "layout"}

// FeedField is the field of the truth that tells whether its owner keeps a feed: KeepsFeed, or NoFeed.
const FeedField = "feed"

// KeepsFeed is the value of FeedField of an owner who keeps a feed.
const KeepsFeed = "feed"

// SchemaField is the field of the truth that keeps the schema. Only the claim of an owner reads it.
const SchemaField = "schema"

// LineageFields are the fields of the truth that tell where a table is and how it came there, in this order:
//
//	epoch, seq, burns  as above
//	line               the owners before, see Line
//	burned             the latest numbers that were burned, with their epochs, the latest first
//	schema             see SchemaField
var LineageFields = [...]string{"epoch", "seq", "burns", "line", "burned", SchemaField}

// MostBurned is how many burned numbers a truth names.
const MostBurned = 64

// OwnerField is the field of the truth that keeps the owner's name, for people.
const OwnerField = "owner"

// NoteField is the field of the truth that keeps the note. It is missing where there is none.
const NoteField = "note"

// The truth has a field fold while a merge is being folded: how many rows are copied, and for which epoch, generation and version that
// counts. Only scripts know it: see folded in prelude/head.lua.

// MomentFields is how many of the truth's fields every script's answer begins with.
const MomentFields = 8

// Epoch names an owner: a counter that grows with each, and a random id.
type Epoch string

// Count returns the counter; 0 if there is none.
func (e Epoch) Count() uint64 {
	count, _, _ := strings.Cut(string(e), ":")
	n, _ := strconv.ParseUint(count, 10, 64)
	return n
}

var epochText = regexp.MustCompile(`^[1-9][0-9]{0,19}:[0-9a-f]{16}$`)

// IsValid tells whether e is an epoch that an owner may have been given.
func (e Epoch) IsValid() bool { return epochText.MatchString(string(e)) && e.Count() > 0 }
