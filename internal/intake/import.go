package intake

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strconv"

	"sollecito/internal/billing"
	"sollecito/internal/database"
	"sollecito/internal/dunning"
	"sollecito/internal/fault"
	"sollecito/internal/gateway"
)

// Imported says how far an import of the account came. Instants are unix seconds of business time.
type Imported struct {
	StartedAt int64  `json:"started_at"`
	After     string `json:"after"` // the invoice to go on after
	Pages     int    `json:"pages"`
	Invoices  int    `json:"invoices"`
	DoneAt    int64  `json:"done_at"` // 0 while it is under way
	Continued bool   `json:"-"`       // an earlier run began it
}

const settingImport = "import"

// Import reads all open invoices of the account page by page and keeps them with their customers. Each page is kept in one
// transaction with how far the import came, so an import that was interrupted or killed goes on there when it is asked for
// again. told is called after each page.
//
// The first import of an installation is its connection, even if serve ran before it. What failed before the import began
// rests as imported, unless Stripe told us of that failure by an event; what fails for the first time while it runs starts
// by itself, whether a webhook or a page shows it. A further try by Stripe on an invoice that had already failed starts
// nothing. A later import looks at everything once more and moves nothing. Invoices made after the start lie before the
// first page: events bring them, and so does Reconcile, which begins at the same instant.
func (in *Intake) Import(ctx context.Context, told func(Imported)) (Imported, error) {
	state, err := in.beginImport(ctx)
	if err != nil {
		return Imported{}, err
	}
	for {
		readAt := in.now().Unix()
		page, err := in.stripe.OpenPage(ctx, gateway.Open{}, state.After)
		if fault.Is(err, fault.NotFound) && state.After != "" { // the invoice we stood at is gone: all over again does no harm
			state.After, state.Pages, state.Invoices = "", 0, 0
			continue
		}
		if err != nil {
			return state, err
		}
		next := state
		next.Pages++
		next.Invoices += page.Invoices
		if page.Last != "" {
			next.After = page.Last
		}
		if !page.More {
			next.DoneAt = in.now().Unix()
		}
		err = in.keepPage(ctx, page.Accounts, readAt, func(save func(tx *sql.Tx) error) error { return in.moveImport(ctx, next, save) })
		if err != nil {
			return state, fmt.Errorf("save a page of invoices: %w", err)
		}
		state = next
		told(state)
		if state.DoneAt > 0 {
			return state, nil
		}
	}
}

// moveImport does save and moves the import on to its next state, in one transaction.
func (in *Intake) moveImport(ctx context.Context, next Imported, save func(tx *sql.Tx) error) error {
	return in.db.Do(ctx, func(tx *sql.Tx) error {
		err := save(tx)
		if err != nil {
			return err
		}
		return keepState(ctx, tx, settingImport, next)
	})
}

// beginImport answers the import under way, or begins one.
func (in *Intake) beginImport(ctx context.Context) (Imported, error) {
	var state Imported
	err := in.db.Do(ctx, func(tx *sql.Tx) error {
		err := findState(ctx, tx, settingImport, &state)
		if err != nil {
			return err
		}
		if state.StartedAt > 0 && state.DoneAt == 0 {
			state.Continued = true
			return nil
		}
		first := state.StartedAt == 0
		now := in.now().Unix()
		state = Imported{StartedAt: now}
		err = keepState(ctx, tx, settingImport, state)
		if err != nil || !first {
			return err
		}
		err = database.SetSetting(ctx, tx, dunning.SettingConnected, strconv.FormatInt(now, 10))
		if err != nil {
			return err
		}
		return keepState(ctx, tx, settingReconcile, Reconciled{Cursor: now})
	})
	return state, err
}

// keepPage keeps what one page of a listing shows of some customers, in the same transaction as keep, which moves on from
// the page. If one customer fails, each is kept separately, and those who fail then wait to be read again: nobody holds up
// the others.
func (in *Intake) keepPage(ctx context.Context, accounts []billing.Account, readAt int64, keep func(save func(tx *sql.Tx) error) error) error {
	slices.SortFunc(accounts, func(a, b billing.Account) int { return cmp.Compare(a.Customer.ID, b.Customer.ID) })
	all := func(tx *sql.Tx) error {
		for _, account := range accounts {
			err := in.saveListed(ctx, tx, account, readAt)
			if err != nil {
				return err
			}
		}
		return nil
	}
	err := caught(func() error { return keep(all) })
	if err == nil || errors.Is(err, errElsewhere) || ctx.Err() != nil {
		return err
	}
	for _, account := range accounts {
		err := caught(func() error {
			return in.db.Do(ctx, func(tx *sql.Tx) error { return in.saveListed(ctx, tx, account, readAt) })
		})
		if err == nil {
			continue
		}
		if ctx.Err() != nil {
			return err
		}
		in.log.ErrorContext(ctx, "what a list shows of a customer could not be kept, they are read again", "customer", account.Customer.ID, "err", err)
		err = in.db.Do(ctx, func(tx *sql.Tx) error { return askToRead(ctx, tx, account.Customer.ID, in.now().Unix()) })
		if err != nil {
			return fmt.Errorf("ask to read %s again: %w", account.Customer.ID, err)
		}
	}
	return keep(func(*sql.Tx) error { return nil })
}

// saveListed keeps what a listing shows of a customer and reconsiders their cases; of an erased one it keeps nothing.
func (in *Intake) saveListed(ctx context.Context, tx *sql.Tx, account billing.Account, readAt int64) error {
	id := account.Customer.ID
	err := database.Hold(ctx, tx, id)
	if err != nil {
		return err
	}
	err = billing.SavePart(ctx, tx, account, readAt)
	if billing.IsErased(err) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("save what a page says of %s: %w", id, err)
	}
	err = in.reconsider(ctx, tx, id, nil)
	if err != nil {
		return fmt.Errorf("reconsider %s: %w", id, err)
	}
	return nil
}

// findState reads a setting that holds JSON; one that was never kept leaves state as it is.
func findState(ctx context.Context, tx *sql.Tx, name string, state any) error {
	kept, err := database.Setting(ctx, tx, name)
	if err != nil || kept == "" {
		return err
	}
	err = json.Unmarshal([]byte(kept), state)
	if err != nil {
		return fmt.Errorf("read the setting %s: %w", name, err)
	}
	return nil
}

func keepState(ctx context.Context, tx *sql.Tx, name string, state any) error {
	kept, err := json.Marshal(state)
	if err != nil {
		return fmt.Errorf("keep the setting %s: %w", name, err)
	}
	return database.SetSetting(ctx, tx, name, string(kept))
}
