// Package mail hands a finished letter to an SMTP server and says exactly what became of it. The final dot of the
// dialogue is the line that matters: before it nothing was handed over and the letter may be tried again; once it
// has left without an answer, the server may have the letter or not, and only a person may decide to send it again.
// The package never reports a letter of the second kind as one of the first.
//
// It is the only room that imports go-mail, and of it the package smtp for the ways to sign in. The dialogue itself is
// spoken here: go-mail reports a connection lost while the body is written and one lost while the answer is awaited with
// the same error (its DataCloser drops the error of the last write), knows what a server can do only where that is
// written in capitals, and takes an answer of a code alone for none. The message is written here too: go-mail draws a
// random boundary and folds headers in ways that lose long words, while the bytes sent must be the same whenever the
// same letter is rendered.
package mail
