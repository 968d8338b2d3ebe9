// Package privacy exports and erases what is kept of one customer. One list names every table of the database, what leads
// from it to a customer, what is exported of it and what becomes of it when they are erased. A test compares the list with
// the real schema, so that a forgotten table or column fails it. Export writes everything into one document; Erase leaves
// nothing but ids, sums and dates.
package privacy
