// Package apikey decides which of the merchant's own programs may ask below /api/v1. A key is made by a person and shown to
// them once; kept of it are its hash, its name, its first characters and when it was last used. It allows reading and
// nothing else, and works until somebody ends it.
package apikey
