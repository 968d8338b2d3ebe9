// Command gallery proves that every situation a customer can be in has a page for everybody, and shows it. It starts
// the demo in this process, goes to each situation that /demo/states lists, in five languages, on a phone and a desk,
// in light and in dark, and judges each page with Chromium (browsertest.Faults). What it found is a table in
// docs/states.md, beside a picture of every situation:
//
//	go run ./internal/gallery
//
// It exists because one page looked at is no proof of a thousand. It leaves with status 1 when anything is wrong.
package main
