package pg

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"strings"

	"github.com/jackc/pgx/v5"
)

// Trigger says which table's changes are recorded as pending, and how.
type Trigger struct {
	Name  string         // under what name: that of the one cache that listens to them
	Table pgx.Identifier // with its schema: pgx.Identifier{"public", "flights"}
	// Key are the columns that make up the key of a record in the cache. A change is recorded as their text; of several as a JSON array of texts, or
	// of null.
	Key     []string
	Pending pgx.Identifier // the table of what is pending; nil: public.tablecache_pending. See WithPending.
}

var errTrigger = errors.New("a trigger needs a name, a table and columns of a key")

// Install makes the table of what is pending, unless it is there, and the triggers, all in one transaction; or in a savepoint, if db is a
// pgx.Tx. It may be called as often as one likes, by several at once: what is there is left as it is, but for the columns of the
// key, which may be others. A trigger that is new has everything invalidated once, for nobody knows what has changed before. db is a *pgxpool.Pool, a *pgx.Conn
// or a pgx.Tx whose role owns the tables; their writers need no right beyond what they have.
//
// A table or a column that is not there is an error, and nothing has changed. While there is a trigger, its columns must stay: where one was
// renamed or dropped, every change of the table fails until Install is told others. Do that in the transaction that renames it.
//
// Making a trigger waits for the open transactions that write its table, and writers wait for it.
func Install(ctx context.Context, db interface {
	Begin(context.Context) (pgx.Tx, error)
}, triggers ...Trigger,
) error {
	err := pgx.BeginFunc(ctx, db, func(tx pgx.Tx) error {
		for _, t := range triggers {
			if t.Name == "" || len(t.Table) == 0 || len(t.Key) == 0 {
				return errTrigger
			}
			if _, err := tx.Exec(ctx, t.SQL()); err != nil {
				return fmt.Errorf("trigger %q: %w", t.Name, err)
			}
		}
		return nil
	})
	if err != nil {
		return fmt.Errorf("pg: install: %w", err)
	}
	return nil
}

// SQL returns what Install runs, for those who make changes of the schema by other means. It is to be run in one transaction.
func (t Trigger) SQL() string {
	pending := pendingOr(t.Pending)
	notify := identifier(pending[:len(pending)-1], "tablecache_notify", channel(pending))
	record := identifier(pending[:len(pending)-1], append([]string{"tablecache", t.Name}, t.Table...)...)
	values := []string{
		"{pending}", pending.Sanitize(), "{pending.text}", literal(pending.Sanitize()), "{channel}", literal(channel(pending)),
		"{notify}", notify.Sanitize(), "{record}", record.Sanitize(),
		"{table}", t.Table.Sanitize(), "{table.text}", literal(t.Table.Sanitize()), "{name}", literal(t.Name),
		"{trigger}", identifier(nil, "tablecache", t.Name).Sanitize(), "{trigger.text}", literal(identifier(nil, "tablecache", t.Name)[0]),
		"{truncate}", identifier(nil, "tablecache", t.Name, "truncate").Sanitize(),
		"{old}", keyText("OLD", t.Key), "{new}", keyText("NEW", t.Key), "{q}", quotes(t),
		"{columns}", literals(t.Key), "{refusal}", literal(fmt.Sprintf("not all columns of the key are there: %q of %s", t.Key, t.Table.Sanitize())),
	}
	return strings.NewReplacer(values...).Replace(installSQL)
}

// keyText is the key of a row, as SQL.
func keyText(row string, columns []string) string {
	texts := make([]string, len(columns))
	for i, c := range columns {
		texts[i] = row + "." + pgx.Identifier{c}.Sanitize() + "::text"
	}
	if len(texts) == 1 {
		return texts[0]
	}
	return "json_build_array(" + strings.Join(texts, ", ") + ")::text"
}

// quotes returns what the bodies of functions are put between: something that is not in them.
func quotes(t Trigger) string {
	tag := "tablecache"
	for strings.Contains(fmt.Sprint(t), "$"+tag) {
		tag += "_"
	}
	return "$" + tag + "$"
}

// maxIdentifier is what PostgreSQL keeps of a name, in bytes.
const maxIdentifier = 63

// identifier makes a name of parts, in a schema, that is made of no others: for that, one that PostgreSQL would cut or in which the parts cannot
// be told apart is a hash.
func identifier(schema pgx.Identifier, parts ...string) pgx.Identifier {
	name := strings.Join(parts, ".")
	if len(name) > maxIdentifier || strings.Count(name, ".") >= len(parts) {
		sum := sha256.Sum256(fmt.Appendf(nil, "%q", parts))
		name = "tablecache." + hex.EncodeToString(sum[:16])
	}
	return append(schema[:len(schema):len(schema)], name)
}

// literal quotes a text as SQL, whatever standard_conforming_strings is.
func literal(text string) string {
	quoted := "'" + strings.ReplaceAll(text, "'", "''") + "'"
	if strings.Contains(text, `\`) {
		return "E" + strings.ReplaceAll(quoted, `\`, `\\`)
	}
	return quoted
}

func literals(texts []string) string {
	quoted := make([]string, len(texts))
	for i, text := range texts {
		quoted[i] = literal(text)
	}
	return strings.Join(quoted, ", ")
}

// pendingOr returns where pending invalidations are.
func pendingOr(given pgx.Identifier) pgx.Identifier {
	if len(given) == 0 {
		return pgx.Identifier{"public", "tablecache_pending"}
	}
	return given
}

// channel is what hints are sent on, for a table of pending invalidations.
func channel(pending pgx.Identifier) string { return pending[len(pending)-1] }
