// Package support keeps what customer and staff say to each other. When a customer writes, their message, the
// pause of their reminders and the mail to staff are one transaction; when staff answer, the message, the mail to
// the customer and the end of the pause are.
package support
