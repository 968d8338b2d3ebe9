package database

import (
	"context"
	"database/sql"
	"fmt"
	"strconv"
	"strings"
)

// List makes the placeholders of an IN list, from $1 on, and its arguments. The last id fills the list up to a power of
// two: lists of all lengths are then asked for in a few different statements, which connections keep prepared. ids must
// not be empty.
func List(ids []string) (marks string, args []any) {
	const mostFilled = 256
	length := len(ids)
	if length <= mostFilled {
		for length = 1; length < len(ids); length *= 2 {
		}
	}
	var b strings.Builder
	b.Grow(5 * length)
	args = make([]any, length)
	for i := range length {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(i + 1))
		args[i] = ids[min(i, len(ids)-1)]
	}
	return b.String(), args
}

// Rows makes the placeholders of so many rows of VALUES, from $first on. A row is written as one with its own first
// placeholder as %[1]d: "($%[1]d, cast($%[2]d AS BIGINT))".
func Rows(first, count int, row string, columns int) string {
	all := make([]string, count)
	numbers := make([]any, columns)
	for i := range all {
		for c := range numbers {
			numbers[c] = first + i*columns + c
		}
		all[i] = fmt.Sprintf(row, numbers...)
	}
	return strings.Join(all, ", ")
}

// HoldAll is Hold for several names, which must be in ascending order.
func HoldAll(ctx context.Context, tx *sql.Tx, names []string) error {
	if len(names) == 0 {
		return nil
	}
	marks, args := List(names)
	_, err := tx.ExecContext(ctx, `SELECT hold(`+strings.ReplaceAll(marks, ", ", "), hold(")+`)`, args...)
	if err != nil {
		return fmt.Errorf("hold %s: %w", strings.Join(names, ", "), err)
	}
	return nil
}
