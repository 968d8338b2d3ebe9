// Command crash kills the portal, thousands of times if asked, and counts what that did.
//
// It starts the real program on a real database beside the sandbox, keeps both busy (renewals that fail, webhooks from
// several sides at once, customers who pay and who write), kills the program with signal 9 at random moments, starts it
// again, and so on. The mail server stands in this process, which is never killed, and counts for itself what was
// delivered. At the end the program may come to rest, and a table says whether everything held that must:
// no acknowledged webhook, payment or message is lost, no mail is delivered twice, no invoice is charged twice, and what
// may or may not have been delivered is marked so, never more of it per kill than mails were under way.
//
//	go run ./internal/crash -n 1000 -seed 1
//	go run ./internal/crash -n 200 -seed 1 -backlog 1000
//	go run ./internal/crash -n 1000 -seed 1 -database postgres://user:password@127.0.0.1/empty
package main
