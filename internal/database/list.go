package database

import (
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

// Rows makes the placeholders of so many rows of VALUES, from $first on. A row is written with %d for the number of each of
// its placeholders, of which there are as many as columns: "($%d, cast($%d AS BIGINT))".
func Rows(first, count int, row string, columns int) string {
	pieces := strings.Split(row, "%d")
	b := make([]byte, 0, count*(len(row)+2+2*columns))
	for i := range count {
		if i > 0 {
			b = append(b, ", "...)
		}
		for c, piece := range pieces {
			if c > 0 {
				b = strconv.AppendInt(b, int64(first+i*columns+c-1), 10)
			}
			b = append(b, piece...)
		}
	}
	return string(b)
}
