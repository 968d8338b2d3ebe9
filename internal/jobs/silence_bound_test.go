package jobs

import (
	"bytes"
	"context"
	"log/slog"
	"strconv"
	"strings"
	"testing"
	"time"
)

// An outage of days keeps no more in memory than its log can say.
func TestALongSilenceKeepsABoundedList(t *testing.T) {
	t.Parallel()
	var s silence
	now := time.Date(2026, 9, 15, 10, 0, 0, 0, time.UTC)
	for i := range 5000 {
		s.fails(strconv.Itoa(i), "It answered 503.", now)
	}
	if len(s.waits) > 1000 {
		t.Errorf("%d are kept", len(s.waits))
	}
	var said bytes.Buffer
	s.answers()
	s.tell(context.Background(), slog.New(slog.NewTextHandler(&said, nil)), "began", "ended", now.Add(time.Hour))
	if strings.Count(said.String(), `count="1000 or more"`) != 2 {
		t.Errorf("the log says\n%s", said.String())
	}
}
