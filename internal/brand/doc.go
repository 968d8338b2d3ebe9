// Package brand is how a merchant looks: six colours and a logo. It reads and checks them, works out what was left out,
// says which pair of colours people would read with effort, and dresses the files that browsers fetch in them. It
// knows nothing of the pages and letters that wear the result.
package brand
