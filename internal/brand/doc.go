// Package brand is how a merchant looks: six colours and a logo. It reads and checks them, works out the colours that were
// left out, warns of pairs that are hard to read on one another, and puts the colours into the files that browsers fetch.
// It knows nothing of the pages and letters that use the result.
package brand
