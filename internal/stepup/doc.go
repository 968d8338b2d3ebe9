// Package stepup asks a customer for more than the link that opened their pages, before an act that must not be in the
// hands of whoever a mail was forwarded to. They get a code of six digits at the address on file and type it on the
// page. A code is for one act on one thing, works in the session that asked alone, once, for ten minutes, and dies
// after five wrong tries.
package stepup
