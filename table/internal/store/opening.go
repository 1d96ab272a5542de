package store

import (
	"context"
	"crypto/rand"
	"encoding/hex"
	"errors"
	"fmt"
	"time"

	"github.com/tablecache-go/tablecache/engine"
	"github.com/tablecache-go/tablecache/table/internal/layout"
	"github.com/tablecache-go/tablecache/table/internal/wire"
	"github.com/tablecache-go/tablecache/table/internal/wire/scripts"
)

// opening is an Open under way.
type opening struct {
	client *wire.Client
	Claim
	schema  layout.Evolution
	fenced  bool      // an earlier owner, for the sake of a fold
	holder  string    // as whom the latest claim holds the lease
	lease   *Lease    // that lease; nil: no claim was answered
	sent    time.Time // before that was sent
	claimed Claimed
}

// prepare does what changes nothing.
func (o *opening) prepare(ctx context.Context) error {
	if err := prepare(ctx, o.client, o.Preflight); err != nil {
		return err
	}
	return o.plan(ctx, layout.Stored{Text: o.Schema.Text()}) // as it nearly always is; else that is found out
}

// plan decides what becomes of the stored schema, if the definition fits it. If another schema is stored by now it plans for that.
func (o *opening) plan(ctx context.Context, stored layout.Stored) (err error) {
	if o.Reset || stored.Text == "" {
		o.schema = layout.Fresh(o.Schema)
		o.schema.From = stored
		return nil
	}
	if differences := layout.Differences(stored.Text, o.Schema); len(differences) > 0 {
		return o.mismatch(differences)
	}
	if o.schema, err = layout.Evolve(stored, o.Schema, o.Dropping); err != nil {
		return err
	}
	return o.compareScores(ctx, stored)
}

// own claims the table. If it fails, or nobody waits for the table any more, others need not wait until a lease of nobody runs out.
func (o *opening) own(ctx context.Context) error {
	err := o.claim(ctx)
	if err == nil && ctx.Err() != nil {
		err = engine.Because(engine.ErrUnknownOutcome, o.client.EndedWaiting(ctx, o.sent))
	}
	if err != nil && o.lease != nil {
		ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), min(o.Lease, wire.ReadTimeout(o.client.Redis)))
		defer cancel()
		_ = o.lease.GiveUp(ctx) // else it runs out
	}
	return err
}

// claim claims the table under the schema that was planned, which is planned anew where another one is stored meanwhile.
func (o *opening) claim(ctx context.Context) error {
	for {
		a, err := o.run(ctx, o.schema)
		if err == nil {
			switch a.Status {
			case wire.StatusOK:
				return o.take(a)
			case wire.StatusState:
				err = o.foldFirst(ctx)
			default:
				err = o.refused(ctx, a)
			}
		}
		if err != nil && o.fenced {
			return engine.Because(engine.ErrUnknownOutcome, err)
		}
		if err != nil {
			return err
		}
	}
}

// run sends one claim. An error tells whether its outcome is known.
func (o *opening) run(ctx context.Context, e layout.Evolution) (wire.Answer, error) {
	var id [8]byte
	_, _ = rand.Read(id[:]) // never fails
	claim := scripts.Claim{ID: hex.EncodeToString(id[:]), Schema: e, Owner: o.Owner, Reset: o.Reset, Feed: o.Feed,
		Lease: o.Lease, Yield: o.Yield, Held: o.holder}
	call, sent := scripts.Open(o.client, claim), time.Now()
	a, err := o.client.Run(ctx, wire.SendAgain, call)
	if wire.IsReplicas(err) || isDoubtful(a, err, "") { // a connection of the pool may lead elsewhere
		a, err = confirmed(ctx, o.client, "", call)
	}
	err = wire.LostToForeignType(err)
	if err != nil && !wire.IsRefusal(err) && !errors.Is(err, engine.ErrLost) && !wire.NeverSent(err) {
		err = engine.Because(engine.ErrUnknownOutcome, err)
	}
	if err == nil && a.Status == wire.StatusOK {
		o.holder, o.sent = scripts.Holder(claim), sent
		o.lease = NewLease(o.client, a.Epoch, o.Lease)
	}
	return a, err
}

func (o *opening) take(a wire.Answer) (err error) {
	s := o.schema.To
	o.claimed = Claimed{Moment: a.Moment, Client: o.client.Under(s), Schema: s, Holder: o.holder, Sent: o.sent}
	o.claimed.Building, err = scripts.ReadBuilding(&a)
	return err
}

// refused returns why a claim has claimed nothing; nil: another schema is stored, for which it has planned.
func (o *opening) refused(ctx context.Context, a wire.Answer) error {
	switch a.Status {
	case wire.StatusSchema:
		return o.planAnew(ctx, a)
	case wire.StatusHeld:
		return scripts.ReadHeld(&a)
	}
	return fmt.Errorf("%w: keys of it are missing, or are not its own", engine.ErrLost)
}

func (o *opening) planAnew(ctx context.Context, a wire.Answer) error {
	stored, err := scripts.ReadStored(&a)
	if err != nil {
		return err
	}
	return o.plan(ctx, stored)
}

// foldFirst claims the table under the schema that is stored and folds what is merged, for its rows were staged under the indexes of that.
// Nobody could write before that is done anyway. Then it plans anew.
func (o *opening) foldFirst(ctx context.Context) error {
	e, err := layout.Unmoved(o.schema.From)
	if err != nil {
		return err
	}
	a, err := o.run(ctx, e)
	switch {
	case err != nil:
		return err
	case a.Status != wire.StatusOK:
		return o.refused(ctx, a)
	}
	o.fenced = true
	if a.View.State == engine.StateMerging {
		fold := func() error { return foldNow(ctx, o.client.Under(e.To), a.Moment) }
		if err := o.lease.during(ctx, fold); err != nil {
			return err
		}
	}
	building, err := scripts.ReadBuilding(&a)
	if err != nil {
		return err
	}
	return o.plan(ctx, layout.Stored{Text: e.To.Text(), Building: building})
}
