package table

import "github.com/tablecache-go/tablecache/table/internal/wire"

// VersionAt returns the version of the note at a moment.
func VersionAt(m wire.Moment) NoteVersion { return versionAt(&m) }

// InLine returns how many callers update the record with this key, or wait for their turn.
func (t *Table[R, K]) InLine(key K) int {
	k, err := t.def.encodeKey(key)
	if err != nil {
		return 0
	}
	t.turns.mu.Lock()
	defer t.turns.mu.Unlock()
	return len(t.turns.lines[string(k)])
}
