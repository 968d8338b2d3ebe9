package database

import (
	"fmt"
	"strings"
	"testing"
)

// Lists are filled up to a power of two with their last id, up to a length from which each is made for itself.
func TestListsAreFilledToFewLengths(t *testing.T) {
	for length, want := range map[int]int{1: 1, 2: 2, 3: 4, 4: 4, 5: 8, 16: 16, 17: 32, 255: 256, 256: 256, 257: 257} {
		ids := make([]string, length)
		for i := range ids {
			ids[i] = fmt.Sprint(i)
		}
		marks, args := List(ids)
		all := strings.Split(marks, ", ")
		if len(all) != want || len(args) != want || all[0] != "$1" || all[want-1] != fmt.Sprintf("$%d", want) {
			t.Errorf("%d ids are asked for by %d arguments at %s", length, len(args), marks)
		}
		if args[length-1] != ids[length-1] || args[want-1] != ids[length-1] {
			t.Errorf("%d ids end in %v and %v", length, args[length-1], args[want-1])
		}
	}
	if got := Rows(2, 2, `($%d, cast($%d AS BIGINT))`, 2); got != `($2, cast($3 AS BIGINT)), ($4, cast($5 AS BIGINT))` {
		t.Errorf("rows read %s", got)
	}
}
