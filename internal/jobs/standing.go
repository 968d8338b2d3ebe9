package jobs

import (
	"sync"
	"time"
)

// Standing is how a task has fared since the program began. Its instants are real time: they are for whoever watches
// the program, not for what it decides.
type Standing struct {
	Name           string
	Every          time.Duration // it looks at least this often
	Runs, Failures int64
	Failing        bool      // the last run failed
	CameRound      time.Time // the end of the last run, or the start of the runner before the first; zero until it starts
	LastSuccess    time.Time // zero before the first
}

// Late reports whether the task should have come round more than a grace ago: one that looks each hour is not stuck after
// ten minutes.
func (s Standing) Late(grace time.Duration) bool { return time.Since(s.CameRound) > s.Every+grace }

// Standings answers how every task stands, in the order of the table of tasks.
func (r *Runner) Standings() []Standing {
	all := make([]Standing, 0, len(r.tasks))
	for _, t := range r.tasks {
		all = append(all, t.record.read(t.Task))
	}
	return all
}

// record keeps one task's standing.
type record struct {
	mu sync.Mutex
	Standing
}

func (r *record) begin() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.CameRound = time.Now()
}

func (r *record) end(err error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := time.Now()
	r.Runs++
	r.CameRound, r.Failing = now, err != nil
	if err != nil {
		r.Failures++
		return
	}
	r.LastSuccess = now
}

func (r *record) read(t Task) Standing {
	r.mu.Lock()
	defer r.mu.Unlock()
	s := r.Standing
	s.Name, s.Every = t.Name, t.Every
	return s
}
