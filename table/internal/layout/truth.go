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
//	building  how many of the last indexes are not complete, and so not counted; a truth of version 5 has no such field
//	layout  the hash of the schema under which the rows are written: see Proof
var TruthFields = [...]string{"epoch", "last", "state", "seq", "gen", "rver", "burns", "notes", "count", "staged", "live", "widest", BuildingField, "layout"}

// BuildingField is the field of the truth that may be missing: then it is 0.
const BuildingField = "building"

// FeedField is the field of the truth that tells whether its owner keeps a feed: KeepsFeed, or NoFeed.
const FeedField = "feed"

// KeepsFeed is the value of FeedField of an owner who keeps a feed.
const KeepsFeed = "feed"

// SchemaField is the field of the truth that keeps the schema. Only the claim of an owner changes it.
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

// LeaseFields are the fields of the truth that tell of the owner's lease. They are missing where nobody holds one. The scripts have their
// own list in prelude/lease.lua, and a test compares the two.
//
//	holder  who holds it: the owner's name and a random id, for people
//	lease   how long it is, in microseconds
//	until   when it ends, in microseconds since 1970 by the server's clock
var LeaseFields = [...]string{"holder", "lease", "until"}

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
