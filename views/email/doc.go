// Package email draws the letters that leave by mail. A Letter says what is to be said once; HTML and Text draw it
// twice, so the two parts of a message can never tell different things. The functions named after a kind of letter
// build one from plain facts in the reader's language. The layout is fixed here, which keeps every mail readable
// with images off, in the dark, from right to left and as plain text; nothing in a mail reports back.
package email
