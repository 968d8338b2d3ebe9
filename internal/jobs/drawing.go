package jobs

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"runtime/debug"
	"sync"

	"golang.org/x/sync/errgroup"

	"sollecito/internal/mail"
)

// drawing draws the letters of some mails on whatever processors have nothing else to do.
type drawing struct {
	ctx    context.Context
	rooms  *rooms
	mails  chan *mailing
	others errgroup.Group
	finish func() error // draws what is left and waits for the others; further calls answer the same
}

// draw begins to draw the letters that are added, at most so many.
func (s *Sender) draw(ctx context.Context, most int) *drawing {
	d := &drawing{ctx: ctx, rooms: &s.rooms, mails: make(chan *mailing, most)}
	d.finish = sync.OnceValue(func() error {
		close(d.mails)
		return errors.Join(d.draw(), d.others.Wait())
	})
	for range min(runtime.GOMAXPROCS(0), most) - 1 {
		d.others.Go(d.draw)
	}
	return d
}

func (d *drawing) add(m *mailing) { d.mails <- m }

func (d *drawing) draw() (err error) {
	defer func() {
		if p := recover(); p != nil {
			err = fmt.Errorf("panic: %v\n%s", p, debug.Stack())
		}
	}()
	for m := range d.mails {
		m.letter, m.copy, err = m.draft.Finish(d.ctx, d.rooms.take())
		if err != nil {
			return err
		}
	}
	return nil
}

// rooms are where letters stood that were sent, for later ones: some 16 KB each, which need not be made and cleared away
// for every mail.
type rooms struct{ free sync.Pool }

func (r *rooms) take() []byte {
	room, is := r.free.Get().(*[]byte)
	if !is {
		return nil
	}
	return *room
}

// leave gives the room of a letter that nobody reads any more.
func (r *rooms) leave(p mail.Post) {
	room := p.Bytes()
	r.free.Put(&room)
}
