package wire

// Status is the kind of an answer.
type Status uint8

// The statuses of answers.
const (
	StatusUnknown Status = iota
	StatusOK
	StatusFenced  // another owner has the table
	StatusLost    // something is missing, or does not agree with the counts
	StatusExpired // the snapshot that was asked for is gone
	StatusState   // the effect may not run in the lock's state
	StatusVoid    // the effect's number is behind the table's
	StatusBurned  // the effect was not applied, and never will be
	StatusStale   // there is nothing to fold any more
	StatusSchema  // the table has another schema
	StatusLayout  // its rows are of another layout than the reader's
	StatusSound   // there is nothing to mend
	StatusChanged // the row is not the one that was read
	StatusHeld    // another owner holds a lease
)

var statusNames = [...]string{"unknown", "OK", "FENCED", "LOST", "EXPIRED", "STATE", "VOID", "BURNED", "STALE", "SCHEMA", "LAYOUT", "SOUND", "CHANGED", "HELD"}

// String returns the word that scripts use.
func (s Status) String() string { return statusNames[s] }

func parseStatus(text string) Status {
	for i, name := range statusNames {
		if text == name {
			return Status(i)
		}
	}
	return StatusUnknown
}
