// Package audit keeps who did what, in the transaction of the deed, so that neither stands without the other.
// Rows are only ever added: the database refuses to change or remove one, and each carries a hash over itself
// and the row before it, so that a change made behind the database's back shows. It holds ids and pseudonyms,
// never a customer's name or address, so that erasing a customer leaves the chain whole.
package audit
