// Package seal keeps what must be read again and stay secret: the seeds of second factors, the secrets that messages to the
// merchant's app are signed with.
package seal
