// Package desk draws the pages staff work on: the list of cases, one customer with everything that happened and
// will happen, the conversations, the audit log. Support staff need the whole story on one page and must never
// fear a wrong send, so every act is drawn with its effect before it. A page is a plain struct drawn by one
// templ; this room decides nothing and asks nobody. The pages speak English only.
package desk
