// Package privacy tells and forgets what is kept of one customer. One list names every table of the database, what leads
// from it to a customer, what is told of it and what becomes of it when they are erased; a test holds the list to the real
// schema, so that a table or a column that is forgotten fails. Export writes everything in one document, Erase leaves
// nothing but ids, sums and dates.
package privacy
