// Package seal encrypts secrets that must be stored and read again: the seeds of second factors, and the secrets with which
// messages to the merchant's app are signed.
package seal
