// Command crash kills the portal, thousands of times if asked, and counts what that did.
//
// It starts the real program on a real database beside the sandbox, keeps both busy (renewals that fail, webhooks from
// several sides at once, customers who pay and who write), kills the program with signal 9 at random moments, starts it
// again, and so on. The mail server and the merchant's app stand in this process, which is never killed, and count for
// themselves what they were told. One mail in a few the mail server takes and then says nothing, until its sender is dead.
// At the end the program may come to rest, and a table says whether everything held that must: no acknowledged webhook, payment
// or message is lost, no mail is delivered twice, no invoice is charged twice, and what may or may not have been delivered is
// marked so, never more of it per kill than mails were under way. The app hears everything at least once, under ids that stay.
//
// Instead of the portal its PostgreSQL is killed, stopped or cut off with -database-dies, and with -freeze the portal is stood
// still, beside a second one on PostgreSQL: it must then go on by itself.
//
//	go run ./internal/crash -n 1000 -seed 1
//	go run ./internal/crash -n 200 -seed 1 -backlog 1000
//	go run ./internal/crash -n 1000 -seed 1 -database postgres://user:password@127.0.0.1/empty
//	go run ./internal/crash -n 100 -seed 1 -database-dies
//	go run ./internal/crash -n 2 -seed 1 -freeze 310s -backlog 1000
package main
