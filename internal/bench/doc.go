// Package bench measures what the program promises against a plain baseline, in the same run and in turns, and prints
// ratios: machines differ, ratios travel. Nobody imports it, and no test passes or fails by a time.
//
//	go test ./internal/bench -run '^$' -bench . -benchtime 1x -v
package bench
